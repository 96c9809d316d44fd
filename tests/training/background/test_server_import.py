"""Making a playlist of what a server has: matched with the library, fetched where it is missing."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import heard_tracks
from recommender.catalogue.identities import server_ids
from recommender.catalogue.imported_rows import match_report
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import find_playlist, playlist_tracks
from recommender.catalogue.tables.library import Embedding
from recommender.catalogue.tracks import tracks_by_id
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.playlists.following import queue_sync
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.records.rows import SUBSONIC
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.fakes import fake_jellyfin, fake_subsonic
from tests.fakes.fake_jellyfin import FakeJellyfin, item
from tests.fakes.fake_subsonic import FakeSubsonic, child
from tests.fakes.servers import AnsweringServer, Reply
from tests.folders import listened, write_track
from tests.training.background.handling import Recorder, make_tools
from training.background.handlers import build_handler
from training.background.server_import import BATCH

N_LOCAL = 2


@dataclass
class Imports:
    """A library of two tracks, a server with more, and jobs done in this process."""

    settings: Settings
    database: Database
    recorder: Recorder

    def do(self, kind: JobKind, **payload: Any) -> JobInfo:
        with self.database.session() as session:
            job_id = ledger.enqueue(session, kind, payload)
        handler = build_handler(self.settings, tools=make_tools(self.recorder))
        return run_job_here(self.settings, job_id, handler)

    def bring_in(self, reference: str, name: str) -> dict[str, Any]:
        job = self.do(JobKind.IMPORT_PLAYLIST, reference=reference, name=name, group="default")
        assert (job.state, job.error) == (JobState.SUCCEEDED, None)
        return job.result

    def members(self, name: str) -> list[tuple[str, str]]:
        with self.database.read_session() as session:
            track_ids = playlist_tracks(session, find_playlist(session, name).id)
            infos = tracks_by_id(session, track_ids)
        return [(infos[i].artist, infos[i].title) for i in track_ids]

    def methods(self, name: str) -> dict[str, int]:
        with self.database.read_session() as session:
            return match_report(session, find_playlist(session, name).id).methods

    @property
    def heard(self) -> list[str]:
        """Files in the cache that were listened to."""
        return listened(self.settings.cache_directory)


@pytest.fixture
def subsonic(tmp_path: Path) -> Iterator[FakeSubsonic]:
    with FakeSubsonic().running() as fake:
        for number in range(1, BATCH + 3):
            track_id = str(number)
            names = {"title": f"Piece {number}", "artist": f"Band {number % 3}"}
            path = tmp_path / "served" / f"{track_id}.flac"
            write_track(path, tone_hz=200.0 + 40 * number, **names)
            fake.tracks[track_id] = child(track_id, names["title"], names["artist"], duration=3.5)
            fake.files[track_id] = path.read_bytes()
        fake.playlists = {"pl-1": ("Late Night", list(fake.tracks))}
        yield fake


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[FakeJellyfin]:
    with FakeJellyfin().running() as fake:
        fake.items = [item("j1", "Untagged", "Silent Band", RunTimeTicks=35_000_000)]
        fake.favourites = {"j1"}
        fake.files = {"j1": write_track(tmp_path / "served" / "j.flac", tone_hz=990.0).read_bytes()}
        yield fake


@pytest.fixture
def imports(
    tmp_path: Path,
    make_settings: Callable[..., Settings],
    database: Database,
    subsonic: FakeSubsonic,
    jellyfin: FakeJellyfin,
) -> Imports:
    chosen = {
        "subsonic_url": subsonic.url,
        "subsonic_user": fake_subsonic.USER,
        "subsonic_password": fake_subsonic.PASSWORD,
        "jellyfin_url": jellyfin.url,
        "jellyfin_token": fake_jellyfin.TOKEN,
        "allow_private_addresses": "on",
    }
    imports = Imports(make_settings(**chosen), database, Recorder())
    for number in range(1, N_LOCAL + 1):  # the same files, and others of the same name
        path = tmp_path / "music" / "own" / f"{number}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(subsonic.files[str(number)])
    assert imports.do(JobKind.SCAN, path=str(tmp_path / "music")).state is JobState.SUCCEEDED
    return imports


def test_what_is_missing_is_fetched_and_heard_once(imports: Imports, subsonic: FakeSubsonic) -> None:
    result = imports.bring_in("subsonic:late night", "night")
    n_rows = len(subsonic.tracks)
    assert imports.members("night") == [(t["artist"], t["title"]) for t in subsonic.tracks.values()]
    assert (result["n_fetched"], result["n_not_fetched"]) == (n_rows - N_LOCAL, 0)
    assert result["rows"] == {
        **{"rows": n_rows, "used": n_rows, "review": 0, "unmatched": 0},
        **{"rejected": 0, "skipped": 0, "repeated": 0},
    }
    assert len(imports.heard) == n_rows - N_LOCAL
    n_asked = len(subsonic.asked)
    assert imports.bring_in("subsonic:late night", "night")["n_fetched"] == 0
    assert len(subsonic.asked) - n_asked == 2 and len(imports.heard) == n_rows - N_LOCAL


@sqlite_only
def test_the_model_learns_it_only_when_something_changed(imports: Imports) -> None:
    imports.bring_in("subsonic:late night", "night")
    assert imports.recorder.reasons[-1] == "playlist 'night' was imported"
    n_fits = len(imports.recorder.reasons)
    imports.bring_in("subsonic:late night", "night")
    assert len(imports.recorder.reasons) == n_fits


def test_the_servers_ids_are_remembered(imports: Imports, subsonic: FakeSubsonic) -> None:
    imports.bring_in("subsonic:late night", "night")
    with imports.database.read_session() as session:
        track_ids = playlist_tracks(session, find_playlist(session, "night").id)
        assert [server_ids(session, SUBSONIC, track_ids)[i] for i in track_ids] == list(subsonic.tracks)


@sqlite_only
def test_a_track_that_the_server_names_anew_is_still_the_same(
    imports: Imports, subsonic: FakeSubsonic
) -> None:
    imports.bring_in("subsonic:late night", "night")
    before = imports.members("night")
    subsonic.tracks["5"] |= {"title": "Another Name Altogether", "artist": "Somebody Else", "duration": 99}
    assert imports.bring_in("subsonic:late night", "night")["n_fetched"] == 0
    assert imports.members("night") == before and imports.methods("night")["server"] == 1


@sqlite_only
def test_a_small_cache_does_not_lose_tracks(
    imports: Imports, subsonic: FakeSubsonic, make_settings: Callable[..., Settings]
) -> None:
    """Files are heard before they have to make room, and later matched by the server's id."""
    imports.settings = make_settings(**{**_chosen(imports.settings), "remote_cache_mb": 1})
    big = b"\0" * 400_000  # after the audio, where players find padding
    subsonic.files = {track_id: body + big for track_id, body in subsonic.files.items()}
    result = imports.bring_in("subsonic:late night", "night")
    assert len(imports.members("night")) == len(subsonic.tracks) and result["n_not_fetched"] == 0
    cached = [p for p in (imports.settings.cache_directory / "originals").iterdir() if p.is_file()]
    assert sum(path.stat().st_size for path in cached) <= 1_000_000 < len(subsonic.tracks) * 400_000
    assert imports.bring_in("subsonic:late night", "night")["n_fetched"] == 0


@sqlite_only
def test_what_left_the_cache_is_fetched_again_for_an_encoder_that_has_not_heard_it(
    imports: Imports, subsonic: FakeSubsonic
) -> None:
    imports.bring_in("subsonic:late night", "night")
    before = imports.members("night")
    shutil.rmtree(imports.settings.cache_directory / "originals")
    with imports.database.session() as session:
        last = playlist_tracks(session, find_playlist(session, "night").id)[-1]
        session.execute(delete(Embedding).where(Embedding.track_id == last))
    n_fits = len(imports.recorder.reasons)
    assert imports.bring_in("subsonic:late night", "night")["n_fetched"] == 1
    assert imports.members("night") == before and len(imports.recorder.reasons) == n_fits + 1
    with imports.database.read_session() as session:
        bundle = current_bundle(session)
        assert bundle is not None and heard_tracks(session, [last], bundle.fingerprint) == {last}


@sqlite_only
def test_what_does_not_come_is_named_and_stops_nothing(imports: Imports, subsonic: FakeSubsonic) -> None:
    del subsonic.files["5"]
    subsonic.files["6"] = b"this is not audio"
    result = imports.bring_in("subsonic:late night", "night")
    assert len(imports.members("night")) == len(subsonic.tracks) - 2
    (refused,) = result["not_fetched"]
    assert (refused["track"], refused["code"]) == ("Band 2 - Piece 5", "unreadable_source")
    assert (result["n_failed"], result["rows"]["unmatched"]) == (1, 2)
    assert fake_subsonic.PASSWORD not in str(result)


def test_names_of_the_server_stand_in_for_tags(imports: Imports) -> None:
    imports.bring_in("jellyfin:favourites", "liked ones")
    assert imports.members("liked ones") == [("Silent Band", "Untagged")]


@sqlite_only
def test_a_podcast_of_music(imports: Imports, subsonic: FakeSubsonic) -> None:
    with AnsweringServer().running() as radio:
        radio.routes["/1.flac"] = lambda _: Reply(subsonic.files["7"], content_type="audio/flac")
        feed = f"""<rss version="2.0"><channel><title>Radio</title>
        <item><title>Band 1 - Piece 7</title><guid>g</guid>
        <enclosure url="{radio.url}/1.flac" type="audio/flac"/></item>
        <item><title>Band 9 - No audio</title><guid>h</guid></item></channel></rss>"""
        radio.routes["/feed"] = lambda _: Reply(feed.encode(), content_type="application/rss+xml")
        result = imports.bring_in(f"{radio.url}/feed", "radio")
    assert imports.members("radio") == [("Band 1", "Piece 7")]
    assert (result["rows"]["used"], result["rows"]["unmatched"]) == (1, 1)
    with imports.database.read_session() as session:
        (job,) = [j for j in ledger.list_jobs(session) if j.kind is JobKind.IMPORT_PLAYLIST]
    assert job.message.startswith("1 of 2 rows used, 0 to review, 1 unmatched; 1 files, 1 newly heard")


@sqlite_only
def test_a_playlist_of_which_nothing_is_found_is_kept_and_not_learnt(
    imports: Imports, subsonic: FakeSubsonic
) -> None:
    subsonic.files = {}
    subsonic.playlists["pl-2"] = ("far away", ["3", "4"])
    n_fits = len(imports.recorder.reasons)
    result = imports.bring_in("subsonic:far away", "far")
    assert (imports.members("far"), result["rows"]["unmatched"]) == ([], 2)
    assert len(imports.recorder.reasons) == n_fits


@sqlite_only
def test_a_server_that_cannot_be_read_fails_the_job_in_words(imports: Imports) -> None:
    job = imports.do(JobKind.IMPORT_PLAYLIST, reference="subsonic:unheard of", name="x", group="default")
    assert (job.state, job.error_code) == (JobState.FAILED, "source_unavailable")
    assert job.error is not None and "it has: Late Night" in job.error


def _chosen(settings: Settings) -> dict[str, Any]:
    names = ("subsonic_url", "subsonic_user", "subsonic_password")
    return {name: getattr(settings, name) for name in names}


def test_a_servers_playlist_is_read_again(imports: Imports, subsonic: FakeSubsonic) -> None:
    subsonic.starred += ["1", "2"]
    imports.bring_in("subsonic:starred", "liked")
    before = imports.members("liked")
    went = subsonic.tracks[subsonic.starred.pop(0)]
    with imports.database.session() as session:
        job_id = queue_sync(session)
    job = run_job_here(
        imports.settings, job_id, build_handler(imports.settings, tools=make_tools(imports.recorder))
    )
    (came,) = job.result["synced"]
    assert came["went"] == [f"{went['artist']} - {went['title']}"]
    assert sorted(imports.members("liked")) == sorted(before)
    assert came["from"] == "subsonic:starred"
