"""All that fixes the meaning of an embedding, and its fingerprint."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

# Raised whenever audio.py, mel.py or patches.py starts to hand the network other numbers for the same file.
FRONT_END_VERSION = 1


@dataclass(frozen=True)
class MelConfig:
    """Front end of Pons and Serra (2019): log10(1 + gain * S), S a power mel spectrogram."""

    sample_rate_hz: int = 16_000
    n_fft: int = 512
    hop_length: int = 256
    n_mels: int = 96
    gain: float = 10_000.0


@dataclass(frozen=True)
class PatchConfig:
    """How a track is cut into the network's inputs.

    ``silence_dbfs`` is the level (RMS, 0 is a full-scale square wave) below which a window counts as
    silent: there even a pure tone moves a log-mel under :class:`MelConfig` by 0.3 only, where loud music
    reaches 6, so the network would hear next to nothing.
    """

    patch_frames: int = 187
    max_patches: int = 8
    silence_dbfs: float = -70.0


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
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "EncoderConfig":
        """Inverse of :meth:`to_dict`."""
        return cls(
            name=values["name"],
            views=tuple(View(**view) for view in values["views"]),
            network_sha256=values["network_sha256"],
            mel=MelConfig(**values["mel"]),
            patches=PatchConfig(**values["patches"]),
            front_end=values["front_end"],
        )
