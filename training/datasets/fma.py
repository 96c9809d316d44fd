"""The Free Music Archive's data set (Defferrard et al. 2017): ``tracks.csv`` and ``000/000002.mp3``."""

import ast
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training.datasets.labelled_tracks import LabelledTrack, LayoutError, SkippedFile, find_labels

SUBSETS = ("small", "medium", "large", "full")
PARTS = {"training": "train", "validation": "validation", "test": "test"}
TRACKS, GENRES, METADATA = "tracks.csv", "genres.csv", "fma_metadata"
# Some biographies of tracks.csv are longer than what the csv module takes by itself.
_LONGEST_FIELD = 1 << 24
_COLUMNS = {
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "top": ("track", "genre_top"),
    "genres": ("track", "genres"),
    "title": ("track", "title"),
    "artist": ("artist", "name"),
    "album": ("album", "title"),
}
_NEEDED = ("split", "subset", "top", "genres", "artist")


@dataclass(frozen=True)
class FmaPlaces:
    """Where the parts of the data set lie."""

    tracks_csv: Path
    audio: Path


@dataclass(frozen=True)
class _Row:
    """One line of tracks.csv, as far as it is of use."""

    track_id: int
    said: Mapping[str, str]
    genre_ids: tuple[int, ...]


def find_fma(data: Path) -> FmaPlaces | None:
    """Return where tracks.csv and the numbered folders are, in ``data`` or beside it; None if nowhere."""
    audio = next((folder for folder in (data, *_folders(data)) if _is_audio_root(folder)), None)
    beside = () if audio != data else (data.parent, data.parent / METADATA)
    places = (data, data / METADATA, *beside)
    tracks_csv = next((place / TRACKS for place in places if _has_header(place / TRACKS)), None)
    return FmaPlaces(tracks_csv, audio or data) if tracks_csv else None


def read_fma(
    places: FmaPlaces, labels: Sequence[str], subset: str
) -> tuple[list[LabelledTrack], list[SkippedFile], tuple[str, ...]]:
    """Return the tracks of the wanted genres, the files left out, and notes.

    Parameters
    ----------
    labels : titles of genres at any depth; without any, the top genres
    subset : one of :data:`SUBSETS`; empty for the smallest that holds every file found
    """
    if subset and subset not in SUBSETS:
        raise LayoutError(f"there is no subset {subset!r}; there are: {', '.join(SUBSETS)}")
    rows = _read_tracks(places.tracks_csv)
    files = _find_files(places.audio)
    subset = subset or _smallest_subset(rows, files)
    tree = _Genres.read(places.tracks_csv.with_name(GENRES))
    rows_in = {
        number: row for number, row in rows.items() if _level(row.said["subset"]) <= SUBSETS.index(subset)
    }
    tops = {row.said["top"] for row in rows_in.values()} - {""}
    wanted = find_labels(labels, {*tops, *tree.titles.values()}, kind="genre") if labels else sorted(tops)
    tracks, skipped = (
        [],
        [
            SkippedFile(path, "not_in_list", f"{path.name} is not in {TRACKS}")
            for number, path in sorted(files.items())
            if number not in rows
        ],
    )
    for number, row in sorted(rows_in.items()):
        path = files.get(number, track_file(places.audio, number))
        found = tree.labels_of(row, wanted)
        if len(found) == 1:
            tracks.append(_track(path, row, found[0]))
        elif found:
            said = f"{path.name} is {' and '.join(found)}, none of which holds the other"
            skipped.append(SkippedFile(path, "several_labels", said))
    return tracks, skipped, (f"FMA {subset}, {len(tracks)} tracks of {len(wanted)} genres in {TRACKS}",)


def track_file(audio: Path, track_id: int) -> Path:
    """Where the clip of a track lies: track 2 at ``000/000002.mp3``."""
    name = f"{track_id:06d}"
    return audio / name[:3] / f"{name}.mp3"


def _track(path: Path, row: _Row, label: str) -> LabelledTrack:
    said = row.said
    return LabelledTrack(
        path,
        label,
        artist=said["artist"],
        title=said["title"] or path.stem,
        album=said["album"],
        part=PARTS.get(said["split"], ""),
    )


@dataclass(frozen=True)
class _Genres:
    """The tree of genres: of each its title and its parent, 0 at the top."""

    titles: Mapping[int, str]
    parents: Mapping[int, int]

    @classmethod
    def read(cls, path: Path) -> "_Genres":
        if not path.is_file():
            return cls({}, {})
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = list(csv.DictReader(file))
            return cls(
                {int(line["genre_id"]): line["title"].strip() for line in lines},
                {int(line["genre_id"]): int(line["parent"] or 0) for line in lines},
            )
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise LayoutError(f"{path} cannot be read as FMA's list of genres: {error!r}") from error

    def labels_of(self, row: _Row, wanted: Sequence[str]) -> list[str]:
        """Return the wanted genres of a track, without those that hold another one of them.

        Where several remain, the track's top genre decides if it is one of them.
        """
        lines = [self._line(genre_id) for genre_id in row.genre_ids] or [[]]
        found: list[str] = []
        for line in lines:
            titles = [*line, row.said["top"]]
            nearest = next((title for title in titles if title in wanted), None)
            if nearest and nearest not in found:
                found.append(nearest)
        above = {title for line in lines for title in _above(line, wanted)}
        if len(found) > 1:
            found = [title for title in found if title not in above] or found
        return [row.said["top"]] if len(found) > 1 and row.said["top"] in found else found

    def _line(self, genre_id: int) -> list[str]:
        """Return the titles from a genre up to the top one."""
        line: list[int] = []
        while genre_id and genre_id in self.titles and genre_id not in line:
            line.append(genre_id)
            genre_id = self.parents[genre_id]
        return [self.titles[number] for number in line]


def _above(line: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return the wanted genres of a line that stand above another wanted one."""
    return [title for title in line if title in wanted][1:]


def _folders(data: Path) -> list[Path]:
    return sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))


def _is_audio_root(folder: Path) -> bool:
    return any(re.fullmatch(r"\d{3}", inner.name) for inner in _folders(folder))


def _find_files(audio: Path) -> dict[int, Path]:
    paths = (path for folder in _folders(audio) for path in folder.glob("*.mp3"))
    return {int(path.stem): path for path in paths if re.fullmatch(r"\d{6,}", path.stem)}


def _level(subset: str) -> int:
    return SUBSETS.index(subset) if subset in SUBSETS else len(SUBSETS) - 1


def _smallest_subset(rows: Mapping[int, _Row], files: Mapping[int, Path]) -> str:
    return SUBSETS[
        max((_level(rows[number].said["subset"]) for number in files if number in rows), default=0)
    ]


def _has_header(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _columns(csv.reader(file)) is not None
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def _columns(lines: Iterator[list[str]]) -> dict[str, int] | None:
    """Read the three rows of the header; return the column of each name we use, None if it is another."""
    header = [next(lines, []) for _ in range(3)]
    if header[2][:1] != ["track_id"]:
        return None
    places = {pair: column for column, pair in enumerate(zip(header[0], header[1], strict=False))}
    columns = {name: places[pair] for name, pair in _COLUMNS.items() if pair in places}
    return columns if set(_NEEDED) <= columns.keys() else None


def _read_tracks(path: Path) -> dict[int, _Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file, _long_fields():
            lines = csv.reader(file)
            columns = _columns(lines) or {}
            return {row.track_id: row for line in lines if line for row in [_read_row(line, columns)]}
    except (OSError, ValueError, IndexError, SyntaxError, csv.Error) as error:
        raise LayoutError(f"{path} cannot be read as FMA's list of tracks: {error}") from error


def _read_row(line: Sequence[str], columns: Mapping[str, int]) -> _Row:
    said = {name: line[columns[name]].strip() if name in columns else "" for name in _COLUMNS}
    genre_ids = ast.literal_eval(said["genres"] or "[]")
    return _Row(int(line[0]), said, tuple(int(number) for number in genre_ids))


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)
