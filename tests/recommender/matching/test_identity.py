"""Which track a row means: the ladder of registered names, and the traps of names alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.catalogue.identities import NamedTrack
from recommender.catalogue.tracks import upsert_track
from recommender.matching.choice import choose, judge
from recommender.matching.identity import match_rows
from recommender.matching.known_names import KnownNames
from recommender.records.matches import Match, Method, Strength
from recommender.records.rows import ISRC, MBID, SourceRow
from recommender.records.tracks import TrackFacts
from tests.benchmarks.bench_matching import fill, judge_outcome
from tests.benchmarks.damaged_library import make_library
from tests.benchmarks.playlist_forms import pass_through_files
from tests.databases import sqlite_only

STRONG, MEDIUM, NONE = Strength.STRONG, Strength.MEDIUM, Strength.NONE
UUID = "0b9c3b1e-7a51-4d54-9a68-1a1e3c7f1b11"
Known = tuple[str, str, float | None]


def match_names(row: SourceRow, *known: Known, album: str = "") -> Match:
    """The match of a row in a library of (artist, title, seconds); ids count from 1."""
    tracks = [
        NamedTrack(number, title, artist, album, duration_s)
        for number, (artist, title, duration_s) in enumerate(known, start=1)
    ]
    return choose([judge(row, track, likeness) for track, likeness in KnownNames(tracks).find(row)])


def ask(artist: str, title: str, duration_s: float | None = None, *, album: str = "") -> SourceRow:
    return SourceRow(title=title, artist=artist, duration_s=duration_s, album=album)


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (("Beyoncé", "Halo", None), ("BEYONCE", "halo", 261)),
        (("The Beatles", "Help!", None), ("Beatles, The", "Help", 139)),
        (("David Bowie", "Heroes", None), ("Bowie, David", "“Heroes”", 371)),
        (("Simon & Garfunkel", "America", None), ("Simon and Garfunkel", "America", 215)),
        (("Daft Punk", "Get Lucky (feat. Pharrell Williams)", None), ("Daft Punk", "Get Lucky", 369)),
        (("Daft Punk feat. Pharrell", "Get Lucky", None), ("Daft Punk", "Get Lucky ft. Pharrell", 369)),
        (("Daft Punk, Pharrell", "Get Lucky", 369), ("Daft Punk", "Get Lucky", 368)),
        (("Queen", "Innuendo - Remastered 2011", None), ("Queen", "Innuendo", 390)),
        (("Pink Floyd", "Another Brick, Pt. 2", None), ("pink floyd", "Another Brick (Part II)", 239)),
        (("R. Kelly", "Ignition (Remix)", 186), ("R Kelly", "Ignition Remix", 186)),
        (("Band", "Song (Live at Leeds)", None), ("Band", "Song - Live from Leeds", 301)),
        (("Band", "Song (Live)", 300), ("Band", "Song [Live Version]", 301)),
        (("Eurythmics", "Sweet Dreams", 216), ("Eurythmics", "Sweet Dreams (Are Made of This)", 217)),
        (("Land of Oz", "Yellow Stone Road", None), ("Yellow Stone Road", "Land of Oz", 200)),
        (("", "Björk - Hyperballad", None), ("Bjork", "Hyper-Ballad", 321)),
        (("Björk", "Hyperballad", None), ("unknown artist", "03 Björk - Hyperballad", 321)),
        (("Band", "A Very Long Road to Nowhere at All", 200), ("Band", "A Very Long Road to Nowhe…", 201)),
        (("Metalica", "Nothing Else Matters", 388), ("Metallica", "Nothing Else Matters", 389)),
        (("Metallica", "Nothing Esle Matters", 388), ("Metallica", "Nothing Else Matters", 389)),
        (("東京事変", "群青日和", None), ("東京事変", "群青日和", 216)),
        (("Кино", "Группа крови", None), ("КИНО", "Группа Крови", 285)),
        (("AC/DC", "T.N.T.", None), ("ACDC", "TNT", 214)),
        (("!!!", "Heart of Hearts", None), ("!!!", "Heart Of Hearts", 356)),
    ],
)  # fmt: skip
def test_the_same_recording_in_other_words_is_found(asked: Known, known: Known) -> None:
    match = match_names(ask(*asked), ("Somebody", "Else", 200.0), known)
    assert (match.track_id, match.strength, match.method) == (2, STRONG, Method.NAMES)
    assert 0.8 <= match.score <= 1


@pytest.mark.parametrize(
    ("asked", "known", "strength"),
    [
        # A subset of the words is not the same name.
        (("Billie", "bad guy", 194), ("Billie", "bad guy (with Justin)", 194), MEDIUM),
        (("Billie", "bad guy (with Justin)", 194), ("Billie", "bad guy", 194), MEDIUM),
        (("Adele", "Hell", 200), ("Adele", "Hello", 200), NONE),
        # Versions must agree, however equal the lengths.
        (("Band", "Song", 200), ("Band", "Song (Live)", 200), MEDIUM),
        (("Band", "Song (Acoustic)", 200), ("Band", "Song", 200), MEDIUM),
        (("Band", "Song (Radio Edit)", 200), ("Band", "Song", 200), MEDIUM),
        (("Band", "Song (Ann Remix)", 200), ("Band", "Song (Bob Remix)", 200), MEDIUM),
        (("Band", "Song (Live at Leeds)", 200), ("Band", "Song (Live in Paris)", 200), MEDIUM),
        (("Band", "Song (Insturmental)", 200), ("Band", "Song", 200), MEDIUM),
        (("Band", "Song (feat. Ann)", 200), ("Band", "Song (feat. Bob)", 200), MEDIUM),
        # What is missing may be the version.
        (("Band", "A Long Title Cut (Live at…", None), ("Band", "A Long Title Cut", 200), MEDIUM),
        (("Band", "A Rather Long Title…", None), ("Band", "A Rather Long Title Indeed", 200), MEDIUM),
        (("Band", "Song (Live)", None), ("Band", "Song (Live in Paris)", 200), MEDIUM),
        # Parts and numbers.
        (("Band", "Wall, Pt. 1", 200), ("Band", "Wall, Pt. 2", 200), NONE),
        (("Band", "Symphony No. 5", 200), ("Band", "Symphony No. 7", 200), NONE),
        (("Band", "Wall", 200), ("Band", "Wall (Part II)", 200), NONE),
        # One title, two artists; one artist, two titles.
        (("Ann", "Hallelujah", 200), ("Bob", "Hallelujah", 200), NONE),
        (("Band", "Northern Ocean", 200), ("Band", "Northern Oceans", 200), MEDIUM),
        (("Earth", "September", None), ("Earth, Wind & Fire", "September", 215), MEDIUM),
        # Lengths.
        (("Band", "Song", 200), ("Band", "Song", 230), MEDIUM),
        (("Band", "Sweet Sleep", None), ("Band", "Sweet Sleep (Of Mine)", 200), MEDIUM),
        # No artist.
        (("", "Intro", None), ("Band", "Intro", 60), NONE),
        (("", "A Title Of Its Own", 61), ("Band", "A Title Of Its Own", 60), MEDIUM),
        (("Band", "Intro", None), ("unknown artist", "Intro", 60), NONE),
    ],
)
def test_what_is_not_sure_is_never_used(asked: Known, known: Known, strength: Strength) -> None:
    match = match_names(ask(*asked), known)
    assert (match.strength, match.track_id) == (strength, None if strength is NONE else 1)
    assert match.note


def test_of_several_versions_the_one_asked_for_is_found() -> None:
    titles = ("Song", "Song (Live at Leeds)", "Song (Live in Paris)", "Song - Ann Remix", "Song (Acoustic)")
    known = [("Band", title, 200.0) for title in titles]
    for number, title in enumerate(titles, start=1):
        match = match_names(ask("Band", title, 200), *known)
        assert (match.track_id, match.strength) == (number, STRONG), title


def test_lengths_tell_recordings_of_one_name_apart_and_without_them_nothing_is_guessed() -> None:
    known = (("Band", "Song", 200.0), ("Band", "Song", 260.0))
    assert match_names(ask("Band", "Song", 259), *known).track_id == 2
    match = match_names(ask("Band", "Song"), *known)
    assert (match.strength, match.note) == (MEDIUM, "2 tracks fit equally well")
    assert [entry.track_id for entry in match.alternatives] == [2]


def test_two_copies_of_one_recording_are_no_riddle_and_the_album_decides() -> None:
    tracks = [NamedTrack(n, "Song", "Band", album, 200.0 + n) for n, album in ((1, "Best of"), (2, "First"))]
    row = ask("Band", "Song", 200, album="First (Deluxe)")
    match = choose([judge(row, track, likeness) for track, likeness in KnownNames(tracks).find(row)])
    assert (match.track_id, match.strength) == (2, STRONG)


def test_an_album_stands_in_for_a_length_where_names_nearly_agree() -> None:
    row = ask("Band, Ann", "Song", album="First")
    assert match_names(row, ("Band", "Song", 200.0), album="First").strength is STRONG
    assert match_names(row, ("Band", "Song", 200.0), album="Second").strength is MEDIUM


def test_artists_with_very_many_tracks_are_sifted_without_losing_the_right_one() -> None:
    known = [("Band", f"Piece about the number {number}", 100.0 + number) for number in range(400)]
    for number in (0, 123, 399):
        assert match_names(ask("Band", f"piece about the number {number}"), *known).track_id == number + 1


@given(st.text(max_size=40), st.text(max_size=40), st.floats(0, 1e4) | st.none())
def test_any_row_is_answered_and_a_track_is_only_used_under_its_own_names(
    artist: str, title: str, duration_s: float | None
) -> None:
    match = match_names(ask(artist, title, duration_s), ("Nine Lanterns", "Harbour of Glass", 200.0))
    assert match.strength is not STRONG


@pytest.fixture
def library(database: Database) -> Database:
    """Three files: with an ISRC and MusicBrainz id, with the same ISRC by mistake, and without either."""
    ids = ((ISRC, "USABC1234567"), (MBID, UUID))
    tracks = (
        ("/music/Band/First/01 Song.mp3", TrackFacts("Song", "Band", "First", 200, identities=ids)),
        ("/music/Band/First/02 Other.mp3", TrackFacts("Other", "Band", "First", 90, identities=ids[:1])),
        ("/music/Ann/Second/01 Thing.mp3", TrackFacts("Thing", "Ann", "Second", 150)),
    )
    with database.session() as session:
        for number, (path, facts) in enumerate(tracks):
            heard = replace(facts, content_sha256=str(number))
            record_file(session, Path(path), size=1, mtime_ns=1, facts=heard)
    return database


def match_one(database: Database, row: SourceRow) -> Match:
    with database.read_session() as session:
        (match,) = match_rows(session, [row])
    return match


def test_the_ladder_goes_from_the_file_to_the_names(library: Database) -> None:
    isrc, mbid = ((ISRC, "us-abc-12-34567"),), ((MBID, f"https://musicbrainz.org/recording/{UUID}"),)
    found = [
        match_one(library, row)
        for row in (
            SourceRow(path="/music/Ann/Second/01 Thing.mp3", title="Song", artist="Band"),
            SourceRow(title="Song", artist="?", identities=isrc, duration_s=200),
            SourceRow(title="Andere", artist="Band", identities=isrc, duration_s=91),
            SourceRow(identities=mbid),
            SourceRow(title="thing", artist="ann", identities=((ISRC, "USZZZ9999999"),)),
        )
    ]
    assert [(match.method, match.track_id) for match in found] == [
        (Method.PATH, 3),
        (Method.ISRC, 1),
        (Method.ISRC, 2),
        (Method.MBID, 1),
        (Method.NAMES, 3),
    ]
    assert {match.strength for match in found} == {STRONG}


def test_a_registered_name_that_contradicts_the_row_is_only_proposed(library: Database) -> None:
    mbid = ((MBID, UUID),)
    for row in (
        SourceRow(title="Quite Another", artist="Band", identities=mbid),
        SourceRow(title="Song (Live)", artist="Band", identities=mbid, duration_s=200),
        SourceRow(title="Song", artist="Band", identities=mbid, duration_s=300),
    ):
        match = match_one(library, row)
        assert (match.strength, match.track_id, match.method) == (MEDIUM, 1, Method.MBID)
    # Names that are sure of another track win over it, and the other is still listed.
    match = match_one(library, SourceRow(title="Thing", artist="Ann", identities=mbid, duration_s=150))
    assert (match.track_id, match.strength, match.method) == (3, STRONG, Method.NAMES)
    assert [entry.track_id for entry in match.alternatives] == [1]


def test_folders_of_another_machine_are_recognised_by_their_end(library: Database) -> None:
    sure = match_one(library, SourceRow(path="D:\\Musik\\ann\\Second\\01 thing.mp3"))
    assert (sure.track_id, sure.strength, sure.method) == (3, STRONG, Method.PATH)
    named = match_one(library, SourceRow(path="D:/Musik/Ann/Second/01 Thing.mp3", title="Thing"))
    assert (named.track_id, named.strength, named.method) == (3, STRONG, Method.PATH)
    unsure = match_one(library, SourceRow(path="/elsewhere/01 Thing.mp3"))
    assert (unsure.track_id, unsure.strength) == (3, MEDIUM)
    assert match_one(library, SourceRow(path="/music/Band/First/03 New.mp3")).strength is NONE


def test_a_name_that_was_taken_from_the_path_contradicts_no_tag(library: Database) -> None:
    place = Path("/music/Ann/Third/0007.mp3")
    facts = TrackFacts(title="Quite Other", artist="Ann", duration_s=99.0, content_sha256="7" * 64)
    with library.session() as session:
        track_id = record_file(session, place, size=1, mtime_ns=1, facts=facts)
    # As readers of lists give a row that is only a path: MPD's, a crate's, a plain M3U's.
    listed = match_one(library, SourceRow(path="/var/lib/mpd/playlists/Ann/Third/0007.mp3", title="0007"))
    assert (listed.track_id, listed.strength, listed.method) == (track_id, STRONG, Method.PATH)
    said = match_one(library, SourceRow(path="/elsewhere/Ann/Third/0007.mp3", title="Something Else"))
    assert (said.track_id, said.strength) == (track_id, MEDIUM)
    loose = match_one(library, SourceRow(path="/elsewhere/Third/0007.mp3", title="0007"))
    assert (loose.track_id, loose.strength) == (track_id, MEDIUM)


def test_tracks_known_by_name_only_are_nobodys_match(database: Database) -> None:
    with database.session() as session:
        upsert_track(session, TrackFacts("Song", "Band", identities=((ISRC, "USABC1234567"),)))
    row = SourceRow(title="Song", artist="Band", identities=((ISRC, "USABC1234567"),))
    assert match_one(database, row).strength is NONE
    with database.read_session() as session:
        assert match_rows(session, []) == []


@sqlite_only
def test_rates_on_a_damaged_library(database: Database) -> None:
    """The recipe of the benchmark, small; the rates asked for are those at full size."""
    library = make_library(n_tracks=1000, seed=11)
    rows = pass_through_files(list(library.rows(2100)))
    fill(database, library)
    with database.read_session() as session:
        matches = match_rows(session, [asked.row for asked in rows])
    outcome = judge_outcome(library, rows, matches)
    assert outcome.wrong_rate <= 0.002
    assert outcome.missed_rate <= 0.03
    assert outcome.used_rate >= 0.88
