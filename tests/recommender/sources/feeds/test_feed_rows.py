"""Rows of feeds: read from tables, kept as they are, and known again when they are the same recording."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import UnreadableSource
from recommender.feeds.same_recording import KnownRows, fold, merge_rows, row_keys
from recommender.records.feeds import BACK_OFF_S, FeedRow, back_off_s, read_row, row_values
from recommender.records.rows import ISRC, MBID, RELEASE_GROUP, SourceRow
from recommender.sources.feeds.reading import UnknownFeed, find_source
from recommender.sources.feeds.tables import read_csv, read_json_lines
from recommender.sources.feeds.watched_folder import FolderLook

MBID_A, MBID_B = (f"{digit * 8}-aaaa-4aaa-8aaa-aaaaaaaaaaaa" for digit in "12")
SONG = SourceRow(title="Déjà Vu (Live)", artist="The Band", duration_s=200.0)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
ROWS = st.builds(
    SourceRow,
    title=TEXT,
    artist=TEXT,
    album=TEXT,
    duration_s=st.none() | st.floats(0.5, 1e4),
    identities=st.lists(st.tuples(st.sampled_from([ISRC, MBID, "guid"]), TEXT), max_size=2).map(tuple),
    path=st.none() | st.binary(min_size=1, max_size=8).map(lambda name: "/" + os.fsdecode(name)),
    url=st.none() | TEXT.map(lambda end: f"https://a/{end}"),
)


@given(ROWS, TEXT, TEXT)
def test_a_row_comes_back_from_json_as_it_was(row: SourceRow, stamp: str, code: str) -> None:
    kept = FeedRow(row, stamp, code, "why" if code else "")
    assert read_row(row_values(kept)) == replace(kept, row=replace(row, url=row.url or None))


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (replace(SONG, title="deja vu - live", artist="THE BAND"), True),
        (replace(SONG, duration_s=202.5), True),
        (replace(SONG, duration_s=None), True),
        (replace(SONG, duration_s=210.0), False),
        (replace(SONG, title="Déjà Vu"), False),
        (replace(SONG, artist=""), False),
        (replace(SONG, path="/a.mp3"), True),
    ],
)
def test_names_and_duration_tell_recordings_apart(other: SourceRow, *, is_same: bool) -> None:
    known = KnownRows()
    known.add(SONG, "song")
    assert (known.find(other) == "song") is is_same


def test_a_registered_name_is_surer_than_words_and_may_forbid_them() -> None:
    known = KnownRows()
    known.add(replace(SONG, identities=((MBID, MBID_A),)), "song")
    renamed = SourceRow(title="Other words", artist="Somebody", identities=((MBID, MBID_A),))
    assert known.find(renamed) == "song"
    assert known.find(replace(SONG, identities=((MBID, MBID_B),))) is None
    assert known.find(replace(SONG, identities=((ISRC, "USABC1234567"),))) == "song"


def test_one_release_group_holds_each_of_its_titles_once() -> None:
    group = (RELEASE_GROUP, MBID_A)
    first, second = (SourceRow(title=title, artist="a", identities=(group,)) for title in ("One", "Two"))
    known = KnownRows()
    known.add(first, "first")
    assert known.find(replace(first, identities=(group, (MBID, MBID_B)))) == "first"
    assert known.find(second) is None
    assert row_keys(replace(first, identities=((MBID, MBID_B), group)))[0].startswith("release:")


@given(ROWS, ROWS)
def test_two_rows_are_the_same_whichever_comes_first(one: SourceRow, other: SourceRow) -> None:
    found = []
    for known_row, asked in ((one, other), (other, one)):
        known = KnownRows()
        known.add(known_row, "key")
        found.append(known.find(asked))
    assert found[0] == found[1]


@given(ROWS)
def test_a_row_is_known_again_and_merging_it_with_itself_changes_nothing(row: SourceRow) -> None:
    distinct = replace(row, identities=tuple(dict(row.identities).items()))
    assert merge_rows(distinct, distinct) == distinct
    assert merge_rows(SourceRow(), distinct) == distinct
    assert merge_rows(distinct, SourceRow()) == distinct
    known = KnownRows()
    known.add(row, "key")
    if row.url or row.path or (fold(row.artist) and fold(row.title)):
        assert known.find(row) == "key"


def test_csv_in_many_spellings(tmp_path: Path) -> None:
    text = (
        "\ufeffTrack Name;Artist;ISRC;recording_mbid;Duration;File;extra\r\n"
        f"One;A;us-abc-12-34567;{MBID_A};3:20;sub/one.mp3;x\r\n"
        "\r\n"
        '"Two; too";B;nonsense;nonsense;-1;https://example.org/two.mp3\r\n'
        ";;;;;;\r\n"
        ";;;;200;;only a duration\r\n"
    )
    one, two, nothing = read_csv(text.encode(), folder=tmp_path)
    assert one.row == SourceRow(
        title="One",
        artist="A",
        duration_s=200.0,
        identities=((ISRC, "USABC1234567"), (MBID, MBID_A)),
        path=str(tmp_path / "sub/one.mp3"),
    )
    assert (two.row.title, two.row.duration_s, two.row.identities) == ("Two; too", None, ())
    assert (two.row.url, two.row.path) == ("https://example.org/two.mp3", None)
    assert nothing.code == "names_nothing"
    with pytest.raises(UnreadableSource, match="names its columns"):
        read_csv(b"a,b\n1,2\n", folder=None)


def test_json_lines_with_lines_that_are_none() -> None:
    lines = [
        '{"title": "One", "artist": "A", "duration_ms": 200000, "path": "one.mp3"}',
        "[1, 2]",
        "{broken",
        '{"url": "https://example.org/x.mp3", "title": {"not": "text"}}',
        '{"url": "file:///etc/passwd"}',
    ]
    found = read_json_lines("\n".join(lines).encode(), folder=None)
    assert [row.code for row in found] == ["", "unreadable_row", "unreadable_row", "", "names_nothing"]
    # Without a folder a relative path means nothing.
    assert (found[0].row.path, found[0].row.duration_s, found[3].row.title) == (None, 200.0, "")
    with pytest.raises(UnreadableSource):
        read_json_lines(b"no json\nat all\n", folder=None)


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_refused(content: bytes) -> None:
    for read in (read_csv, read_json_lines):
        try:
            read(content, folder=None)
        except UnreadableSource:
            continue


def test_kinds_of_references(tmp_path: Path) -> None:
    for name in ("a.csv", "b.JSONL", "c.m3u8", "d.xspf", "e.txt"):
        (tmp_path / name).touch()
    kinds = {
        name: find_source(str(tmp_path / name)).kind for name in ("a.csv", "b.JSONL", "c.m3u8", "d.xspf")
    }
    assert kinds == {"a.csv": "csv", "b.JSONL": "jsonl", "c.m3u8": "playlist", "d.xspf": "playlist"}
    assert find_source(str(tmp_path)).kind == "folder"
    assert find_source("https://example.org/x.csv?token=1").kind == "csv"
    assert find_source("https://example.org/podcast").kind == "syndication"
    assert find_source("listenbrainz:fresh").kind == "server"
    for wrong in (str(tmp_path / "e.txt"), str(tmp_path / "missing"), "gopher://x", ""):
        if wrong:
            with pytest.raises(UnknownFeed):
                find_source(wrong)


def test_a_file_counts_once_two_looks_found_it_the_same(tmp_path: Path) -> None:
    path, old = tmp_path / "new.mp3", tmp_path / "old.mp3"
    old.write_bytes(b"whole")
    os.utime(old, (time.time() - 60,) * 2)
    look = FolderLook(tmp_path)
    path.write_bytes(b"ha")
    assert [row.row.path for row in look.look()] == [str(old)]
    path.write_bytes(b"half")
    assert [row.row.path for row in look.look()] == [str(old)]
    assert not look.is_settled
    assert [row.row.path for row in look.look()] == [str(path), str(old)]
    assert look.is_settled


def test_absences_are_waited_for_longer_and_longer() -> None:
    assert [back_off_s(tries) / 86_400 for tries in range(7)] == [1, 1, 3, 7, 30, 30, 30]
    assert max(BACK_OFF_S) == back_off_s(1000)
