"""Which column holds what: by headings, values, the library, or a person, who is asked where none says it."""

from collections.abc import Collection, Mapping, Sequence

import pytest

from recommender.errors import UnreadableSource
from recommender.records.rows import ISRC, SPOTIFY, SourceRow
from recommender.sources.files.column_values import Kind, kind_of
from recommender.sources.files.csv_columns import parse_columns
from recommender.sources.files.csv_exports import UnknownColumns, open_table, read_csv
from recommender.sources.rows.hints import NO_HINTS, Hints, What
from tests.playlist_exports import LANGUAGES, TRACKS, exportify, table

ISRC_1 = "USUM71900764"


class Library:
    """Knows the tracks of the exports, and what it was told."""

    def __init__(self) -> None:
        self.said: dict[str, dict[str, int]] = {}

    def count_known(self, texts: Collection[str], *what: What) -> int:
        names = {
            What.ARTIST: {track.artist for track in TRACKS},
            What.TITLE: {track.title for track in TRACKS},
            What.ALBUM: {track.album for track in TRACKS},
            What.FILE: set[str](),
        }
        return sum(any(text in names[kind] for kind in what) for text in texts)

    def columns_of(self, head: str) -> Mapping[str, int] | None:
        return self.said.get(head)

    def note_columns(self, head: str, columns: Mapping[str, int]) -> None:
        self.said[head] = dict(columns)


def read(data: bytes | str, hints: Hints = NO_HINTS, **chosen: str) -> tuple[SourceRow, ...]:
    text = data if isinstance(data, str) else data.decode("utf-8-sig")
    [playlist] = read_csv(text, name="mine", folder=None, hints=hints, chosen=chosen or None)
    return playlist.rows


def names(rows: Sequence[SourceRow]) -> list[tuple[str, str, str]]:
    return [(row.artist, row.title, row.album) for row in rows]


def lines(*rows: Sequence[str]) -> bytes:
    return table(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_exportify_needs_no_library_in_any_language(language: str) -> None:
    rows = read(exportify(language))
    assert names(rows) == [tuple(track) for track in TRACKS]
    assert {row.duration_s for row in rows} == {25.0} and {row.released for row in rows} == {"2020-01-01"}
    assert all(row.identity(SPOTIFY) for row in rows)


def test_without_addresses_beside_them_the_library_tells_artist_and_album() -> None:
    short = exportify("a language of its own", short=True)
    assert names(read(short, Library())) == [tuple(track) for track in TRACKS]
    with pytest.raises(UnknownColumns) as caught:
        read(short)
    assert caught.value.preview.guess["title"] == 1


def test_what_came_from_spotify_is_so_in_every_language() -> None:
    for language in LANGUAGES:
        [playlist] = read_csv(exportify(language).decode("utf-8-sig"), name="x", folder=None)
        assert playlist.source == SPOTIFY


def test_a_file_without_a_head_is_read_where_the_library_knows_its_values() -> None:
    bare = lines(*((track.title, track.artist, track.album) for track in TRACKS))
    rows = read(bare, Library())
    assert names(rows) == [tuple(track) for track in TRACKS]


def test_a_head_is_missed_where_the_first_line_is_like_the_others() -> None:
    rows = [
        (f"spotify:track:{n:022}", t.title, f"spotify:artist:{n:022}", t.artist) for n, t in enumerate(TRACKS)
    ]
    assert [row.title for row in read(lines(*rows))] == [track.title for track in TRACKS]


def test_ids_of_services_are_no_lengths() -> None:
    rows = [("Track name", "Artist name", "Tidal - id"), *((t.title, t.artist, "77813456") for t in TRACKS)]
    assert {row.duration_s for row in read(lines(*rows))} == {None}


def test_artists_that_stand_one_by_one_are_joined() -> None:
    [row] = read(
        lines(("Song Title", "Artist Name 1", "Artist Name 2", "Artist Name 3"), ("T", "A", "B", ""))
    )
    assert row.artist == "A, B"


def test_the_artist_of_the_album_is_not_the_artist() -> None:
    head = ("Titre", "Artiste de l'album", "Artiste")
    [row] = read(lines(head, ("T", "Divers", "A")))
    assert (row.title, row.artist) == ("T", "A")


UNCLEAR = (("Werk", "Wer", "Woraus", "Kennung"), ("T", "A", "Al", ISRC_1), ("U", "B", "Al", ""))


class TestAPerson:
    def test_is_shown_the_first_rows_and_a_guess(self) -> None:
        with pytest.raises(UnknownColumns) as caught:
            read(lines(*UNCLEAR))
        preview = caught.value.preview
        assert preview.head == UNCLEAR[0] and preview.rows == UNCLEAR[1:]
        assert preview.guess == {"isrc": 3}
        assert "'Werk', 'Wer', 'Woraus', 'Kennung'" in str(caught.value)

    @pytest.mark.parametrize(
        "said",
        [
            {"title": "1", "artist": "2", "album": "3"},
            {"title": "werk", "artist": "Wer", "album": " WORAUS "},
        ],
    )
    def test_says_it_by_number_or_heading(self, said: dict[str, str]) -> None:
        rows = read(lines(*UNCLEAR), **said)
        assert names(rows) == [("A", "T", "Al"), ("B", "U", "Al")]
        assert rows[0].identities == ((ISRC, ISRC_1),)  # by its values

    def test_says_it_once_for_all_files_of_this_head(self) -> None:
        library = Library()
        read(lines(*UNCLEAR), library, title="1", artist="2")
        again = lines(UNCLEAR[0], ("V", "C", "", ""))
        assert names(read(again, library)) == [("C", "V", "")]
        with pytest.raises(UnknownColumns):
            read(lines(UNCLEAR[0][::-1], ("", "", "C", "V")), library)

    def test_has_the_last_word_against_headings_but_not_about_spotify(self) -> None:
        head = ("Track URI", "Track Name", "Artist Name")
        data = lines(head, (f"spotify:track:{1:022}", "really the artist", "really the title"))
        text = data.decode("utf-8-sig")
        [playlist] = read_csv(text, name="x", folder=None, chosen={"title": "3", "artist": "2"})
        assert names(playlist.rows) == [("really the artist", "really the title", "")]
        assert playlist.source == SPOTIFY

    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            ({"title": "9"}, "no column '9' for title; it has 1 Werk, 2 Wer"),
            ({"title": "Lied"}, "no column 'Lied'"),
            ({"genre": "1"}, "a column can be title, artist, album, isrc"),
        ],
    )
    def test_is_told_what_there_is(self, said: dict[str, str], sentence: str) -> None:
        with pytest.raises(UnreadableSource, match=sentence):
            read(lines(*UNCLEAR), **said)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("title=2,artist=1", {"title": "2", "artist": "1"}),
            ("artist=Nom, prénom,title = Titre", {"artist": "Nom, prénom", "title": "Titre"}),
            ("isrc=4", {"isrc": "4"}),
        ],
    )
    def test_writes_it_in_one_line(self, text: str, said: dict[str, str]) -> None:
        assert parse_columns(text) == said

    @pytest.mark.parametrize("text", ["2,1", "title=", "titel=2", "x,title=2", ""])
    def test_writes_something_else(self, text: str) -> None:
        with pytest.raises(UnreadableSource, match="by number or heading"):
            parse_columns(text)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([ISRC_1, "us-um7-19-00764", ""], Kind.ISRC),
        ([f"spotify:track:{1:022}"], Kind.TRACK_URI),
        ([f"https://open.spotify.com/track/{1:022}"], Kind.TRACK_URI),
        ([f"spotify:artist:{1:022}, spotify:artist:{2:022}"], Kind.ARTIST_URI),
        (["spotify:user:ada"], Kind.OTHER_URI),
        (["cd2e7c47-16f5-46c6-a37c-a1eb7bf599ff"], Kind.MBID),
        (["C:\\Music\\a.mp3", "/x/y.flac"], Kind.PATH),
        (["https://i.example/x.jpg"], Kind.ADDRESS),
        (["2024-01-02T03:04:05Z"], Kind.MOMENT),
        (["1999", "2020-01", "2020-01-02"], Kind.DATE),
        (["3:05", "1:02:03"], Kind.CLOCK),
        (["201000", "185421"], Kind.MILLISECONDS),
        (["77813456", "77813457"], Kind.NUMBER),
        (["50", "7", "0.5", "100%"], Kind.NUMBER),
        (["true", "false"], Kind.FLAG),
        (["", " "], Kind.EMPTY),
        (["99 Luftballons", "1979", "Money"], Kind.TEXT),
    ],
)
def test_values_show_what_they_are(cells: list[str], kind: Kind) -> None:
    assert kind_of(cells) is kind


def test_only_the_first_rows_are_judged() -> None:
    rows = [("Titel", "Interpret"), *((f"T{n}", "A") for n in range(5_000)), ("", "")]
    opened = open_table(lines(*rows).decode("utf-8-sig"))
    assert len(opened.preview.rows) == 5
    assert len(read(lines(*rows))) == 5_000
