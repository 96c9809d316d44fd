"""A real Subsonic server: everything that Whichlist does with one, and the fake held against it."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.playlists import find_playlist, playlist_tracks
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import NoSuchPlaylist, SourceError, SourceUnavailable, UnreadableSource
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.matching.identity import match_rows
from recommender.playlists.server_library import link_server, send_tracks
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.records.matches import Strength
from recommender.records.rows import SUBSONIC
from recommender.settings import Settings
from recommender.sources.references import fetch_original
from recommender.sources.servers.subsonic import (
    list_subsonic_playlists,
    read_subsonic_library,
    read_subsonic_newest,
    read_subsonic_playlist,
    read_subsonic_starred,
    write_subsonic_playlist,
)
from recommender.sources.servers.subsonic_calls import ask, check_log_in
from recommender.sources.servers.subsonic_log_in import LogIn, SubsonicServer
from recommender.sources.web.connections import Network
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import Call, Web, get_json
from tests.counterparts.supysonic import Supysonic, need_supysonic, supysonic_of, write_library
from tests.databases import sqlite_only
from tests.fakes import fake_subsonic
from tests.fakes.fake_subsonic import SUPYSONIC, FakeSubsonic, child
from tests.fakes.servers import FakeTime
from tests.folders import write_folder
from tests.scanned import scan_names
from tests.training.background.handling import Recorder, make_tools
from training.background.handlers import build_handler

N_TRACKS = 2_000
USER, PASSWORD = fake_subsonic.USER, fake_subsonic.PASSWORD


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_supysonic()
    folder = tmp_path_factory.mktemp("music")
    write_library(folder, N_TRACKS)
    return folder


@pytest.fixture(scope="module")
def supysonic(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supysonic]:
    with supysonic_of(music, tmp_path_factory.mktemp("supysonic")) as running:
        yield running


@pytest.fixture
def web() -> Web:
    fake_time = FakeTime()
    return Web("Whichlist/test", manners=Manners(clock=fake_time.clock, sleep=fake_time.sleep))


def ids_of(web: Web, server: SubsonicServer, *numbers: int) -> list[str]:
    """The server's ids of tracks by their number."""
    ids = {row.title: row.identity(SUBSONIC) or "" for row in read_subsonic_library(web, server).rows}
    return [ids[f"Piece {number}"] for number in numbers]


def test_it_keeps_passwords_hashed_and_gets_the_password(supysonic: Supysonic, web: Web) -> None:
    assert check_log_in(web, supysonic.server) is LogIn.PASSWORD


@pytest.mark.parametrize("log_in", [None, LogIn.PASSWORD])
def test_a_wrong_password_is_said(log_in: LogIn | None, supysonic: Supysonic, web: Web) -> None:
    with pytest.raises(SourceUnavailable, match=r"Wrong username or password. \(code 40\)"):
        check_log_in(web, SubsonicServer(supysonic.url, USER, "guess", log_in=log_in))


@sqlite_only
def test_all_of_it_is_matched_with_the_same_files(
    supysonic: Supysonic, web: Web, music: Path, database: Database
) -> None:
    scan_names(database, music)
    library = read_subsonic_library(web, supysonic.server)
    assert len(library.rows) == N_TRACKS and library.skipped == ()
    with database.read_session() as session:
        matches = match_rows(session, library.rows)
        names = tracks_by_id(session, [match.track_id or 0 for match in matches])
    assert [match.strength for match in matches] == [Strength.STRONG] * N_TRACKS
    pairs = zip(library.rows, matches, strict=True)
    assert all(row.title == names[match.track_id or 0].title for row, match in pairs)
    assert link_server(database, library).n_linked == N_TRACKS


def test_what_is_starred_is_liked(supysonic: Supysonic, web: Web) -> None:
    server = supysonic.server
    for track_id in ids_of(web, server, 7, 1_999):
        ask(web, server, "star", id=track_id)
    read = read_subsonic_starred(web, server)
    assert (read.name, {row.title for row in read.rows}) == ("liked", {"Piece 7", "Piece 1999"})
    row = read.rows[0]
    assert row.artist and row.album and row.duration_s == 1.0


def test_the_newest_albums(supysonic: Supysonic, web: Web, music: Path) -> None:
    new = write_folder(music / "Artist new" / "Album new", n_tracks=2)
    supysonic.scan()
    try:
        assert {row.title for row in read_subsonic_newest(web, supysonic.server, n_albums=1).rows} == {
            "t0",
            "t1",
        }
        assert len(read_subsonic_newest(web, supysonic.server, n_albums=50).rows) == 2 + 49 * 10
    finally:
        for path in new:
            path.unlink()
        supysonic.scan()


def test_a_playlist_goes_there_and_comes_back_in_its_order(
    supysonic: Supysonic, web: Web, music: Path, database: Database
) -> None:
    ours = list(scan_names(database, music / "Artist 1").values())[::-1]
    with database.read_session() as session:
        titles = [tracks_by_id(session, ours)[track_id].title for track_id in ours]
    server = supysonic.server
    link_server(database, read_subsonic_library(web, server))
    sent = send_tracks(database, web, server, ours, called="for the train & back")
    read = read_subsonic_playlist(web, server, "FOR the train & back")
    assert (sent.n_sent, sent.missing) == (50, ())
    assert [row.title for row in read.rows] == titles
    again = send_tracks(database, web, server, ours[:3], called="for the train & back")
    assert again.server_id == sent.server_id
    assert [row.title for row in read_subsonic_playlist(web, server, sent.server_id).rows] == titles[:3]
    with pytest.raises(SourceUnavailable, match=r"it has: .*for the train & back"):
        read_subsonic_playlist(web, server, "nothing of this name")


def test_a_long_one_is_written_whole(supysonic: Supysonic, web: Web) -> None:
    ids = [row.identity(SUBSONIC) or "" for row in read_subsonic_library(web, supysonic.server).rows]
    made = write_subsonic_playlist(web, supysonic.server, "everything", ids)
    read = read_subsonic_playlist(web, supysonic.server, made)
    assert [row.identity(SUBSONIC) for row in read.rows] == ids and len(ids) == N_TRACKS


def test_a_file_comes_as_it_is(supysonic: Supysonic, web: Web, music: Path, tmp_path: Path) -> None:
    settings = supysonic.settings(tmp_path / "data")
    (track_id,) = ids_of(web, supysonic.server, 42)
    (row,) = (
        row for row in read_subsonic_library(web, supysonic.server).rows if row.identity(SUBSONIC) == track_id
    )
    path = fetch_original(row, settings, web=web)
    assert path is not None
    assert path.read_bytes() == next(music.rglob("0042.flac")).read_bytes()


def test_a_file_that_is_gone_there_is_said(
    supysonic: Supysonic, web: Web, music: Path, tmp_path: Path
) -> None:
    (row,) = (row for row in read_subsonic_library(web, supysonic.server).rows if row.title == "Piece 43")
    path = next(music.rglob("0043.flac"))
    path.rename(path.with_suffix(".away"))
    try:
        with pytest.raises(SourceError) as caught:
            fetch_original(row, supysonic.settings(tmp_path / "data"), web=web)
    finally:
        path.with_suffix(".away").rename(path)
    assert PASSWORD not in str(caught.value) and PASSWORD.encode().hex() not in str(caught.value)
    assert list((tmp_path / "data" / "cache" / "originals").iterdir()) == []


@sqlite_only
def test_a_playlist_of_it_is_fetched_heard_and_answered_with(
    web: Web, tmp_path: Path, make_settings: Callable[..., Settings], database: Database
) -> None:
    need_supysonic()
    write_folder(tmp_path / "music" / "Artist" / "Album", n_tracks=4)
    with supysonic_of(tmp_path / "music", tmp_path / "home") as running:
        settings = make_settings(subsonic_url=running.url, subsonic_user=USER, subsonic_password=PASSWORD)
        ids = [row.identity(SUBSONIC) or "" for row in read_subsonic_library(web, running.server).rows]
        write_subsonic_playlist(web, running.server, "mine", ids)
        job = _do(settings, database, reference="subsonic:mine", name="mine", group="default")
    assert (job.state, job.result["rows"]["used"], job.result["n_fetched"]) == (JobState.SUCCEEDED, 4, 4)
    with database.read_session() as session:
        assert len(playlist_tracks(session, find_playlist(session, "mine").id)) == 4


@sqlite_only
def test_a_server_that_goes_in_the_middle_leaves_nothing_half_done(
    web: Web, tmp_path: Path, make_settings: Callable[..., Settings], database: Database
) -> None:
    need_supysonic()
    write_library(tmp_path / "music", 60)
    with supysonic_of(tmp_path / "music", tmp_path / "home") as running:
        settings = make_settings(subsonic_url=running.url, subsonic_user=USER, subsonic_password=PASSWORD)
        n_calls = 0

        def dial(address: str, port: int, timeout_s: float | None) -> Any:
            nonlocal n_calls
            n_calls += 1
            if n_calls == 4:
                running.kill()
            return Network().dial(address, port, timeout_s)

        dying = Web("test", manners=web.manners, network=Network(dial=dial))
        with pytest.raises(SourceUnavailable, match="cannot be read"):
            read_subsonic_newest(dying, running.server)
        assert n_calls >= 4
        job = _do(settings, database, reference="subsonic:newest", name="new", group="default")
    assert (job.state, job.error_code) == (JobState.FAILED, "source_unavailable")
    with database.read_session() as session, pytest.raises(NoSuchPlaylist):
        find_playlist(session, "new")


class TestFake:
    """The fake answers in the shapes of the real one, error for error."""

    @pytest.fixture
    def fake(self) -> Iterator[FakeSubsonic]:
        with FakeSubsonic(SUPYSONIC).running() as fake:
            fake.tracks = {n: child(n, f"Piece {n}", "Artist 0") for n in ("a", "b", "c")}
            fake.albums = {"al-1": ["a", "b"]}
            yield fake

    def test_the_same_calls_get_answers_of_the_same_shape(
        self, supysonic: Supysonic, fake: FakeSubsonic, web: Web
    ) -> None:
        real = _script(web, supysonic.url, ids_of(web, supysonic.server, 0, 1))
        made = _script(web, fake.url, ["a", "b"])
        assert real.keys() == made.keys()
        assert [found for call in made for found in _differences(made[call], real[call], call)] == []

    def test_playlists_written_twice_are_as_long_on_both(
        self, supysonic: Supysonic, fake: FakeSubsonic, web: Web
    ) -> None:
        for server in (supysonic.server, SubsonicServer(fake.url, USER, PASSWORD)):
            ids = [row.identity(SUBSONIC) or "" for row in read_subsonic_library(web, server).rows][:2]
            first = write_subsonic_playlist(web, server, "twice", ids)
            assert write_subsonic_playlist(web, server, "twice", [*ids, *ids]) == first
            assert len(read_subsonic_playlist(web, server, first).rows) == 4
            assert list(list_subsonic_playlists(web, server).values()).count("twice") == 1


def _do(settings: Settings, database: Database, **payload: Any) -> JobInfo:
    with database.session() as session:
        job_id = ledger.enqueue(session, JobKind.IMPORT_PLAYLIST, payload)
    return run_job_here(settings, job_id, build_handler(settings, tools=make_tools(Recorder())))


def _script(web: Web, url: str, ids: list[str]) -> dict[str, Any]:
    """What a server answers to one call after the other."""
    answers: dict[str, Any] = {}

    def call(told: str, method: str, *params: tuple[str, str], log_in: dict[str, str] | None = None) -> Any:
        own = {"v": "1.16.1", "c": "test", "f": "json"} | (log_in or {"u": USER, "p": PASSWORD})
        try:
            answer = get_json(
                web, f"{url}/rest/{method}.view", call=Call(params=(*own.items(), *params), rate_per_s=1e6)
            )
            answers[told] = answer["subsonic-response"]
        except (SourceUnavailable, UnreadableSource) as error:
            answers[told] = str(error).partition(" ")[2]
        return answers[told]

    call("ping", "ping")
    call("token", "ping", log_in={"u": USER, "t": "0" * 32, "s": "12345678"})
    call("key", "ping", log_in={"apiKey": "key"})
    call("wrong", "ping", log_in={"u": USER, "p": "guess"})
    call("hexadecimal", "ping", log_in={"u": USER, "p": f"enc:{PASSWORD.encode().hex()}"})
    call("star", "star", ("id", ids[0]))
    call("starred", "getStarred2")
    call("unstar", "unstar", ("id", ids[0]))
    call("made", "createPlaylist", ("name", "shape"), *(("songId", key) for key in ids))
    listed = call("playlists", "getPlaylists")["playlists"]["playlist"]
    key = next(playlist["id"] for playlist in listed if playlist["name"] == "shape")
    call("playlist", "getPlaylist", ("id", key))
    call("added", "updatePlaylist", ("playlistId", key), ("songIdToAdd", ids[0]))
    call("replaced", "createPlaylist", ("playlistId", key))
    call("empty", "getPlaylist", ("id", key))
    call("no such playlist", "getPlaylist", ("id", "00000000-0000-4000-8000-000000000000"))
    albums = call("albums", "getAlbumList2", ("type", "newest"), ("size", "2"), ("offset", "0"))
    call("album", "getAlbum", ("id", albums["albumList2"]["album"][0]["id"]))
    page_of = (("query", ""), ("artistCount", "0"), ("albumCount", "0"), ("songCount", "2"))
    call("page", "search3", *page_of, ("songOffset", "0"))
    call("beyond", "search3", *page_of, ("songOffset", "90000"))
    call("no such file", "download", ("id", "00000000-0000-4000-8000-000000000000"))
    call("no such method", "getNothing")
    call("removed", "deletePlaylist", ("id", key))
    return answers


def _differences(made: Any, real: Any, place: str) -> Iterator[str] | list[str]:
    """Where the fake says what the real one does not, or something of another kind, or another code."""
    if place.endswith((".code", ".status", ".version")) or isinstance(made, str) != isinstance(real, str):
        return [] if made == real else [f"{place}: {made!r}, really {real!r}"]
    if isinstance(made, Mapping) and isinstance(real, Mapping):
        absent = [f"{place}.{key}" for key in made.keys() - real.keys() if key not in ("type",)]
        return absent + [
            found
            for key in made.keys() & real.keys()
            for found in _differences(made[key], real[key], f"{place}.{key}")
        ]
    if isinstance(made, list) and isinstance(real, list):
        both = list(zip(made[:1], real[:1], strict=False))
        empty = [f"{place}: one is empty"] * (bool(made) != bool(real))
        return empty + [found for a, b in both for found in _differences(a, b, f"{place}[]")]
    return [] if type(made) is type(real) else [f"{place}: {json.dumps(made)}, really {json.dumps(real)}"]
