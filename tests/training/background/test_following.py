"""Playlists are read again where they came from; what people said themselves stays."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.origins import list_followed
from recommender.catalogue.playlists import create_playlist, get_playlist, playlist_tracks, set_members
from recommender.catalogue.tracks import tracks_by_id, upsert_track
from recommender.errors import FollowsNothing
from recommender.jobs.ledger import list_jobs
from recommender.jobs.worker import run_job_here
from recommender.playlists.file_exchange import import_from_file
from recommender.playlists.following import queue_due, queue_sync
from recommender.playlists.members import IfExists, add_tracks, take_out_tracks
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.records.playlists import EDITED, Origin
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from recommender.sources.files.reading import read_playlist_file
from tests.training.background.handling import Recorder, make_tools
from training.background.handlers import build_handler

TITLES = ("Harbour Lights", "Glass Elevator", "Paper Lanterns", "Northern Static")


@dataclass
class Following:
    """Four tracks of one artist, and a playlist file that names the first two."""

    settings: Settings
    database: Database
    file: Path
    ids: dict[str, int]
    recorder: Recorder
    playlist_id: int = 0

    def write(self, *titles: str) -> None:
        rows = "".join(f"#EXTINF:200,Mira Vale - {title}\n{title}.mp3\n" for title in titles)
        self.file.write_text("#EXTM3U\n" + rows)

    def bring_in(self, *, which: str | None = None) -> None:
        imported = import_from_file(
            self.database,
            read_playlist_file(self.file)[0],
            name="mine",
            group="default",
            allow_spotify=False,
            if_exists=IfExists.REPLACE,
            origin=Origin(self.file, which),
        )
        self.playlist_id = imported.report.playlist.id

    def sync(self, *, take_out: bool = False) -> dict[str, Any]:
        with self.database.session() as session:
            job_id = queue_sync(session, take_out=take_out)
        job = self.do(job_id)
        assert (job.state, job.error) == (JobState.SUCCEEDED, None)
        (came,) = job.result["synced"]
        assert isinstance(came, dict)
        return came

    def do(self, job_id: int) -> JobInfo:
        return run_job_here(
            self.settings, job_id, build_handler(self.settings, tools=make_tools(self.recorder))
        )

    def titles(self) -> list[str]:
        with self.database.read_session() as session:
            ids = playlist_tracks(session, self.playlist_id)
            return [tracks_by_id(session, ids)[i].title for i in ids]

    def change(self, change: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        with self.database.session() as session:
            change(session, self.playlist_id, *arguments, **options)


@pytest.fixture
def following(settings: Settings, database: Database, tmp_path: Path) -> Following:
    with database.session() as session:
        ids = {
            title: upsert_track(
                session, TrackFacts(title=title, artist="Mira Vale", duration_s=200.0, content_sha256=title)
            )
            for title in TITLES
        }
    ours = Following(settings, database, tmp_path / "mine.m3u8", ids, Recorder())
    ours.write(*TITLES[:2])
    ours.bring_in()
    return ours


def test_what_is_new_in_the_file_is_added_and_learnt(following: Following) -> None:
    following.write(TITLES[2], *TITLES[:2])
    came = following.sync()
    assert following.titles() == [TITLES[2], *TITLES[:2]]
    assert (came["n_before"], came["n_now"], came["is_changed"], came["went"]) == (2, 3, True, [])
    assert len(following.recorder.reasons) == 1


def test_what_changes_nothing_is_not_learnt_again(following: Following) -> None:
    following.change(take_out_tracks, [following.ids[TITLES[1]]])
    came = following.sync()
    assert (came["is_changed"], following.recorder.reasons) == (False, [])


def test_what_went_is_named_and_stays_until_it_shall_go(following: Following) -> None:
    following.write(TITLES[1], TITLES[2])
    assert following.sync()["went"] == [f"Mira Vale - {TITLES[0]}"]
    assert following.titles() == [TITLES[1], TITLES[2], TITLES[0]]
    assert following.sync()["went"] == [f"Mira Vale - {TITLES[0]}"]
    assert following.sync(take_out=True)["went"] == [f"Mira Vale - {TITLES[0]}"]
    assert following.titles() == [TITLES[1], TITLES[2]]
    assert following.sync(take_out=True)["went"] == []


def test_a_persons_word_outlasts_it_and_is_said(following: Following) -> None:
    following.change(take_out_tracks, [following.ids[TITLES[0]]])
    following.change(add_tracks, [following.ids[TITLES[3]]])
    following.write(*TITLES[:3])
    came = following.sync(take_out=True)
    assert following.titles() == [TITLES[1], TITLES[2], TITLES[3]]
    assert (came["kept_out"], came["went"]) == ([f"Mira Vale - {TITLES[0]}"], [])


def test_what_was_listed_by_hand_is_left_alone(following: Following) -> None:
    following.change(set_members, [following.ids[TITLES[3]]], source=EDITED)
    with following.database.session() as session, pytest.raises(FollowsNothing, match="listed by hand"):
        queue_sync(session, [following.playlist_id])
    assert following.titles() == [TITLES[3]]


def test_a_playlist_that_is_listed_by_hand_while_the_job_waits_is_left_alone(following: Following) -> None:
    with following.database.session() as session:
        job_id = queue_sync(session)
    following.change(set_members, [following.ids[TITLES[3]]], source=EDITED)
    job = following.do(job_id)
    assert (job.state, job.result["synced"]) == (JobState.SUCCEEDED, [])
    assert following.titles() == [TITLES[3]]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda file: file.unlink(), id="away"),
        pytest.param(lambda file: file.write_bytes(b""), id="empty"),
        pytest.param(lambda file: file.write_text("#EXTM3U\n"), id="no rows"),
        pytest.param(lambda file: file.write_bytes(bytes(range(256)) * 9), id="no text"),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(
    following: Following, spoil: Callable[[Path], object]
) -> None:
    spoil(following.file)
    came = following.sync(take_out=True)
    assert came["code"] in ("unreadable_source", "empty_playlist")
    assert following.titles() == list(TITLES[:2])
    assert following.recorder.reasons == []


def test_a_playlist_that_was_read_elsewhere_since_follows_nothing(following: Following) -> None:
    import_from_file(
        following.database,
        read_playlist_file(following.file)[0],
        name="mine",
        group="default",
        allow_spotify=False,
    )
    with following.database.session() as session, pytest.raises(FollowsNothing, match="import it once more"):
        queue_sync(session, [following.playlist_id])


def test_one_of_several_in_a_file_and_an_odd_path(following: Following, tmp_path: Path) -> None:
    following.file = tmp_path / "l\udce9a" / "lists.jspf"
    following.file.parent.mkdir()
    track = {"title": "Glass Elevator", "creator": "Mira Vale"}
    following.file.write_text(json.dumps({"playlist": {"title": "one", "track": [track]}}))
    following.bring_in(which="one")
    came = following.sync()
    assert came["from"].endswith("lists.jspf")
    with following.database.read_session() as session:
        (entry,) = list_followed(session)
    assert entry.origin == Origin(following.file, "one")


def test_it_is_asked_by_the_clock_once(following: Following) -> None:
    never, hourly = following.settings, replace(following.settings, sync_every_h=1.0)
    assert queue_due(following.database, never) is None
    assert queue_due(following.database, hourly) is None  # it was read just now
    often = replace(following.settings, sync_every_h=1e-9)
    time.sleep(0.01)
    job_id = queue_due(following.database, often)
    assert job_id is not None
    assert queue_due(following.database, hourly) is None  # whoever else looks at the same time
    following.write(*TITLES)
    assert following.do(job_id).state is JobState.SUCCEEDED
    assert following.titles() == list(TITLES)


def test_a_playlist_made_by_hand_has_nothing_to_follow(settings: Settings, database: Database) -> None:
    with database.session() as session:
        playlist = create_playlist(session, name="mine", source=EDITED)
        with pytest.raises(FollowsNothing):
            queue_sync(session)
        with pytest.raises(FollowsNothing):
            queue_sync(session, [playlist.id])
        assert get_playlist(session, playlist.id).n_tracks == 0
    with database.read_session() as session:
        assert [job.kind for job in list_jobs(session) if job.kind is JobKind.SYNC] == []
