"""Which column of a table holds what: by its heading, by its values, by the library, or as a person said."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from recommender.errors import UnreadableSource
from recommender.sources.files.column_values import Kind, kind_of
from recommender.sources.rows.hints import Hints, What
from recommender.sources.rows.names import clean_text

# What a column is called, without case, spaces and signs; the first that a file has is read.
COLUMNS = {
    "title": ("trackname", "title", "tracktitle", "songname", "songtitle", "name", "track", "song"),
    "artist": ("artistnames", "artistname", "artists", "artist", "trackartist", "creator"),
    "album": ("albumname", "album", "albumtitle"),
    "playlist": ("playlistname", "playlist"),
    "duration_ms": ("trackdurationms", "durationms"),
    "duration": ("durations", "durationseconds", "duration", "tracklength", "length", "time"),
    "released": ("albumreleasedate", "releasedate", "released", "year"),
    "isrc": ("isrc", "trackisrc"),
    "mbid": ("musicbrainzrecordingid", "recordingmbid", "mbid"),
    "from_spotify": ("trackuri", "spotifyuri", "spotifyid", "spotifytrackid", "spotifyurl", "uri"),
    "spotify": ("spotifytrack",),
    "path": ("path", "filepath", "location", "file", "filename"),
    "url": ("url", "trackurl", "link"),
    "type": ("type",),
}
CHOSEN = ("title", "artist", "album", "isrc")  # what a person can say of a column
NAMING = frozenset(("title", "isrc", "mbid", "from_spotify", "path"))
_BY_KIND = {
    Kind.TRACK_URI: "from_spotify",
    Kind.ISRC: "isrc",
    Kind.MBID: "mbid",
    Kind.PATH: "path",
    Kind.MILLISECONDS: "duration_ms",
    Kind.CLOCK: "duration",
    Kind.DATE: "released",
}
# How headings begin or end in other languages; values and the library decide where these are silent.
_STEMS = {
    "artist": (
        *(
            "artist",
            "artiest",
            "kunstler",
            "interpret",
            "sanatc",
            "wykonawc",
            "umelec",
            "esittaj",
            "performer",
        ),
        *(
            "исполнит",
            "артист",
            "καλλιτεχν",
            "فنان",
            "אמן",
            "アーティスト",
            "歌手",
            "艺人",
            "藝人",
            "가수",
            "아티스트",
        ),
    ),
    "album": ("album", "альбом", "αλμπουμ", "ألبوم", "אלבום", "アルバム", "专辑", "專輯", "앨범"),
    "title": (
        *(
            "titel",
            "titl",
            "titre",
            "titul",
            "titol",
            "track",
            "song",
            "cancion",
            "chanson",
            "faixa",
            "brano",
        ),
        *("nummer", "latnamn", "sarki", "parca", "utwor", "tytul", "skladb", "kappale", "название", "трек"),
        *(
            "песн",
            "τραγουδ",
            "κομματ",
            "أغنية",
            "שיר",
            "曲",
            "トラック名",
            "タイトル",
            "歌名",
            "歌曲",
            "곡",
            "제목",
        ),
    ),
}
_BESIDE = {Kind.TRACK_URI: "title", Kind.ARTIST_URI: "artist", Kind.ALBUM_URI: "album"}
_NAMES = {"title": What.TITLE, "artist": What.ARTIST, "album": What.ALBUM}
_NEIGHBOUR, _STEM, _KNOWN, _SURE, _MARGIN = 3.0, 2.0, 3.0, 2.0, 1.0
_MAX_TEXTS, _N_ASKED = 10, 200
_NOBODY = -1
_NAMED = re.compile(rf"(?:^|,)\s*({'|'.join(CHOSEN)})\s*=")


@dataclass(frozen=True)
class Columns:
    """Column -> its places from 0, several where artists stand one by one; ``is_sure`` if enough is known."""

    places: Mapping[str, tuple[int, ...]]
    is_sure: bool


def find_columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], hints: Hints, chosen: Mapping[str, int]
) -> Columns:
    """What the columns hold, from their headings and their first rows.

    ``chosen`` is what a person said: column -> place, -1 for a column that the file lacks.
    """
    said = {column: (place,) for column, place in chosen.items() if place != _NOBODY}
    places = _without(by_heading(head), said, chosen)
    cells_of = _columns_of(rows, len(head))
    kinds = [kind_of(cells) for cells in cells_of]
    taken = {place for found in places.values() for place in found}
    for place, kind in enumerate(kinds):
        column = _BY_KIND.get(kind)
        is_id = kind is Kind.MILLISECONDS and fold_heading(head[place]).endswith("id")
        known = {column, str(column).removesuffix("_ms")} & places.keys()
        if column and place not in taken and not known and not is_id:
            places[column] = (place,)
            taken.add(place)
    if chosen:
        return Columns(places, is_sure=True)
    wanted = [column for column in _NAMES if column not in places]
    texts = [place for place, kind in enumerate(kinds) if kind is Kind.TEXT and place not in taken]
    table = _Judged(head, cells_of, kinds, tuple(texts[:_MAX_TEXTS]), hints)
    guessed, is_sure = table.guess(wanted) if wanted and texts else ({}, True)
    places |= {column: (place,) for column, place in guessed.items()}
    return Columns(places, is_sure=is_sure and bool(NAMING & places.keys()) and len(places) > 1)


def parse_columns(text: str) -> dict[str, str]:
    """``title=2, artist=Interpret`` -> column -> its number from 1, or its heading.

    Raises
    ------
    UnreadableSource
        It says nothing of the kind.
    """
    before, *named = _NAMED.split(text)
    found = dict(zip(named[::2], (value.strip().strip(",").strip() for value in named[1::2]), strict=True))
    if before.strip() or not found or not all(found.values()):
        example = "title=2,artist=1, by number or heading"
        raise UnreadableSource(f"{text[:100]!r} does not say which column is {', '.join(CHOSEN)}: {example}")
    return found


def by_heading(head: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The columns whose headings are known."""
    folded = [fold_heading(heading) for heading in head]
    bare = [heading.rstrip("0123456789") for heading in folded]
    found: dict[str, tuple[int, ...]] = {}
    for column, names in COLUMNS.items():
        known = next((name for name in names if name in folded), None)
        if known is not None:
            found[column] = (folded.index(known),)
        elif column == "artist" and (known := next((name for name in names if name in bare), None)):
            found[column] = tuple(place for place, name in enumerate(bare) if name == known)
    return found


def fold_heading(heading: str) -> str:
    """A heading without case, spaces and signs, by which it is known again."""
    return "".join(character for character in heading.casefold() if character.isalnum())


def is_data(head: Sequence[str], rows: Sequence[Sequence[str]], hints: Hints) -> bool:
    """Whether the first line holds a track already: the like of what stands below it, or known names."""
    kinds = [kind_of(cells) for cells in _columns_of(rows, len(head))]
    said = [(kind, cell) for kind, cell in zip(kinds, head, strict=True) if cell.strip()]
    typed = [(kind, cell) for kind, cell in said if kind not in (Kind.TEXT, Kind.EMPTY)]
    if typed:
        return all(_is_like(kind, cell) for kind, cell in typed)
    texts = [clean_text(cell) for _, cell in said]
    return hints.count_known(texts, What.ARTIST) > 0 and hints.count_known(texts, What.TITLE) > 0


def _is_like(kind: Kind, cell: str) -> bool:
    found = kind_of([cell])
    numbers = (Kind.NUMBER, Kind.MILLISECONDS, Kind.FLAG, Kind.DATE)
    return found is kind or (found in numbers and kind in numbers)


def _columns_of(rows: Sequence[Sequence[str]], n_columns: int) -> list[list[str]]:
    return [[row[place] if place < len(row) else "" for row in rows] for place in range(n_columns)]


def _without(
    found: dict[str, tuple[int, ...]], said: Mapping[str, tuple[int, ...]], chosen: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    """What was found, but for what a person said otherwise."""
    used = {place for places in said.values() for place in places}
    kept = {column: places for column, places in found.items() if column not in chosen}
    return {column: places for column, places in kept.items() if not used & set(places)} | dict(said)


@dataclass(frozen=True)
class _Judged:
    """The columns of a table, ``texts`` those that may hold names."""

    head: Sequence[str]
    cells: Sequence[Sequence[str]]
    kinds: Sequence[Kind]
    texts: tuple[int, ...]
    hints: Hints

    def guess(self, wanted: Sequence[str]) -> tuple[dict[str, int], bool]:
        """Wanted column -> its place, and whether title and artist stand out among all ways to choose."""
        scores = self._score(wanted)
        choices = set(permutations([*self.texts, *[_NOBODY] * len(wanted)], len(wanted)))
        totals = {choice: _sum(scores, wanted, choice) for choice in choices}
        best = max(totals, key=lambda choice: totals[choice])
        found = {
            column: place
            for column, place in zip(wanted, best, strict=True)
            if place != _NOBODY and scores[column, place] >= _SURE - 0.5
        }
        needed = [number for number, column in enumerate(wanted) if column != "album"]
        rivals = [
            total
            for choice, total in totals.items()
            if any(choice[number] != best[number] for number in needed)
        ]
        stands_out = not rivals or totals[best] - max(rivals) >= _MARGIN
        return found, stands_out and all(wanted[number] in found for number in needed)

    def _score(self, wanted: Sequence[str]) -> dict[tuple[str, int], float]:
        """How much speaks for each column at each place; earlier places are a little likelier."""
        scores = {(column, place): -0.01 * place for column in wanted for place in self.texts}
        beside: set[str] = set()
        for place in self.texts:
            stem = _stem_of(self.head[place])
            if (stem, place) in scores:
                scores[stem, place] += _STEM
            column = _BESIDE.get(self.kinds[place - 1], "") if place else ""
            if (column, place) in scores:
                # The artists of the album come after those of the track.
                scores[column, place] += _NEIGHBOUR if column not in beside else 0.0
                beside.add(column)
        for column in wanted:
            known = {
                place: _share_known(self.cells[place], self.hints, _NAMES[column]) for place in self.texts
            }
            first, second, *_ = [*sorted(known.values(), reverse=True), 0.0]
            for place, share in known.items():
                stands_out = share > 0 and share == first >= 2 * second
                scores[column, place] += share + _KNOWN * stands_out
        return scores


def _sum(scores: Mapping[tuple[str, int], float], wanted: Sequence[str], choice: Sequence[int]) -> float:
    return sum(scores.get((column, place), 0.0) for column, place in zip(wanted, choice, strict=True))


def _stem_of(heading: str) -> str:
    """Which name a heading speaks of; one that speaks of an album's artist speaks of none."""
    parts = unicodedata.normalize("NFKD", heading.casefold())
    plain = "".join(c for c in parts if not unicodedata.combining(c)).replace("ı", "i")
    found = {column for column, stems in _STEMS.items() if any(stem in plain for stem in stems)}
    if {"artist", "album"} <= found:
        return ""
    return next((column for column in ("artist", "album", "title") if column in found), "")


def _share_known(cells: Iterable[str], hints: Hints, what: What) -> float:
    """Share of a column's texts that the library has by this name; one alone says nothing."""
    texts = [text for cell in cells if (text := clean_text(cell))]
    distinct = list(dict.fromkeys(text.partition(";")[0] for text in texts))[:_N_ASKED]
    n_known = hints.count_known(distinct, what)
    return n_known / len(distinct) if n_known > 1 else 0.0
