"""All that fixes the meaning of an embedding, and its fingerprint."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

# Raised whenever audio.py, level.py, mel.py or patches.py starts to hand the network other numbers for the
# same file. 2: tracks are brought to one level.
FRONT_END_VERSION = 2


@dataclass(frozen=True)
class MelConfig:
    """Front end of Pons and Serra (2019): log10(1 + gain * S), S a power mel spectrogram."""

    sample_rate_hz: int = 16_000
    n_fft: int = 512
    hop_length: int = 256
    n_mels: int = 96
    gain: float = 10_000.0


@dataclass(frozen=True)
class LevelConfig:
    """The level that a track is brought to before its log-mel: RMS, 0 is a full-scale square wave.

    ``target_dbfs`` is about where popular music is mastered, which the pretrained network learnt from;
    of -10 to -22 none was better on every set, see docs/what-was-tried.md. Windows below ``floor_dbfs`` hold
    the noise of 16 bits at most; ``gate_db`` is how far below the others a window may be and still count.
    """

    target_dbfs: float = -16.0
    gate_db: float = 20.0
    floor_dbfs: float = -90.0


@dataclass(frozen=True)
class PatchConfig:
    """How a track is cut into the network's inputs.

    ``level`` None takes a track as loud as it is, as the first front end did. ``silence_dbfs`` is the level
    below which a window counts as silent, after the track was brought to its level: there even a pure tone
    moves a log-mel under :class:`MelConfig` by 0.3 only, where loud music reaches 6, so the network would
    hear next to nothing.
    """

    patch_frames: int = 187
    max_patches: int = 8
    silence_dbfs: float = -70.0
    level: LevelConfig | None = LevelConfig()


@dataclass(frozen=True)
class View:
    """A named stretch of the embedding, e.g. what the trunk heard or the timbre statistics."""

    name: str
    dim: int


@dataclass(frozen=True)
class EncoderConfig:
    """An exported network and the front end it was fitted to.

    ``views`` stand in the order of the embedding's columns; ``network_sha256`` is that of the
    exported network file, so two trainings never share a fingerprint.
    """

    name: str
    views: tuple[View, ...]
    network_sha256: str
    mel: MelConfig = field(default_factory=MelConfig)
    patches: PatchConfig = field(default_factory=PatchConfig)
    front_end: int = FRONT_END_VERSION

    @property
    def embedding_dim(self) -> int:
        """Number of columns of an embedding."""
        return sum(view.dim for view in self.views)

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits: equal exactly when embeddings may be compared."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def patch_s(self) -> float:
        """Length of the audio behind one patch, in seconds."""
        n_samples = (self.patches.patch_frames - 1) * self.mel.hop_length
        return n_samples / self.mel.sample_rate_hz

    def view_slices(self) -> dict[str, slice]:
        """View name -> columns of the embedding."""
        slices, start = {}, 0
        for view in self.views:
            slices[view.name] = slice(start, start + view.dim)
            start += view.dim
        return slices

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without a level those of the first front end, with its fingerprint."""
        values = asdict(self)
        if self.patches.level is None:
            del values["patches"]["level"]
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "EncoderConfig":
        """Inverse of :meth:`to_dict`."""
        level = values["patches"].get("level")
        return cls(
            name=values["name"],
            views=tuple(View(**view) for view in values["views"]),
            network_sha256=values["network_sha256"],
            mel=MelConfig(**values["mel"]),
            patches=PatchConfig(**values["patches"] | {"level": level and LevelConfig(**level)}),
            front_end=values["front_end"],
        )
