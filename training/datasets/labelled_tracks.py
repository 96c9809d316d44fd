"""What a data set hands to a recipe: labelled tracks, and the files left out, each with a reason."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from embeddings.audio import AudioLimits, read_windows
from embeddings.errors import EmbeddingError
from recommender.errors import RecommenderError

Progress = Callable[[int, int, str], None]

# How much of a file is decoded to see whether it holds audio.
PROBE_S = 1.0
PROBE_RATE_HZ = 16_000


class LayoutError(RecommenderError):
    """A folder is not laid out as was asked; the message says what was seen and what helps."""

    code = "bad_layout"


class TooFewTracks(RecommenderError):
    """So little of a data set can be used that nothing can be learnt or judged."""

    code = "too_few_tracks"


@dataclass(frozen=True)
class LabelledTrack:
    """One audio file and its label.

    ``artist`` and ``album`` are empty where nobody knows them; ``part`` is train, validation or test where
    the data set comes with a split, else empty.
    """

    path: Path
    label: str
    artist: str
    title: str
    album: str = ""
    part: str = ""


@dataclass(frozen=True)
class SkippedFile:
    """A file that was left out; ``code`` is stable, ``reason`` a sentence."""

    path: Path
    code: str
    reason: str


@dataclass(frozen=True)
class LabelledTracks:
    """A data set as it can be used; ``notes`` say what a reader of its figures has to know."""

    tracks: tuple[LabelledTrack, ...]
    skipped: tuple[SkippedFile, ...]
    layout: str
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have tracks, by name."""
        return tuple(sorted({track.label for track in self.tracks}))


def split_unheard(
    tracks: Sequence[LabelledTrack], *, shortest_s: float, progress: Progress | None = None
) -> tuple[list[LabelledTrack], list[SkippedFile]]:
    """Part the tracks whose files hold audio of at least ``shortest_s`` from the files that do not."""
    heard: list[LabelledTrack] = []
    skipped: list[SkippedFile] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding lets the other threads run
        found = pool.map(lambda track: _fault(track.path, shortest_s), tracks)
        for number, (track, fault) in enumerate(zip(tracks, found, strict=True), start=1):
            if fault is None:
                heard.append(track)
            else:
                skipped.append(fault)
            if progress:
                progress(number, len(tracks), "looking at the files")
    return heard, skipped


def _fault(path: Path, shortest_s: float) -> SkippedFile | None:
    limits = AudioLimits(shortest_s=shortest_s)
    if not path.exists():
        return SkippedFile(path, "missing_file", f"{path.name} is not there")
    try:
        read_windows(path, window_s=PROBE_S, max_windows=1, sample_rate_hz=PROBE_RATE_HZ, limits=limits)
    except EmbeddingError as error:
        return SkippedFile(path, error.code, str(error))
    return None


def check_enough(
    data: Path, tracks: Iterable[LabelledTrack], labels: Sequence[str], *, fewest: int, n_skipped: int
) -> None:
    """Refuse a data set with fewer than two labels, or a label with fewer than ``fewest`` tracks."""
    counts = Counter(track.label for track in tracks)
    left_out = f"; {n_skipped} files were left out" if n_skipped else ""
    wanted = labels or sorted(counts)
    if len(wanted) < 2:
        raise TooFewTracks(f"{data} has {len(wanted)} labels with audio, at least 2 are needed{left_out}")
    poor = [f"{label} has {counts[label]}" for label in wanted if counts[label] < fewest]
    if poor:
        raise TooFewTracks(
            f"too few tracks in {data}: {', '.join(poor)}, at least {fewest} are needed{left_out}"
        )


def find_labels(wanted: Sequence[str], known: Iterable[str], *, kind: str) -> tuple[str, ...]:
    """Return the known spelling of each wanted label.

    Raises
    ------
    LayoutError
        One is unknown (the message lists those that are there), or is named twice.
    """
    spelling = {name.casefold(): name for name in known}
    unknown = [name for name in wanted if name.casefold() not in spelling]
    if unknown:
        there = ", ".join(sorted(spelling.values())) or "none"
        raise LayoutError(f"there is no {kind} {', '.join(map(repr, unknown))}; there are: {there}")
    found = tuple(spelling[name.casefold()] for name in wanted)
    if len(set(found)) < len(found):
        raise LayoutError(f"a {kind} is named twice in {', '.join(wanted)}")
    return found
