"""What a network of an experiment is shown of a track: images, time along their first axis."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.audio import read_windows
from embeddings.channels import CHANNELS, CHANNELS_VERSION, mel_channels
from embeddings.config import FRONT_END_VERSION, MelConfig, PatchConfig
from embeddings.decoding.decoder import display_name
from embeddings.errors import SilentAudio
from embeddings.level import level_dbfs, level_windows
from embeddings.line_plots import draw_lines, smooth
from embeddings.patches import window_samples
from recommender.errors import RecommenderError

Images = NDArray[np.float32]
Shape = tuple[int, int, int]

# Longer mel images get half as many frames a second: a network over 30 s would take twice as long for little.
LONG_IMAGE_S = 10.0
# Of a longer track, only so much in its middle is drawn.
LONGEST_DRAWN_S = 900.0


class FrontEndError(RecommenderError):
    """No front end can be made of these choices; the message names the choice and what is allowed."""

    code = "bad_front_end"


class FrontEnd(Protocol):
    """Turns audio files into images."""

    @property
    def name(self) -> str:
        """Which front end it is."""

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of all that fixes what an image means."""

    @property
    def shape(self) -> Shape:
        """Moments of time, columns, channels of an image."""

    def hear(self, path: Path) -> Images:
        """Return the images of a track, (n_images, *shape) float32, n_images >= 1.

        Raises
        ------
        embeddings.errors.EmbeddingError
            The file cannot be heard.
        """


@dataclass(frozen=True)
class MelImages:
    """Log-mel spectrograms of evenly spread excerpts, with channels beside them if wanted.

    Attributes
    ----------
    clip_s : float
        Length of an excerpt; 0 for the 3 s patches of the service's own front end.
    channels : tuple of str
        Of :data:`embeddings.channels.CHANNELS`, shown after the spectrogram itself.
    max_images : int
        Excerpts of a track at most; there are as many as fit without overlap.
    hop_length : int
        Samples from frame to frame; 0 for 256, or 512 where an image is longer than 10 s.
    """

    clip_s: float = 0.0
    channels: tuple[str, ...] = ()
    max_images: int = 8
    sample_rate_hz: int = MelConfig.sample_rate_hz
    n_fft: int = MelConfig.n_fft
    hop_length: int = 0
    n_mels: int = MelConfig.n_mels

    def __post_init__(self) -> None:
        _check_numbers(self, {"clip_s": (0.0, 600.0), "max_images": (1, 1000), "hop_length": (0, 65_536)})
        _check_numbers(self, {"sample_rate_hz": (2_000, 192_000), "n_fft": (64, 65_536), "n_mels": (2, 512)})
        object.__setattr__(self, "channels", tuple(self.channels))  # a recipe has them as a list
        if unknown := [name for name in self.channels if name not in CHANNELS]:
            raise FrontEndError(f"channels: {', '.join(unknown)} is unknown; allowed: {', '.join(CHANNELS)}")
        if len(set(self.channels)) < len(self.channels):
            raise FrontEndError(f"channels: one is named twice in {', '.join(self.channels)}")
        if self.clip_s and self.patches.patch_frames < 1:
            raise FrontEndError(f"clip_s must be at least one frame of {self.n_fft} samples long")

    @property
    def name(self) -> str:
        """Which front end it is."""
        return "mel"

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of all that fixes what an image means."""
        versions = [FRONT_END_VERSION, CHANNELS_VERSION if self.channels else 0]
        return _fingerprint(self.name, versions, asdict(self.mel), asdict(self.patches), self.channels)

    @property
    def mel(self) -> MelConfig:
        """How a spectrogram is made."""
        hop_length = self.hop_length or (512 if self.clip_s > LONG_IMAGE_S else MelConfig.hop_length)
        return MelConfig(self.sample_rate_hz, self.n_fft, hop_length, self.n_mels)

    @property
    def patches(self) -> PatchConfig:
        """How a track is cut into excerpts."""
        if not self.clip_s:
            return PatchConfig(max_patches=self.max_images)
        n_samples = round(self.clip_s * self.sample_rate_hz)
        return PatchConfig(1 + (n_samples - self.n_fft) // self.mel.hop_length, self.max_images)

    @property
    def shape(self) -> Shape:
        """Frames, mel bands, channels."""
        return (self.patches.patch_frames, self.n_mels, 1 + len(self.channels))

    def hear(self, path: Path) -> Images:
        """Return the spectrograms of a track, see :class:`FrontEnd`."""
        n_samples = window_samples(self.mel, self.patches)
        heard = read_windows(
            path,
            window_s=n_samples / self.sample_rate_hz,
            max_windows=self.max_images,
            sample_rate_hz=self.sample_rate_hz,
        )
        level = self.patches.level
        levelled = heard.signals if level is None else level_windows(heard.signals, level)
        # Repeated where the whole track is shorter, as the service's own front end does.
        signals = (np.resize(y, n_samples) for y in _audible(path, levelled))
        return np.stack([mel_channels(y, self.mel, self.channels) for y in signals])


@dataclass(frozen=True)
class WaveformImages:
    """Pictures of the smoothed signal: the track is cut into samples, each drawn as a line.

    Attributes
    ----------
    clip_s : float
        Length of a sample.
    smooth_s : float
        Length of the moving average. Over a second, music is left with what its lowest notes and beats add up
        to, some thousandths of full scale.
    top : float
        Signal at the upper edge; the lower edge is 0, so the negative half is cut off.
    width, height : int
        Pixels of a picture in time and in signal.
    """

    clip_s: float = 4.0
    smooth_s: float = 1.0
    top: float = 0.005
    width: int = 256
    height: int = 64
    max_images: int = 60
    sample_rate_hz: int = 8_000

    def __post_init__(self) -> None:
        _check_numbers(self, {"clip_s": (0.1, 600.0), "smooth_s": (0.0, 60.0), "top": (1e-9, 10.0)})
        _check_numbers(self, {"width": (8, 4096), "height": (8, 4096), "max_images": (1, 10_000)})
        _check_numbers(self, {"sample_rate_hz": (1_000, 192_000)})
        if self.width > self._n_samples:
            raise FrontEndError(f"width must be at most {self._n_samples}, the samples of {self.clip_s:g} s")

    @property
    def name(self) -> str:
        """Which front end it is."""
        return "waveform"

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of all that fixes what an image means."""
        return _fingerprint(self.name, [FRONT_END_VERSION, 1], asdict(self))

    @property
    def shape(self) -> Shape:
        """Moments, heights, one channel."""
        return (self.width, self.height, 1)

    @property
    def _n_samples(self) -> int:
        return round(self.clip_s * self.sample_rate_hz)

    def hear(self, path: Path) -> Images:
        """Return the pictures of a track, see :class:`FrontEnd`."""
        y = read_windows(
            path, window_s=LONGEST_DRAWN_S, max_windows=1, sample_rate_hz=self.sample_rate_hz
        ).signals[0]
        curve = smooth(y, max(round(self.smooth_s * self.sample_rate_hz), 1))
        n_images = max(len(y) // self._n_samples, 1)
        size = (n_images, self._n_samples)
        rows = np.unique(np.linspace(0, n_images - 1, min(n_images, self.max_images)).round().astype(int))
        # np.resize cuts the end off, or repeats a track that is shorter than one sample.
        curves = _audible(path, np.resize(y, size)[rows], shown=np.resize(curve, size)[rows])
        return draw_lines(curves, top=self.top, width=self.width, height=self.height)[..., None]


_FRONT_ENDS = {"mel": MelImages, "waveform": WaveformImages}
FRONT_ENDS = tuple(_FRONT_ENDS)


def front_end(name: str, **options: Any) -> FrontEnd:
    """Return the front end of a name, with its options as keywords.

    Parameters
    ----------
    name : {"mel", "waveform"}
    options
        Fields of :class:`MelImages` or :class:`WaveformImages`.

    Raises
    ------
    FrontEndError
        The message names the option and what is allowed.
    """
    if name not in _FRONT_ENDS:
        raise FrontEndError(f"there is no front end {name!r}; there are: {', '.join(FRONT_ENDS)}")
    kind: Any = _FRONT_ENDS[name]
    allowed = [field.name for field in fields(kind)]
    if unknown := [option for option in options if option not in allowed]:
        raise FrontEndError(f"{name} has no option {', '.join(unknown)}; allowed: {', '.join(allowed)}")
    made: FrontEnd = kind(**options)
    return made


def _audible(path: Path, signals: Images, *, shown: Images | None = None) -> Images:
    """Return the rows of ``shown`` (or of the signals themselves) whose signal is not silent."""
    loud = level_dbfs(signals) >= PatchConfig.silence_dbfs
    if not loud.any():
        limit = f"below {PatchConfig.silence_dbfs:g} dBFS"
        raise SilentAudio(f"{display_name(path)}: every part listened to is silent ({limit})")
    kept: Images = (signals if shown is None else shown)[loud]
    return kept


def _fingerprint(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _check_numbers(choices: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a number of the wrong kind or outside of its range; whole ranges want whole numbers."""
    for name, (low, high) in ranges.items():
        value = getattr(choices, name)
        kinds = (int,) if isinstance(low, int) else (int, float)
        # Written so that NaN is refused too.
        if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
            what = "a whole number" if isinstance(low, int) else "a number"
            raise FrontEndError(f"{name} must be {what} between {low:g} and {high:g}, got {value!r}")
