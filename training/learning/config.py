"""Every choice of one training run, checked at the door."""

from dataclasses import dataclass, fields
from typing import Literal

Mode = Literal["frozen", "finetune", "scratch"]
MODES = ("frozen", "finetune", "scratch")


class TrainingError(Exception):
    """An encoder cannot be trained with these choices on these tracks."""

    code = "training_error"


class TrainingDiverged(TrainingError):
    """The loss stopped being a number; the last good checkpoint is kept."""

    code = "training_diverged"


@dataclass(frozen=True)
class TrainingConfig:
    """How an encoder is fitted to playlists.

    Attributes
    ----------
    mode : {"frozen", "finetune", "scratch"}
        New penultimate layer on the trunk as it is; trunk tuned too; a small network from nothing.
    n_units : int
        Columns of the new penultimate layer, which become the embedding's trunk view.
    learning_rate, trunk_learning_rate : float
        Of the new layers and of a pretrained trunk's middle; its front end gets a tenth of the latter.
    mixup : float
        Both parameters of the Beta distribution that mixes pairs of patches; 0 mixes nothing.
    spec_augment : bool
        Blank random stretches of time and of mel bands (Park et al. 2019).
    level_db, tilt_db : float
        Largest random change of level and of spectral balance, so that mastering tells nothing.
    low_pass_share : float
        Share of patches that lose their highest bands, so that a codec's bandwidth tells nothing.
    patches_per_track : int
        Patches drawn from each track in one epoch; frozen mode, which is cheap, uses all of them.
    patience : int
        Epochs without a better validation cross-entropy before the run stops.
    validation_share : float
        Share of tracks kept aside, whole artists at a time, to decide when to stop; 0 trains all epochs.
    max_seconds : float
        Time after which no further epoch begins.
    """

    mode: Mode = "frozen"
    n_units: int = 200
    warm_start: bool = True
    n_epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    trunk_learning_rate: float = 1e-4
    weight_decay: float = 1e-3
    dropout: float = 0.5
    label_smoothing: float = 0.1
    mixup: float = 0.3
    spec_augment: bool = True
    level_db: float = 6.0
    tilt_db: float = 3.0
    low_pass_share: float = 0.2
    class_weights: bool = True
    patches_per_track: int = 4
    patience: int = 10
    validation_share: float = 0.2
    max_seconds: float = 840.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise TrainingError(f"mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        for name, low, high in _RANGES:
            value = getattr(self, name)
            # Written so that NaN is refused too.
            if not low <= value <= high:
                raise TrainingError(f"{name} must lie between {low:g} and {high:g}, got {value!r}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and (not isinstance(value, int) or isinstance(value, bool)):
                raise TrainingError(f"{field.name} must be a whole number, got {value!r}")


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("n_units", 2, 4096),
    ("n_epochs", 1, 10_000),
    ("batch_size", 2, 4096),
    ("learning_rate", 1e-8, 1.0),
    ("trunk_learning_rate", 0.0, 1.0),
    ("weight_decay", 0.0, 1.0),
    ("dropout", 0.0, 0.95),
    ("label_smoothing", 0.0, 0.5),
    ("mixup", 0.0, 10.0),
    ("level_db", 0.0, 40.0),
    ("tilt_db", 0.0, 20.0),
    ("low_pass_share", 0.0, 1.0),
    ("patches_per_track", 1, 1000),
    ("patience", 1, 10_000),
    ("validation_share", 0.0, 0.5),
    ("max_seconds", 1.0, 1e7),
    ("seed", 0, 2**31 - 1),
)
