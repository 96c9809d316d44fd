"""Tracks, artists, identities and files in the catalogue."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.files import (
    add_library_root,
    failed_files,
    folder_tracks,
    forget_files,
    known_files,
    list_library_roots,
    record_failed_file,
    record_file,
    track_of_content,
    track_of_file,
    track_paths,
)
from recommender.catalogue.models import catalogue_counts
from recommender.catalogue.tracks import (
    delete_track,
    find_track,
    list_tracks,
    parse_reference,
    tracks_by_id,
    upsert_track,
)
from recommender.errors import NoSuchTrack
from recommender.records.tracks import FailedFile, KnownFile, TrackFacts, TrackInfo

FACTS = TrackFacts(title="Title", artist="Artist", album="Album", duration_s=12.5, content_sha256="c0ffee")


def add(database: Database, facts: TrackFacts, **options: bool) -> int:
    with database.session() as session:
        return upsert_track(session, facts, **options)


def get(database: Database, reference: str | int) -> TrackInfo:
    with database.read_session() as session:
        return find_track(session, reference)


def record(database: Database, path: str | bytes, facts: TrackFacts = FACTS, *, size: int = 1) -> int:
    with database.session() as session:
        return record_file(session, Path(os.fsdecode(path)), size=size, mtime_ns=2**62, facts=facts)


def test_a_track_comes_back_as_it_went_in(database: Database) -> None:
    track_id = add(database, replace(FACTS, licence="CC BY 4.0"))
    found = get(database, track_id)
    assert found == TrackInfo(
        id=track_id,
        title="Title",
        artist_id=found.artist_id,
        artist="Artist",
        album="Album",
        duration_s=12.5,
        source="file",
        licence="CC BY 4.0",
        trainable=True,
        path=None,
        artists=("Artist",),
    )


def test_the_same_content_is_one_track_with_the_latest_facts(database: Database) -> None:
    first = add(database, replace(FACTS, identities=(("isrc", "USABC1234567"),)))
    retagged = replace(FACTS, title="New", artist="Other", identities=(("isrc", "USABC7654321"),))
    assert add(database, retagged) == first
    assert (get(database, first).title, get(database, first).artist) == ("New", "Other")
    assert get(database, "isrc:USABC7654321").id == first
    with pytest.raises(NoSuchTrack):
        get(database, "isrc:USABC1234567")
    assert add(database, replace(FACTS, content_sha256="0ther")) != first


def test_a_length_that_is_not_stated_does_not_erase_one_that_was(database: Database) -> None:
    track_id = add(database, FACTS)
    add(database, replace(FACTS, duration_s=None))
    assert get(database, track_id).duration_s == 12.5


@pytest.mark.parametrize("spelling", ["ARTIST", " artist ", "Ａｒｔｉｓｔ", "arTist"])
def test_an_artist_is_one_whatever_the_case_width_and_spacing(database: Database, spelling: str) -> None:
    first = get(database, add(database, FACTS))
    other = get(database, add(database, replace(FACTS, artist=spelling, content_sha256="2")))
    assert other.artist_id == first.artist_id
    assert other.artist == "Artist"


def test_different_artists_are_told_apart(database: Database) -> None:
    names = ["Artist", "Artíst", "Artist & Co", ""]
    ids = [add(database, replace(FACTS, artist=name, content_sha256=name)) for name in names]
    assert len({get(database, track_id).artist_id for track_id in ids}) == len(names)
    assert get(database, ids[-1]).artist == "unknown artist"


@pytest.mark.parametrize(
    ("reference", "parsed"),
    [
        (17, ("id", "17")),
        (" 17 ", ("id", "17")),
        ("isrc:us-abc 12-34567", ("isrc", "USABC1234567")),
        ("mbid:B1A9C0E9-d987", ("mbid", "b1a9c0e9-d987")),
        ("spotify:track:6rqhFgbbKwnb9MLmUQDhG6", ("spotify", "6rqhFgbbKwnb9MLmUQDhG6")),
        ("https://open.spotify.com/track/6rqhFgb?si=1", ("spotify", "6rqhFgb")),
        ("https://open.spotify.com/intl-de/track/6rqhFgb", ("spotify", "6rqhFgb")),
    ],
)
def test_references_are_understood(reference: str | int, parsed: tuple[str, str]) -> None:
    assert parse_reference(reference) == parsed


@pytest.mark.parametrize(
    "reference", ["", "isrc:", "/music/a.mp3", "spotify:album:x", "99999999999", "²", "http://x", "-1"]
)
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(NoSuchTrack, match="is no track reference"):
        parse_reference(reference)


def test_identities_lead_to_the_track(database: Database) -> None:
    identities = (("isrc", "us-abc-12-34567"), ("mbid", "B1A9C0E9-D987"), ("spotify", "AbC"))
    track_id = add(database, replace(FACTS, identities=identities))
    for reference in ("isrc:USABC1234567", "mbid:b1a9c0e9-d987", "spotify:track:AbC", str(track_id)):
        assert get(database, reference).id == track_id
    for reference in ("spotify:track:abc", "isrc:USABC1234568", track_id + 1):
        with pytest.raises(NoSuchTrack, match="no track in the catalogue answers to"):
            get(database, reference)


def test_of_two_tracks_with_one_isrc_the_older_answers(database: Database) -> None:
    isrc = (("isrc", "USABC1234567"),)
    first = add(database, replace(FACTS, identities=isrc))
    add(database, replace(FACTS, identities=isrc, content_sha256="the radio edit"))
    assert get(database, "isrc:USABC1234567").id == first


def test_rows_from_spotify_are_not_trainable_unless_allowed(database: Database) -> None:
    row = TrackFacts(title="t", artist="a", source="spotify", identities=(("spotify", "one"),))
    track_id = add(database, row)
    assert get(database, track_id).trainable is False
    assert add(database, row) == track_id
    other = replace(row, identities=(("spotify", "two"),))
    assert get(database, add(database, other, allow_spotify=True)).trainable is True


def test_tracks_are_listed_by_id_in_pages_and_searched(database: Database) -> None:
    titles = ["Alpha", "100% Beta", "gamma_1", "gammaX1", "ÄRGER"]
    ids = [add(database, replace(FACTS, title=title, content_sha256=title)) for title in titles]

    def listed(**options: object) -> list[str]:
        with database.read_session() as session:
            return [track.title for track in list_tracks(session, **options)]  # type: ignore[arg-type]

    assert listed() == titles
    assert listed(limit=2) == titles[:2]
    assert listed(after_id=ids[1], limit=2) == titles[2:4]
    assert listed(query="ALPHA") == ["Alpha"]
    assert listed(query="100%") == ["100% Beta"]
    assert listed(query="gamma_") == ["gamma_1"]
    assert listed(query="artist") == titles
    assert listed(query="nobody") == []


def test_tracks_by_id_leaves_out_what_is_not_there(database: Database) -> None:
    ids = [add(database, replace(FACTS, content_sha256=str(number))) for number in range(3)]
    with database.read_session() as session:
        found = tracks_by_id(session, [ids[2], ids[0], 999])
        assert tracks_by_id(session, []) == {}
    assert found == {track_id: get(database, track_id) for track_id in (ids[0], ids[2])}


def test_more_ids_than_a_statement_holds(database: Database) -> None:
    track_id = add(database, FACTS)
    with database.read_session() as session:
        assert list(tracks_by_id(session, [*range(100_000, 140_000), track_id])) == [track_id]


def test_deleting_a_track_takes_everything_about_it(database: Database) -> None:
    track_id = record(database, "/m/a.mp3", replace(FACTS, identities=(("isrc", "USABC1234567"),)))
    other = record(database, "/m/b.mp3", replace(FACTS, content_sha256="2", artist="Other"))
    with database.session() as session:
        delete_track(session, track_id)
        with pytest.raises(NoSuchTrack):
            delete_track(session, track_id)
    with database.read_session() as session:
        counts = catalogue_counts(session)
        assert list(known_files(session, Path("/m"))) == [b"/m/b.mp3"]
        assert [track.id for track in list_tracks(session)] == [other]
    assert (counts.n_tracks, counts.n_artists, counts.n_files) == (1, 1, 1)
    with pytest.raises(NoSuchTrack):
        get(database, "isrc:USABC1234567")


def test_an_artist_stays_while_another_track_needs_it(database: Database) -> None:
    first, second = add(database, FACTS), add(database, replace(FACTS, content_sha256="2"))
    with database.session() as session:
        delete_track(session, first)
    assert get(database, second).artist == "Artist"


def test_files_below_a_folder_and_nothing_beside_it(database: Database) -> None:
    for number, path in enumerate(
        ("/m/a.mp3", "/m/b/c.mp3", "/m-2/d.mp3", "/m0.mp3", "/n.mp3", b"/m/\xff.mp3")
    ):
        record(database, path, replace(FACTS, content_sha256=str(number)))
    with database.read_session() as session:
        assert set(known_files(session, Path("/m"))) == {b"/m/a.mp3", b"/m/b/c.mp3", b"/m/\xff.mp3"}
        assert set(known_files(session, Path("/m/b/c.mp3"))) == {b"/m/b/c.mp3"}
        assert len(known_files(session, Path("/"))) == 6


def test_a_file_is_known_by_size_time_and_outcome(database: Database) -> None:
    track_id = record(database, "/m/a.mp3", size=2**40)
    with database.session() as session:
        record_failed_file(
            session, Path("/m/b.mp3"), size=3, mtime_ns=4, code="silent_audio", error="silence\0"
        )
    with database.read_session() as session:
        assert known_files(session, Path("/m")) == {
            b"/m/a.mp3": [KnownFile(2**40, 2**62, track_id, None, None)],
            b"/m/b.mp3": [KnownFile(3, 4, None, "silent_audio", "silence?")],
        }
        assert failed_files(session, Path("/m")) == [FailedFile("/m/b.mp3", "silent_audio", "silence?")]
    record(database, "/m/b.mp3", replace(FACTS, content_sha256="mended"))
    with database.read_session() as session:
        assert failed_files(session, Path("/m")) == []


def test_the_first_path_names_a_track_whatever_the_order_of_reading(database: Database) -> None:
    for order in (("/m/a.mp3", "/m/b.mp3"), ("/n/b.mp3", "/n/a.mp3")):
        content = order[0]
        for path in order:
            record(database, path, replace(FACTS, title=Path(path).stem, content_sha256=content))
        with database.read_session() as session:
            track_id = track_of_content(session, content)
        assert get(database, track_id or 0).title == "a"


def test_a_forgotten_file_leaves_its_track_for_the_next_place(database: Database) -> None:
    track_id = record(database, "/m/old.mp3")
    with database.session() as session:
        forget_files(session, [b"/m/old.mp3"])
        assert folder_tracks(session, Path("/m")) == []
    assert get(database, track_id).path is None
    assert record(database, "/m/new.mp3", replace(FACTS, title="renamed")) == track_id
    assert (get(database, track_id).title, get(database, track_id).path) == ("renamed", "/m/new.mp3")


def test_tracks_of_a_folder_come_by_path_and_once(database: Database) -> None:
    second = record(database, "/m/b.mp3", replace(FACTS, content_sha256="b"))
    first = record(database, "/m/a.mp3", replace(FACTS, content_sha256="a"))
    record(database, "/m/c.mp3", replace(FACTS, content_sha256="a"))
    with database.read_session() as session:
        assert folder_tracks(session, Path("/m")) == [first, second]
        assert track_paths(session, [second, first, 99]) == {
            first: Path("/m/a.mp3"),
            second: Path("/m/b.mp3"),
        }
        assert track_of_file(session, Path("/m/c.mp3")).id == first
        with pytest.raises(NoSuchTrack, match=r"/m/d\.mp3"):
            track_of_file(session, Path("/m/d.mp3"))


def test_library_roots_are_kept_once_and_resolved(database: Database, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff")
    odd.mkdir()
    (tmp_path / "link").symlink_to(odd)
    with database.session() as session:
        for path in (odd, tmp_path / "link", tmp_path):
            add_library_root(session, path)
    with database.read_session() as session:
        assert list_library_roots(session) == (tmp_path, odd)
