"""Tracks recognised by their sound, with a fpcalc and an AcoustID that answer as told, and misbehave too."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.catalogue.identities import track_identities
from recommender.catalogue.playlists import create_playlist, set_members
from recommender.catalogue.tracks import update_track
from recommender.errors import SettingsError, UnreadableSource
from recommender.matching.identity import match_rows
from recommender.matching.recognition import (
    Heard,
    NoFpcalc,
    Recogniser,
    find_recogniser,
    list_to_recognise,
    recognise,
)
from recommender.matching.recording_choice import Outcome
from recommender.records.matches import Method, Strength
from recommender.records.rows import MBID, SourceRow
from recommender.records.tracks import UNKNOWN_ARTIST, TrackFacts
from recommender.settings import Settings
from recommender.sources.servers.acoustid import AcoustId
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import Web
from tests.databases import sqlite_only
from tests.fakes import servers
from tests.fakes.fake_acoustid import KEY, FakeAcoustId, heard, install_fpcalc, mbid, recording, result
from tests.fakes.servers import FakeTime

Add = Callable[..., int]


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def web(fake_time: FakeTime) -> Web:
    return Web("Whichlist/test", manners=Manners(clock=fake_time.clock, sleep=fake_time.sleep))


@pytest.fixture
def server() -> Iterator[FakeAcoustId]:
    with FakeAcoustId().running() as fake:
        yield fake


@pytest.fixture
def fpcalc(tmp_path: Path) -> Path:
    return install_fpcalc(tmp_path / "bin")


@pytest.fixture
def recogniser(fpcalc: Path, server: FakeAcoustId, web: Web) -> Recogniser:
    return Recogniser(str(fpcalc), AcoustId(server.url, KEY), web)


@pytest.fixture
def add(database: Database, tmp_path: Path) -> Add:
    """Put a file into the library: (its name, artist, title) -> its track."""

    def add(name: str, artist: str, title: str, *, duration_s: float = 200.4, **more: Any) -> int:
        path = tmp_path / "music" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        found = path.stat()
        facts = TrackFacts(title, artist, duration_s=duration_s, content_sha256=name, **more)
        with database.session() as session:
            return record_file(session, path, size=found.st_size, mtime_ns=found.st_mtime_ns, facts=facts)

    return add


def hear_all(database: Database, recogniser: Recogniser, **which: Any) -> dict[int, Heard]:
    asked = list_to_recognise(database, **which)
    found = recognise(database, recogniser, asked.tracks, progress=lambda *_: None)
    return {entry.track.id: entry for entry in found}


def mbids(database: Database, track_id: int) -> list[str]:
    with database.read_session() as session:
        known = track_identities(session, [track_id]).get(track_id, [])
    return [value for scheme, value in known if scheme == MBID]


def test_rows_with_an_mbid_find_a_track_that_was_recognised(
    database: Database, recogniser: Recogniser, server: FakeAcoustId, add: Add
) -> None:
    untagged = add("a.mp3", UNKNOWN_ARTIST, "track01")
    server.known["a.mp3"] = [result(1, 0.98, recording(1, "M83", "One"), recording(2, "M83", "One"))]
    row = SourceRow(title="One", artist="M83", duration_s=200, identities=((MBID, mbid(2)),))
    with database.read_session() as session:
        assert match_rows(session, [row])[0].track_id is None
    assert hear_all(database, recogniser)[untagged].outcome == Outcome.NAMED
    assert mbids(database, untagged) == [mbid(1), mbid(2)]
    with database.read_session() as session:
        (match,) = match_rows(session, [row])
    assert (match.track_id, match.strength, match.method) == (untagged, Strength.STRONG, Method.MBID)


def test_nothing_is_asked_twice_unless_wanted(
    database: Database, recogniser: Recogniser, server: FakeAcoustId, fpcalc: Path, add: Add
) -> None:
    names = ("known.mp3", "unknown.mp3", "broken.mp3", "refused.mp3", "other.mp3")
    known, unknown, broken, refused, other = [add(name, "M83", "One") for name in names]
    has_one = add("has one.mp3", "M83", "One", identities=((MBID, mbid(9)),))
    server.known["known.mp3"] = [result(1, 0.98, recording(1, "M83", "One"))]
    server.known["other.mp3"] = [result(2, 0.98, recording(2, "Somebody", "Else"))]
    found = {track_id: entry.outcome for track_id, entry in hear_all(database, recogniser).items()}
    assert found == {
        known: "named",
        unknown: "unknown",
        broken: "no_chromaprint",
        refused: "chromaprint_refused",
        other: "other_names",
    }
    assert (mbids(database, other), mbids(database, has_one)) == ([], [mbid(9)])
    n_asked, n_heard = len(server.asked), len(heard(fpcalc))
    new = add("new.mp3", "M83", "Two")
    assert hear_all(database, recogniser).keys() == {new}
    assert (len(server.asked), len(heard(fpcalc))) == (n_asked + 1, n_heard + 1)
    assert list_to_recognise(database).n_asked_before == 5
    with database.session() as session:
        update_track(session, other, TrackFacts("Else", "Somebody"))
    again = hear_all(database, recogniser, again=True)
    assert again.keys() == {unknown, broken, refused, other, new}
    assert again[other].outcome == Outcome.NAMED


def test_only_a_playlist_is_asked_about(database: Database, recogniser: Recogniser, add: Add) -> None:
    inside, _ = add("inside.mp3", "A", "One"), add("outside.mp3", "A", "Two")
    with database.session() as session:
        playlist = create_playlist(session, name="mine")
        set_members(session, playlist.id, [inside], source="test")
    assert hear_all(database, recogniser, playlist_id=playlist.id).keys() == {inside}


def test_a_server_that_breaks_off_leaves_what_was_learnt(
    database: Database, recogniser: Recogniser, server: FakeAcoustId, add: Add
) -> None:
    first, second = add("1.mp3", "A", "One"), add("2.mp3", "A", "Two")
    server.known["1.mp3"] = [result(1, 0.98, recording(1, "A", "One"))]
    tracks = recognise(database, recogniser, list_to_recognise(database).tracks, progress=lambda *_: None)
    assert next(tracks).track.id == first
    server.faults.append(servers.page())
    with pytest.raises(UnreadableSource):
        next(tracks)
    assert mbids(database, first) == [mbid(1)]
    assert [entry.track.id for entry in list_to_recognise(database).tracks] == [second]


@sqlite_only
def test_a_file_that_is_not_as_it_was_is_not_handed_out(
    database: Database, recogniser: Recogniser, fpcalc: Path, add: Add, tmp_path: Path
) -> None:
    gone, changed = add("gone.mp3", "A", "One"), add("changed.mp3", "A", "Two")
    (tmp_path / "music" / "gone.mp3").unlink()
    (tmp_path / "music" / "changed.mp3").write_text("#EXTM3U\nhttp://internal.example/")
    found = hear_all(database, recogniser)
    assert {found[gone].outcome, found[changed].outcome} == {"audio_missing"}
    assert heard(fpcalc) == []
    assert list_to_recognise(database).n_asked_before == 0  # it may come back


@sqlite_only
def test_a_hanging_file_does_not_stop_the_next(database: Database, recogniser: Recogniser, add: Add) -> None:
    endless, fine = add("endless.mp3", "A", "One"), add("fine.mp3", "A", "Two")
    found = hear_all(database, replace(recogniser, timeout_s=0.5))
    assert found[endless].outcome == "chromaprint_timeout"
    assert found[fine].outcome == "unknown"


@sqlite_only
def test_nothing_happens_without_the_program_or_a_key(
    settings: Settings, fpcalc: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(NoFpcalc, match="not on the PATH"):
        find_recogniser(replace(settings, acoustid_key=KEY))
    monkeypatch.setenv("PATH", str(fpcalc.parent))
    with pytest.raises(SettingsError, match="WHICHLIST_ACOUSTID_KEY"):
        find_recogniser(settings)
    assert find_recogniser(replace(settings, acoustid_key=KEY)).program == str(fpcalc)
