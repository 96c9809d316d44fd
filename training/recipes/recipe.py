"""An experiment as one value: which data, what is heard, which network, how it is trained and judged."""

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from training.learning.config import TrainingConfig
from training.recipes.front_ends import MelImages, WaveformImages
from training.recipes.values import BadRecipe, make, set_value, write_toml

RECIPES = Path(__file__).parent
RECIPE_FILE = "recipe.toml"
PIECES_OF_A_TRACK = 120

Layout = Literal["auto", "folder", "fma", "gtzan"]
FrontEndName = Literal["mel", "waveform"]
NetworkKind = Literal["heads", "encoder", "waveform_cnn", "cnn2d", "resnet", "conv1d_lstm", "crnn"]
CurveMode = Literal["heads", "frozen", "finetune", "scratch"]
Figure = Literal["accuracy", "precision_at_1", "precision_at_2", "precision_at_3"]


@dataclass(frozen=True)
class Target:
    """A published figure to beat, and what it was measured on."""

    figure: Figure
    value: float
    measured_on: str


@dataclass(frozen=True)
class DataChoices:
    """Which tracks take part.

    Attributes
    ----------
    subset : str
        Of the FMA; empty for the smallest that holds every file there.
    labels : tuple of str
        Genres (sub-genres too) or playlists to tell apart; none named means all of the data set.
    fma_genres : tuple of str
        The same where the data is laid out as the FMA is and ``labels`` names none.
    liked : str
        One label against all others together, which then count as one.
    tracks_per_label : int
        At most so many tracks of a label, drawn by the seed; 0 takes all.
    """

    layout: Layout = "auto"
    subset: Literal["", "small", "medium", "large", "full"] = ""
    labels: tuple[str, ...] = ()
    fma_genres: tuple[str, ...] = ()
    liked: str = ""
    tracks_per_label: int = 0


@dataclass(frozen=True)
class FrontEndChoices:
    """What the network is shown of a track: ``name`` says which of the two, the tables how each is made."""

    name: FrontEndName = "mel"
    mel: MelImages = field(default_factory=MelImages)
    waveform: WaveformImages = field(default_factory=WaveformImages)

    @property
    def chosen(self) -> MelImages | WaveformImages:
        """The front end that ``name`` names."""
        return self.mel if self.name == "mel" else self.waveform

    def in_pieces(self, seconds: float) -> "FrontEndChoices":
        """Return the same front end with images of another length, as many as a track has."""
        if self.name == "mel":
            return replace(self, mel=replace(self.mel, clip_s=seconds, max_images=PIECES_OF_A_TRACK))
        return replace(self, waveform=replace(self.waveform, clip_s=seconds, max_images=PIECES_OF_A_TRACK))


@dataclass(frozen=True)
class NetworkChoices:
    """Which network learns.

    ``heads`` is the service as it answers at once: the base encoder as it is, and heads fitted on it.
    ``encoder`` is the service's trainer, in the mode that ``training.mode`` names. The others are the
    networks of the experiments, trained from nothing, whose ``width`` and ``depth`` are their own where 0.
    """

    kind: NetworkKind = "encoder"
    width: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        for name, value, most in (("width", self.width, 1024), ("depth", self.depth, 12)):
            if not 0 <= value <= most:
                raise BadRecipe(f"network.{name} must lie between 0 and {most}, got {value}")


@dataclass(frozen=True)
class JudgingChoices:
    """How it is judged.

    Attributes
    ----------
    published_split : bool
        Use the data set's own training, validation and test parts where it has them.
    training_tracks_per_label : int
        Learn from so many tracks of each label only, and be asked for all others; 0 learns from all.
    vote : {"mean", "majority"}
        How the answers to a track's images become the track's: mean probability, or one vote each.
    compare : tuple of str
        Other choices to judge on the same folds, each ``key=value; key=value``.
    leak_piece_s : float
        Also show what splitting the tracks into pieces of this length before the folds would claim; 0 not.
    """

    n_folds: int = 5
    published_split: bool = True
    training_tracks_per_label: int = 0
    vote: Literal["mean", "majority"] = "mean"
    compare: tuple[str, ...] = ()
    leak_piece_s: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= self.n_folds <= 50:
            raise BadRecipe(f"judging.n_folds must lie between 2 and 50, got {self.n_folds!r}")


@dataclass(frozen=True)
class CurveChoices:
    """Accuracy against how many tracks of each label are learnt from; no counts means no curve."""

    counts: tuple[int, ...] = ()
    modes: tuple[CurveMode, ...] = ("heads", "frozen", "finetune", "scratch")
    n_draws: int = 2

    def __post_init__(self) -> None:
        if list(self.counts) != sorted(set(self.counts)) or any(count < 1 for count in self.counts):
            raise BadRecipe(f"curve.counts must be rising whole numbers from 1, got {list(self.counts)}")
        if not 1 <= self.n_draws <= 100:
            raise BadRecipe(f"curve.n_draws must lie between 1 and 100, got {self.n_draws!r}")


@dataclass(frozen=True)
class Recipe:
    """One experiment. ``about`` says what it is, ``wants`` which data in which layout."""

    name: str
    title: str
    about: str
    wants: str
    to_beat: tuple[Target, ...] = ()
    data: DataChoices = field(default_factory=DataChoices)
    front_end: FrontEndChoices = field(default_factory=FrontEndChoices)
    network: NetworkChoices = field(default_factory=NetworkChoices)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    judging: JudgingChoices = field(default_factory=JudgingChoices)
    curve: CurveChoices = field(default_factory=CurveChoices)

    def __post_init__(self) -> None:
        by_service = self.network.kind in ("heads", "encoder")
        if by_service and self.front_end != FrontEndChoices():
            raise BadRecipe(
                f"network.kind {self.network.kind!r} hears the service's own front end only: add"
                " --set front_end={}, or choose another network"
            )
        if by_service and self.judging.leak_piece_s:
            raise BadRecipe(
                f"network.kind {self.network.kind!r} cannot be shown pieces: add --set judging.leak_piece_s=0"
                " or choose another network"
            )

    def variants(self) -> tuple["Recipe", ...]:
        """Return the recipes that this one is compared with."""
        plain = replace(self.judging, compare=(), leak_piece_s=0.0)
        alone = replace(self, judging=plain, curve=CurveChoices())
        return tuple(alone.but(*_split(choice)) for choice in self.judging.compare)

    def but(self, *settings: str) -> "Recipe":
        """Return the recipe with some ``key=value`` settings in place, through the same door as a file."""
        table = asdict(self)
        for setting in settings:
            table = set_value(table, setting)
        return make(Recipe, table)

    def summary(self) -> str:
        """Return what ``whichlist experiment --list`` says of it."""
        beat = "; ".join(
            f"{target.value:.0%} {target.figure.replace('_at_', '@')} ({target.measured_on})"
            for target in self.to_beat
        )
        lines = (self.about, f"Wants: {self.wants}.", f"To beat: {beat or 'no figure was published'}.")
        return "\n".join([f"{self.name}: {self.title}", *(f"    {line}" for line in lines)])

    def to_toml(self) -> str:
        """Return the recipe with every choice written out."""
        return write_toml(asdict(self))


def list_recipes() -> tuple[Recipe, ...]:
    """Return the recipes that come with the program, by name."""
    return tuple(read_recipe(path) for path in sorted(RECIPES.glob("*.toml")))


def load_recipe(name: str, *, settings: Sequence[str] = ()) -> Recipe:
    """Return a recipe by its name, or by the path of a TOML file of one's own.

    Raises
    ------
    BadRecipe
    """
    path = RECIPES / f"{name}.toml"
    if name.endswith(".toml"):
        path = Path(name)
    elif not path.is_file():
        known = ", ".join(sorted(found.stem for found in RECIPES.glob("*.toml")))
        raise BadRecipe(f"there is no recipe {name!r}; there are {known}, or name a TOML file of your own")
    recipe = read_recipe(path).but(*settings)
    recipe.variants()  # a mistake in them is to be heard of now, not after an hour
    return recipe


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in a file; its name is the file's unless it says otherwise."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRecipe(f"{path} cannot be read as a recipe: {error}") from error
    try:
        return make(Recipe, {"name": path.stem} | table)
    except BadRecipe as error:
        raise BadRecipe(f"{path.name}: {error}") from error


def _split(choice: str) -> list[str]:
    return [part.strip() for part in choice.split(";") if part.strip()]
