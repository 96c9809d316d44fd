"""GTZAN (Tzanetakis and Cook 2002): ``genres/<genre>/<genre>.00000.wav|au``, with an honest split."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.datasets.labelled_tracks import LabelledTrack, LayoutError, Progress, SkippedFile, find_labels
from training.datasets.near_copies import find_recordings
from training.folds import artist_folds, group_tracks

ROOTS = ("genres", "genres_original", "Data/genres_original")
SUFFIXES = (".wav", ".au", ".mp3", ".flac", ".ogg")
# The published fault-filtered lists (Kereliuk, Sturm and Larsen 2015).
LISTS = {"train": "train_filtered.txt", "validation": "valid_filtered.txt", "test": "test_filtered.txt"}
ARTISTS = "GTZANindex.txt"
N_PARTS, N_TEST, N_VALIDATION = 10, 3, 2
_NAME = re.compile(r"(?P<genre>.+)\.(?P<number>\d{5})")

Parts = dict[str, str]


def find_gtzan(data: Path) -> Path | None:
    """Return the folder that holds the genres' folders, or None."""
    roots = (data, *(data / name for name in ROOTS))
    return next((root for root in roots if root.is_dir() and _looks_right(root)), None)


def read_gtzan(
    root: Path, data: Path, labels: Sequence[str], seed: int, *, progress: Progress | None = None
) -> tuple[list[LabelledTrack], list[SkippedFile], tuple[str, ...]]:
    """Return the tracks with their parts, the files left out, and how the split was made."""
    genres = [folder for folder in sorted(root.iterdir()) if folder.is_dir() and folder.name[0] != "."]
    wanted = find_labels(labels, [folder.name for folder in genres], kind="genre")
    artists = _read_artists(data, root)
    tracks: list[LabelledTrack] = []
    skipped: list[SkippedFile] = []
    for folder in genres:
        if not wanted or folder.name in wanted:
            for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
                if _is_of(path, folder.name):
                    artist, title = artists.get(path.stem, ("", ""))
                    tracks.append(LabelledTrack(path, folder.name, artist, title or path.stem))
                else:
                    said = f"{path.name} is not called {folder.name}.<5 digits> with a suffix of audio"
                    skipped.append(SkippedFile(path, "extra_file", said))
    tracks = _with_blocks(tracks)
    published = _read_lists(data, root)
    if published:
        return *_published(tracks, skipped, published, root, wanted), (_PUBLISHED_NOTE,)
    tracks, copies = _without_copies(tracks, progress)
    note = _ARTIST_NOTE if artists else _BLOCK_NOTE
    return _generated(tracks, seed), skipped + copies, (note,)


_PUBLISHED_NOTE = "split by the published fault-filtered lists, which repeat no artist and no recording"
_ARTIST_NOTE = f"split by the artists in {ARTISTS}: none is on two sides; copies are used once"
_BLOCK_NOTE = (
    f"neither the fault-filtered lists ({', '.join(LISTS.values())}) nor {ARTISTS} is there, so nobody knows "
    "the artists: the split keeps blocks of neighbouring numbers together, since the collection is filed in "
    "runs of one artist, and uses copies of a recording once; an artist may still be on two sides, so the "
    "figures may be too good"
)


def _looks_right(root: Path) -> bool:
    folders = (path for path in root.iterdir() if path.is_dir())
    return any(_is_of(path, folder.name) for folder in folders for path in folder.iterdir())


def _is_of(path: Path, genre: str) -> bool:
    found = _NAME.fullmatch(path.stem)
    return path.suffix.lower() in SUFFIXES and found is not None and found["genre"] == genre


def _places(data: Path, root: Path) -> tuple[Path, ...]:
    """Where lists may lie: beside the folder of genres, in the data set's own folder, or among the genres."""
    return (data, root.parent, root)


def _read_lists(data: Path, root: Path) -> Parts:
    """Return stem -> part by the published lists; empty when none is there."""
    for place in _places(data, root):
        there = {part: place / name for part, name in LISTS.items() if (place / name).is_file()}
        if there:
            if missing := {"train", "test"} - there.keys():
                names = ", ".join(LISTS[part] for part in sorted(missing))
                raise LayoutError(f"{place} holds only some of the lists of the split: add {names}")
            return {
                Path(line.strip().replace("\\", "/")).stem: part
                for part, path in there.items()
                for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
                if line.strip()
            }
    return {}


def _read_artists(data: Path, root: Path) -> dict[str, tuple[str, str]]:
    """Return stem -> (artist, title) by Sturm's index, whose lines are ``file ::: artist ::: title``."""
    path = next((p / ARTISTS for p in _places(data, root) if (p / ARTISTS).is_file()), None)
    if path is None:
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    cells = ([cell.strip() for cell in re.split(r":{2,}", line)] for line in lines if line[:1] != "#")
    return {Path(row[0]).stem: (row[1], row[2]) for row in cells if len(row) >= 3}


def _with_blocks(tracks: Sequence[LabelledTrack]) -> list[LabelledTrack]:
    """File each track under a tenth of its genre's numbers, as if that were an album."""
    blocked = []
    for genre in sorted({track.label for track in tracks}):
        own = [track for track in tracks if track.label == genre]
        size = -(-len(own) // N_PARTS)
        for start in range(0, len(own), size):
            block = own[start : start + size]
            album = f"{block[0].path.stem} to {block[-1].path.stem}"
            blocked += [replace(track, album=album) for track in block]
    return blocked


def _published(
    tracks: Sequence[LabelledTrack],
    skipped: Sequence[SkippedFile],
    parts: Mapping[str, str],
    root: Path,
    wanted: Sequence[str],
) -> tuple[list[LabelledTrack], list[SkippedFile]]:
    there = {track.path.stem for track in tracks}
    left_out = [
        SkippedFile(track.path, "not_in_split", f"{track.path.name} is in none of the split's lists")
        for track in tracks
        if track.path.stem not in parts
    ]
    listed = [(stem.partition(".")[0], stem) for stem in sorted(parts.keys() - there)]
    gone = [
        SkippedFile(root / genre / stem, "missing_file", f"{stem} is in the split's lists but not there")
        for genre, stem in listed
        if not wanted or genre in wanted
    ]
    kept = [replace(t, part=parts[t.path.stem]) for t in tracks if t.path.stem in parts]
    return kept, [*skipped, *left_out, *gone]


def _without_copies(
    tracks: Sequence[LabelledTrack], progress: Progress | None
) -> tuple[list[LabelledTrack], list[SkippedFile]]:
    """Keep the first of each recording: the collection has many copies, which must not be on two sides."""
    first: dict[int, LabelledTrack] = {}
    copies = []
    recordings = find_recordings([track.path for track in tracks], progress=progress)
    for track, recording in zip(tracks, recordings.tolist(), strict=True):
        other = first.setdefault(recording, track)
        if other is not track:
            said = f"{track.path.name} holds the same recording as {other.path.name}"
            copies.append(SkippedFile(track.path, "copy", said))
    return list(first.values()), copies


def _generated(tracks: Sequence[LabelledTrack], seed: int) -> list[LabelledTrack]:
    """Give half of each genre to train, a fifth to validation and the rest to test, artists undivided."""
    if not tracks:
        return []
    labels = sorted({track.label for track in tracks})
    membership = np.array([[track.label == label for label in labels] for track in tracks])
    grouping = group_tracks(membership, artists=[t.artist for t in tracks], albums=[t.album for t in tracks])
    folds = artist_folds(membership, grouping.keys, n_folds=N_PARTS, seed=seed)
    n_folds = int(folds.max()) + 1
    n_test, n_validation = (max(round(n * n_folds / N_PARTS), 1) for n in (N_TEST, N_VALIDATION))
    part_of = ["train"] * n_folds
    if n_folds > 2:
        part_of[: n_test + n_validation] = ["test"] * n_test + ["validation"] * n_validation
    elif n_folds == 2:
        part_of[0] = "test"
    return [replace(track, part=part_of[fold]) for track, fold in zip(tracks, folds.tolist(), strict=True)]
