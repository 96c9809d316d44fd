"""What is written is read again, and nothing that is read can crash the reader."""

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommender.errors import SourceError
from recommender.records.rows import GUID, ISRC, MBID, RELEASE_GROUP, SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.reading import read_playlists
from recommender.sources.files.writing import PlaylistFormat, UnknownFormat, write_playlist
from recommender.sources.rows.names import clean_text
from recommender.sources.rows.names import split_artist_title as parted

LISTS_OF_PLACES = (PlaylistFormat.M3U8, PlaylistFormat.PLS)
# What these keep is in test_dj_writing.py.
OF_DJS = (PlaylistFormat.REKORDBOX, PlaylistFormat.TRAKTOR, PlaylistFormat.SERATO)
N_EXAMPLES = 25

TEXT = st.text(max_size=30).map(clean_text)
NAMED = TEXT.filter(bool)
FILE_NAME = st.text(min_size=1, max_size=20).filter(
    lambda name: "/" not in name and "\0" not in name and name.strip(".") and can_encode(name)
)
ISRC_VALUE = st.from_regex(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", fullmatch=True)
MBID_VALUE = st.uuids().map(str)
SPOTIFY_VALUE = st.from_regex(r"spotify:track:[A-Za-z0-9]{22}", fullmatch=True)


def can_encode(text: str) -> bool:
    """Lone surrogates stand for bytes of file names; other ones than those are in no name."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == text


@st.composite
def rows(draw: st.DrawFn) -> SourceRow:
    schemes = {ISRC: ISRC_VALUE, MBID: MBID_VALUE, SPOTIFY: SPOTIFY_VALUE}
    chosen = draw(st.lists(st.sampled_from(sorted(schemes)), unique=True).map(sorted))
    parts = draw(st.lists(FILE_NAME, min_size=1, max_size=4))
    places = {
        "path": "/" + "/".join(parts) if draw(st.booleans()) else None,
        "url": "https://x.example/" + draw(st.from_regex(r"[a-z0-9%?=&.#-]{0,20}", fullmatch=True)),
    }
    return SourceRow(
        title=draw(NAMED),
        artist=draw(TEXT),
        album=draw(TEXT),
        duration_s=draw(st.none() | st.integers(1, 86_400).map(float)),
        identities=tuple((scheme, draw(schemes[scheme])) for scheme in chosen),
        path=places["path"],
        url=places["url"] if places["path"] is None or draw(st.booleans()) else None,
        released=draw(st.sampled_from(["", "1999", "1999-05", "1999-05-31"])),
    )


def read_back(playlist: SourcePlaylist, written_as: PlaylistFormat) -> SourcePlaylist:
    [read] = read_playlists(write_playlist(playlist, written_as), name="other")
    return read


def kept(row: SourceRow, written_as: PlaylistFormat) -> SourceRow:
    """What a format can say of a row."""
    if written_as in LISTS_OF_PLACES:
        place = {"url": None} if row.path else {}
        row = replace(row, identities=(), released="", **place)
        return replace(row, album="") if written_as is PlaylistFormat.PLS else row
    return row if written_as is PlaylistFormat.CSV else replace(row, released="")


@pytest.mark.parametrize("written_as", [f for f in PlaylistFormat if f not in (PlaylistFormat.PLS, *OF_DJS)])
@given(found=st.lists(rows(), max_size=5), name=NAMED)
@example(found=[SourceRow("a - b", url="https://x"), SourceRow("t", ";", url="https://x")], name="x")
@example(
    found=[SourceRow("t", path="/\\/ "), SourceRow("t", path="/#%41 \n"), SourceRow("t", path="/\udce9")],
    name="x",
)
@settings(max_examples=N_EXAMPLES, deadline=None)
def test_what_is_written_is_read_again(written_as: PlaylistFormat, found: list[SourceRow], name: str) -> None:
    read = read_back(SourcePlaylist(name, "any", tuple(found)), written_as)
    assert read.rows == tuple(kept(row, written_as) for row in found)
    assert read.skipped == ()
    if found or written_as is not PlaylistFormat.CSV:  # whose rows carry the name
        assert read.name == name


@given(found=st.lists(rows(), max_size=5))
@settings(max_examples=N_EXAMPLES, deadline=None)
def test_pls_keeps_names_that_a_dash_can_part(found: list[SourceRow]) -> None:
    clear = [row for row in found if parted(f"{row.artist} - {row.title}") == (row.artist, row.title)]
    read = read_back(SourcePlaylist("mine", "any", tuple(clear)), PlaylistFormat.PLS)
    assert (read.name, read.rows) == ("mine", tuple(kept(row, PlaylistFormat.PLS) for row in clear))


def test_every_identity_survives_where_identifiers_are_addresses() -> None:
    named = ((RELEASE_GROUP, "cd2e7c47-16f5-46c6-a37c-a1eb7bf599ff"), (GUID, "tag:x,2026:1"))
    playlist = SourcePlaylist("new", "feed", (SourceRow("T", "A", identities=named),))
    for written_as in (PlaylistFormat.XSPF, PlaylistFormat.JSPF):
        assert read_back(playlist, written_as).rows == playlist.rows


def test_a_row_without_a_place_is_a_remark_in_a_list_of_places() -> None:
    playlist = SourcePlaylist("new", "feed", (SourceRow("T", "A"), SourceRow("U", "B", path="/u.mp3")))
    written = write_playlist(playlist, "m3u8").decode()
    assert "# nothing to play: A - T\n" in written
    assert [row.title for row in read_back(playlist, PlaylistFormat.M3U8).rows] == ["U"]
    assert [row.title for row in read_back(playlist, PlaylistFormat.PLS).rows] == ["U"]


def test_no_value_can_add_lines_or_be_calculated() -> None:
    row = SourceRow("=1+1\n#EXTM3U", "a\r\nb", url="https://x.example/\n/etc/passwd", path=None)
    playlist = SourcePlaylist("x\n#EXT-X-VERSION:3", "feed", (row,))
    assert write_playlist(playlist, "m3u8").decode().splitlines() == [
        *("#EXTM3U", "#PLAYLIST:x #EXT-X-VERSION:3", "# nothing to play: a b - =1+1 #EXTM3U")
    ]
    assert write_playlist(playlist, "csv").decode().splitlines()[1].startswith("'=1+1 #EXTM3U,a b,")
    assert "location" not in json.loads(write_playlist(playlist, "jspf"))["playlist"]["track"][0]


def test_an_unknown_format_is_refused_with_those_known() -> None:
    with pytest.raises(
        UnknownFormat, match="'doc'; there are m3u8, xspf, jspf, csv, pls, rekordbox, nml, crate"
    ):
        write_playlist(SourcePlaylist("x", "any", ()), "doc")


PIECES = st.sampled_from(
    [
        *(b"#EXTM3U\n", b"#EXTINF:1,A - B\n", b"#EXT", b"[playlist]\n", b"File1=", b"a.mp3\n", b"C:\\x\n"),
        *(
            b"<playlist>",
            b"</playlist>",
            b"<trackList><track>",
            b"<title>",
            b"<?xml version='1.0' encoding='",
        ),
        *(b"utf-7'?>", b"utf-16'?>", b"hex'?>", b"<plist>", b"<dict>", b"</dict>", b"<array>", b"</array>"),
        *(b"<key>Tracks</key>", b"<key>Playlists</key>", b"<DJ_PLAYLISTS>", b"<NODE Type='1'>", b"</NODE>"),
        *(b"<TRACK Key='1'/>", b"&#0;", b"{", b"}", b"[", b"]", b'"playlists":', b'"playlist":', b'"track":'),
        *(
            b'"items":',
            b"null,",
            b"1e999",
            b"title,artist\n",
            b'"',
            b"Track URI;Track Name\n",
            b"spotify:track:",
        ),
        *(
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"PK\x03\x04",
            b"\0",
            b"\xe9",
            b"\r",
            b"\n",
            b"file://%ff%00/x",
            b"https://[",
        ),
    ]
)


@given(
    data=st.binary(max_size=200) | st.lists(PIECES, max_size=12).map(b"".join),
    name=st.sampled_from(["a", "a.csv", "a.m3u"]),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_file_holds_it_is_read_or_refused(data: bytes, name: str) -> None:
    try:
        found = read_playlists(data, name=name)
    except SourceError as error:
        assert str(error)
        return
    for playlist in found:
        assert playlist.name
        assert all(text.isprintable() for row in playlist.rows for text in (row.title, row.artist, row.album))
        for written_as in PlaylistFormat:
            write_playlist(playlist, written_as)


@given(
    at=st.integers(0, 5_000),
    value=st.integers(0, 255),
    written_as=st.sampled_from(PlaylistFormat),
    cut=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_read_or_refused(
    at: int, value: int, written_as: PlaylistFormat, cut: bool
) -> None:
    whole = tuple(SourceRow(f"T{n}", f"A{n}", path=f"/m/{n}.mp3", duration_s=9.0) for n in range(20))
    data = bytearray(write_playlist(SourcePlaylist("mine", "any", whole), written_as))
    data[at % len(data)] = value
    try:
        read_playlists(bytes(data[: at % len(data)] if cut else data), name="x")
    except SourceError as error:
        assert str(error)


def test_names_of_files_keep_their_form() -> None:
    """Whether "é" is one character or two is for whoever compares names to overlook."""
    path = "/m/" + unicodedata.normalize("NFD", "é.mp3")
    playlist = SourcePlaylist("x", "any", (SourceRow("T", "A", path=path),))
    assert all(read_back(playlist, f).rows[0].path == path for f in PlaylistFormat)
