"""What adding a playlist and scanning a library leave in the catalogue, also when files are bad."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.encoder import Encoder
from embeddings.encoder_files import load_encoder_config, save_encoder_config
from embeddings.stretch import Stretch
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings, load_patches
from recommender.catalogue.files import add_library_root, failed_files, track_paths
from recommender.catalogue.models import add_bundle, catalogue_counts, current_bundle, promote_bundle
from recommender.catalogue.playlists import list_playlists, playlist_tracks, set_members
from recommender.catalogue.tracks import list_tracks
from recommender.errors import ChampionChanged
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.model.in_service import NoModel
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.records.playlists import PlaylistInfo
from recommender.records.tracks import TrackInfo
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.folders import (
    SAMPLE_RATE_HZ,
    TINY_ENCODER,
    Listen,
    listen_and_log,
    listen_dangerously,
    listened,
    write_folder,
    write_track,
)
from tests.training.background.handling import Recorder, make_tools
from training.background.handlers import Tools, build_handler
from training.listening.listeners import CRASHED_CODE, HUNG_CODE
from training.listening.scanning import FEW_FILES

FINGERPRINT = load_encoder_config(TINY_ENCODER).fingerprint


@dataclass
class Library:
    """A folder of music, a database, and jobs done on them in this process."""

    root: Path
    database: Database
    settings: Settings
    recorder: Recorder
    tools: Tools

    def do(self, kind: JobKind, **payload: Any) -> JobInfo:
        with self.database.session() as session:
            job_id = ledger.enqueue(session, kind, payload)
        return run_job_here(self.settings, job_id, build_handler(self.settings, tools=self.tools))

    def add(self, name: str) -> JobInfo:
        return self.do(JobKind.ADD_PLAYLIST, name=name, folder=str(self.root / name), group="default")

    def must_add(self, name: str) -> dict[str, Any]:
        job = self.add(name)
        assert (job.state, job.error) == (JobState.SUCCEEDED, None)
        return job.result

    def tracks(self) -> list[TrackInfo]:
        with self.database.read_session() as session:
            return list_tracks(session, limit=1000)

    def playlists(self) -> dict[str, PlaylistInfo]:
        with self.database.read_session() as session:
            return {playlist.name: playlist for playlist in list_playlists(session)}

    def members(self, name: str) -> list[str]:
        """Paths, below the root, of the files behind a playlist's tracks, in its order."""
        with self.database.read_session() as session:
            track_ids = playlist_tracks(session, self.playlists()[name].id)
            paths = track_paths(session, track_ids)
        return [os.fspath(paths[track_id].relative_to(self.root)) for track_id in track_ids]

    def failed(self) -> dict[str, str]:
        with self.database.read_session() as session:
            return {Path(f.path).name: f.code for f in failed_files(session, self.root)}

    def waiting(self) -> list[JobKind]:
        with self.database.read_session() as session:
            return [job.kind for job in ledger.list_jobs(session, state=JobState.QUEUED)]


@pytest.fixture
def library(tmp_path: Path, database: Database, settings: Settings) -> Library:
    root = tmp_path / "music"
    root.mkdir()
    recorder = Recorder()
    return Library(root, database, settings, recorder, make_tools(recorder))


@pytest.mark.parametrize("n_tracks", [3, FEW_FILES + 2], ids=["few", "many"])
def test_adding_a_playlist_hears_its_tracks_and_serves_them(library: Library, n_tracks: int) -> None:
    paths = write_folder(library.root / "hip hop", n_tracks=n_tracks)
    result = library.must_add("hip hop")
    assert library.members("hip hop") == [f"hip hop/{path.name}" for path in paths]
    assert sorted(listened(library.root)) == [path.name for path in paths]
    assert (result["n_files"], result["n_new"], result["n_failed"]) == (n_tracks, n_tracks, 0)
    assert library.recorder.encoders == [TINY_ENCODER]
    assert library.recorder.reasons == ["playlist 'hip hop' was added"]
    with library.database.read_session() as session:
        bundle = current_bundle(session)
    assert bundle is not None
    assert result["bundle"] == bundle.id
    assert library.waiting() == [JobKind.TRAIN]


def test_what_is_stored_is_what_the_encoder_says(library: Library) -> None:
    [path] = write_folder(library.root / "one", n_tracks=1)
    library.must_add("one")
    expected = Encoder.load(TINY_ENCODER).listen(path)
    with library.database.read_session() as session:
        [track_id], [vector] = load_embeddings(session, FINGERPRINT)
        patches = load_patches(session, int(track_id), FINGERPRINT)
    np.testing.assert_allclose(vector, expected.vector, rtol=1e-6)
    np.testing.assert_allclose(patches.patches, expected.patches, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(patches.start_s, expected.start_s)
    assert patches.patch_s == expected.patch_s
    [track] = library.tracks()
    assert (track.title, track.artist, track.source, track.trainable) == ("t0", "a", "file", True)
    assert track.duration_s == pytest.approx(3.5)


def test_a_second_time_nothing_is_listened_to_but_the_playlist_is_fitted_again(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=2)
    library.must_add("p")
    result = library.must_add("p")
    assert len(listened(library.root)) == 2
    assert (result["n_files"], result["n_new"]) == (2, 0)
    assert len(library.recorder.reasons) == 2
    assert library.waiting() == [JobKind.TRAIN]


def test_a_retagged_file_is_the_same_track_under_its_new_name(library: Library) -> None:
    path = write_track(library.root / "p" / "x.flac", tone_hz=300, title="old", artist="Old Artist")
    library.must_add("p")
    [before] = library.tracks()
    write_track(path, tone_hz=300, title="new", artist="New Artist", album="new album")
    library.must_add("p")
    [after] = library.tracks()
    assert after == replace(
        before,
        title="new",
        artist="New Artist",
        artists=("New Artist",),
        album="new album",
        artist_id=after.artist_id,
    )
    assert listened(library.root) == ["x.flac"]


def test_a_moved_file_is_the_same_track_in_its_new_place(library: Library) -> None:
    path = write_track(library.root / "p" / "x.flac", tone_hz=300, title="t", artist="a")
    library.must_add("p")
    [before] = library.tracks()
    moved = library.root / "p" / "deeper" / "y.flac"
    moved.parent.mkdir()
    path.rename(moved)
    library.must_add("p")
    assert library.tracks() == [replace(before, path=str(moved))]
    assert library.members("p") == ["p/deeper/y.flac"]
    assert listened(library.root) == ["x.flac"]


def test_the_same_recording_twice_is_one_track_named_by_the_first_path(library: Library) -> None:
    write_track(library.root / "p" / "b.flac", tone_hz=300, title="of b", artist="B")
    write_track(library.root / "p" / "a.flac", tone_hz=300, title="of a", artist="A")
    write_track(library.root / "q" / "c.flac", tone_hz=300, title="of c", artist="C")
    library.must_add("p")
    library.must_add("q")
    [track] = library.tracks()
    assert (track.title, track.artist) == ("of a", "A")
    assert (library.playlists()["p"].n_tracks, library.playlists()["q"].n_tracks) == (1, 1)
    with library.database.read_session() as session:
        counts = catalogue_counts(session)
    assert (counts.n_files, counts.n_embeddings) == (3, {FINGERPRINT: 1})


def test_a_changed_recording_is_heard_again(library: Library) -> None:
    path = write_track(library.root / "p" / "x.flac", tone_hz=300, title="t", artist="a")
    library.must_add("p")
    write_track(path, tone_hz=900, title="t", artist="a")
    library.must_add("p")
    assert listened(library.root) == ["x.flac", "x.flac"]
    assert library.members("p") == ["p/x.flac"]


@pytest.fixture
def bad_files(library: Library) -> dict[str, str]:
    """Name -> the code it must be set aside with, for files that cannot be listened to."""
    folder = library.root / "p"
    good = write_track(folder / "good.flac", tone_hz=500, title="good", artist="a")
    (folder / "text.mp3").write_text("not a song, only words")
    (folder / "empty.ogg").write_bytes(b"")
    (folder / "cut.flac").write_bytes(good.read_bytes()[:60])
    write_track(folder / "short.wav", tone_hz=500, duration_s=0.2)
    silence = write_track(folder / "silent.wav", tone_hz=500)
    header, n_bytes = silence.read_bytes()[:44], silence.stat().st_size
    silence.write_bytes(header + bytes(n_bytes - 44))
    return {
        "text.mp3": "undecodable_audio",
        "empty.ogg": "undecodable_audio",
        "cut.flac": "undecodable_audio",
        "short.wav": "too_short",
        "silent.wav": "silent_audio",
    }


def test_bad_files_are_set_aside_with_a_code_and_a_sentence(
    library: Library, bad_files: dict[str, str]
) -> None:
    result = library.must_add("p")
    assert library.failed() == bad_files
    assert library.members("p") == ["p/good.flac"]
    assert result["n_failed"] == len(bad_files)
    assert {Path(entry["file"]).name: entry["code"] for entry in result["failed"]} == bad_files
    assert all(len(entry["error"]) > 10 for entry in result["failed"])
    assert [track.title for track in library.tracks()] == ["good"]


def test_a_track_heard_in_part_says_so_and_is_heard_again(library: Library) -> None:
    [whole, torn] = write_folder(library.root / "p", n_tracks=2)
    data = torn.read_bytes()
    torn.write_bytes(data[: len(data) // 2])
    result = library.must_add("p")
    [part] = result["in_part"]
    assert (result["n_in_part"], Path(part["file"]).name) == (1, torn.name)
    assert part["heard"] == "heard 2 of 4 s: the rest is cut off or damaged"
    with library.database.read_session() as session:
        [track] = list_tracks(session, heard_in_part=True)
    assert (track.path, track.heard_in_part) == (str(torn), part["heard"])
    # The length that rows are matched by is the recording's, not that of what is left of it.
    assert track.duration_s == pytest.approx(3.5, abs=0.05)
    n_heard = len(listened(library.root))
    library.must_add("p")
    assert len(listened(library.root)) == n_heard
    library.do(JobKind.SCAN, path=str(library.root), retry_failed=True)
    assert listened(library.root)[n_heard:] == [torn.name]
    torn.write_bytes(data)
    library.must_add("p")
    assert [track.heard_in_part for track in library.tracks() if track.path == str(torn)] == [None]
    assert whole.exists()


def test_what_a_scan_passed_over_is_in_its_result(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=1)
    (library.root / "p" / "cover.jpg").write_bytes(b"picture")
    passed_over = library.must_add("p")["passed_over"]
    assert passed_over["suffixes"] == {".jpg": 1}
    assert passed_over["sentence"] == "passed over: 1 files that by their names are no audio (.jpg 1)"


def test_a_folder_of_links_says_why_nothing_was_heard(library: Library, tmp_path: Path) -> None:
    [path] = write_folder(tmp_path / "elsewhere", n_tracks=1)
    (library.root / "p").mkdir()
    (library.root / "p" / path.name).symlink_to(path)
    job = library.add("p")
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "holds no audio files: passed over: 1 links to folders, or out of the library" in job.error


def test_bad_files_are_tried_again_when_they_change_or_somebody_asks(
    library: Library, bad_files: dict[str, str]
) -> None:
    library.must_add("p")
    n_tries = len(listened(library.root))
    again = library.must_add("p")
    assert len(listened(library.root)) == n_tries
    assert again["n_failed"] == len(bad_files)
    assert library.do(JobKind.SCAN, path=str(library.root), retry_failed=True).state is JobState.SUCCEEDED
    assert len(listened(library.root)) == n_tries + len(bad_files)
    write_track(library.root / "p" / "short.wav", tone_hz=700)
    library.must_add("p")
    assert library.failed() == {name: code for name, code in bad_files.items() if name != "short.wav"}
    assert library.members("p") == ["p/good.flac", "p/short.wav"]


def test_a_folder_of_nothing_but_bad_files_makes_no_playlist(library: Library) -> None:
    (library.root / "p").mkdir()
    (library.root / "p" / "text.mp3").write_text("words")
    job = library.add("p")
    assert (job.state, job.error_code, job.n_failed) == (JobState.FAILED, "no_audio", 1)
    assert "none of the 1 files" in (job.error or "")
    assert library.playlists() == {}
    assert library.recorder.reasons == []


@pytest.mark.parametrize(("make", "code"), [(True, "no_audio"), (False, "unreadable_folder")])
def test_an_empty_or_missing_folder_fails_with_its_name(library: Library, make: bool, code: str) -> None:
    if make:
        (library.root / "p").mkdir()
    job = library.add("p")
    assert (job.state, job.error_code) == (JobState.FAILED, code)
    assert str(library.root / "p") in (job.error or "")


def test_a_file_that_goes_away_during_the_scan_is_reported_and_looked_for_again(library: Library) -> None:
    paths = write_folder(library.root / "p", n_tracks=FEW_FILES)
    content = paths[-1].read_bytes()

    def listen_and_delete(directory: Path) -> Listen:
        listen = listen_and_log(directory)

        def delete(path: Path, stretch: Stretch) -> Any:
            paths[-1].unlink(missing_ok=True)
            return listen(path, stretch)

        return delete

    working, library.tools = library.tools, make_tools(library.recorder, make_listen=listen_and_delete)
    result = library.must_add("p")
    assert [(entry["file"], entry["code"]) for entry in result["failed"]] == [
        (str(paths[-1]), "unreadable_file")
    ]
    assert len(library.members("p")) == FEW_FILES - 1
    library.tools = working
    paths[-1].write_bytes(content)
    assert library.must_add("p")["n_failed"] == 0
    assert len(library.members("p")) == FEW_FILES


def test_odd_file_names_survive(library: Library) -> None:
    folder = library.root / "odd"
    folder.mkdir()
    names = [b"  two  spaces.flac", b"100 % %41.flac", "träck 🎧.flac".encode(), b"bad\xff\xfebytes.flac"]
    for number, name in enumerate(names):
        made = write_track(library.root / "made.flac", tone_hz=300 + 50 * number)
        made.rename(folder / os.fsdecode(name))
    job = library.do(JobKind.ADD_PLAYLIST, name="odd \udcff", folder=str(folder))
    assert job.state is JobState.SUCCEEDED
    with library.database.read_session() as session:
        [playlist] = list_playlists(session)
        track_ids = playlist_tracks(session, playlist.id)
        paths = track_paths(session, track_ids)
    assert [os.fsencode(paths[track_id].name) for track_id in track_ids] == sorted(names)
    assert {track.title for track in library.tracks()} == {
        "two spaces",
        "100 % %41",
        "träck 🎧",
        "bad��bytes",
    }
    assert library.do(JobKind.SCAN, path=str(library.root)).result["n_new"] == 0


def test_a_library_of_folders_becomes_playlists_with_one_fit(library: Library) -> None:
    write_folder(library.root / "chiptune", n_tracks=2)
    write_folder(library.root / "hip hop", n_tracks=3, first_hz=900)
    (library.root / "pictures").mkdir()
    job = library.do(JobKind.SCAN, path=str(library.root), as_playlists=True, group="style")
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert {name: (p.group, p.n_tracks) for name, p in library.playlists().items()} == {
        "chiptune": ("style", 2),
        "hip hop": ("style", 3),
    }
    assert library.recorder.reasons == ["the library was scanned"]
    assert "5 newly heard, 0 set aside" in job.message


def test_a_library_without_playlist_folders_says_so(library: Library) -> None:
    write_track(library.root / "loose.flac", tone_hz=300)
    job = library.do(JobKind.SCAN, path=str(library.root), as_playlists=True)
    assert (job.state, job.error_code) == (JobState.FAILED, "no_audio")
    assert "no folder directly below" in (job.error or "")


def test_a_rescan_follows_the_folders_and_fits_only_when_something_changed(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=3)
    library.must_add("p")
    with library.database.session() as session:
        add_library_root(session, library.root)
    assert "bundle" not in library.do(JobKind.SCAN).result
    (library.root / "p" / "01.flac").unlink()
    write_track(library.root / "p" / "00b.flac", tone_hz=1500)
    assert "bundle" in library.do(JobKind.SCAN).result
    assert library.members("p") == ["p/00.flac", "p/00b.flac", "p/02.flac"]
    assert len(listened(library.root)) == 4


def test_a_fit_that_failed_is_made_up_for_by_the_next_scan(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=2)
    library.must_add("p")

    def break_down(*_: object, **__: object) -> str:
        raise RuntimeError("disk full")

    write_track(library.root / "p" / "new.flac", tone_hz=1500)
    working, library.tools = library.tools, replace(library.tools, refit=break_down)
    failed = library.do(JobKind.SCAN, path=str(library.root))
    assert (failed.state, failed.error_code) == (JobState.FAILED, "internal_error")
    assert failed.error == "RuntimeError: disk full"
    library.tools = working
    assert "bundle" in library.do(JobKind.SCAN, path=str(library.root)).result


def test_an_unplugged_disk_does_not_empty_the_catalogue(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=2)
    library.must_add("p")
    shutil.move(library.root / "p", library.root / ".elsewhere")
    (library.root / "p").mkdir()
    assert library.add("p").error_code == "no_audio"
    assert len(library.tracks()) == 2
    assert library.playlists()["p"].n_tracks == 2


def test_of_several_roots_those_that_cannot_be_read_are_named(library: Library, tmp_path: Path) -> None:
    write_folder(library.root / "p", n_tracks=1)
    gone = tmp_path / "gone"
    with library.database.session() as session:
        add_library_root(session, library.root)
        add_library_root(session, gone)
    job = library.do(JobKind.SCAN)
    assert job.state is JobState.SUCCEEDED
    assert job.result["n_new"] == 1
    assert job.result["unreadable"] == [f"'{gone}' cannot be read: No such file or directory"]


def test_one_file_can_be_added_without_a_playlist(library: Library) -> None:
    path = write_track(library.root / "x.flac", tone_hz=300, title="t", artist="a")
    write_track(library.root / "y.flac", tone_hz=400)
    job = library.do(JobKind.SCAN, path=str(path))
    assert (job.state, job.result["n_files"]) == (JobState.SUCCEEDED, 1)
    assert [track.title for track in library.tracks()] == ["t"]
    assert "nothing to fit" in job.message
    assert library.do(JobKind.SCAN, path=str(path)).result["n_new"] == 0


def test_a_playlist_edited_by_hand_follows_its_folder_no_longer(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=3)
    library.must_add("p")
    with library.database.session() as session:
        playlist_id = library.playlists()["p"].id
        chosen = playlist_tracks(session, playlist_id)[:1]
        set_members(session, playlist_id, chosen, source="api")
    library.do(JobKind.SCAN, path=str(library.root))
    assert library.members("p") == ["p/00.flac"]


@sqlite_only
def test_a_file_that_kills_the_decoder_is_set_aside_and_the_rest_is_heard(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=FEW_FILES + 2)
    write_track(library.root / "p" / "00 poison.flac", tone_hz=2000)
    library.tools = make_tools(library.recorder, make_listen=listen_dangerously)
    result = library.must_add("p")
    assert library.failed() == {"00 poison.flac": CRASHED_CODE}
    assert "SIGKILL" in result["failed"][0]["error"]
    assert library.playlists()["p"].n_tracks == FEW_FILES + 2
    heard = " ".join(listened(library.root))
    assert heard.count("poison") == 3
    assert all(heard.count(f"{number:02}.flac") == 1 for number in range(FEW_FILES + 2))


@sqlite_only
def test_a_file_that_hangs_the_decoder_is_set_aside(library: Library) -> None:
    write_folder(library.root / "p", n_tracks=FEW_FILES)
    write_track(library.root / "p" / "endless.flac", tone_hz=2000)
    library.tools = make_tools(library.recorder, make_listen=listen_dangerously, longest_listen_s=1.5)
    result = library.must_add("p")
    assert library.failed() == {"endless.flac": HUNG_CODE}
    assert result["failed"][0]["error"] == "the decoder was still busy after 1.5 s"
    assert library.playlists()["p"].n_tracks == FEW_FILES


def test_an_encoder_that_came_into_service_meanwhile_hears_the_files_too(
    library: Library, tmp_path: Path
) -> None:
    config = replace(load_encoder_config(TINY_ENCODER), name="tiny, tuned")
    other = tmp_path / "other_encoder"
    shutil.copytree(TINY_ENCODER, other)
    save_encoder_config(config, other)

    def promote_other(session: Any) -> None:
        add_bundle(session, "tuned", directory=other, fingerprint=config.fingerprint, summary={})
        promote_bundle(session, "tuned")

    def listen_and_promote(directory: Path) -> Listen:
        listen = listen_and_log(directory)

        def meddle(path: Path, stretch: Stretch) -> Any:
            with library.database.session() as session:
                if current_bundle(session) is None:
                    promote_other(session)
            return listen(path, stretch)

        return meddle

    write_folder(library.root / "p", n_tracks=2)
    library.tools = make_tools(library.recorder, make_listen=listen_and_promote)
    library.must_add("p")
    assert library.recorder.encoders == [other]
    with library.database.read_session() as session:
        counts = catalogue_counts(session)
    assert counts.n_embeddings == {FINGERPRINT: 2, config.fingerprint: 2}


def test_refit_and_train_are_handed_on(library: Library) -> None:
    refitted = library.do(JobKind.REFIT, reason="a track was removed")
    with library.database.read_session() as session:
        in_service = current_bundle(session)
    assert in_service is not None
    assert refitted.result == {"bundle": in_service.id}
    assert library.recorder.reasons == ["a track was removed"]
    assert library.do(JobKind.TRAIN).result == {
        "verdict": "kept",
        "scorecard": {"bundle": None, "balanced_accuracy": {}},
    }


def test_silent_files_are_made_as_meant(bad_files: dict[str, str], library: Library) -> None:
    import soundfile

    y, sample_rate_hz = soundfile.read(library.root / "p" / "silent.wav")
    assert sample_rate_hz == SAMPLE_RATE_HZ
    assert not y.any()
    assert len(y) > 3 * SAMPLE_RATE_HZ


def test_when_nothing_is_left_to_learn_from_nothing_is_served(library: Library) -> None:
    from training.groups.refit import NothingToLearn

    def refuse(*_: object, **__: object) -> str:
        raise NothingToLearn("no playlist is left")

    write_folder(library.root / "p", n_tracks=1)
    library.must_add("p")
    library.tools = replace(library.tools, refit=refuse)
    job = library.do(JobKind.REFIT)
    assert job.state is JobState.SUCCEEDED
    assert job.result == {"bundle": None, "why": "no playlist is left"}
    with library.database.read_session() as session:
        assert current_bundle(session) is None


def test_after_a_new_encoder_came_into_service_the_rest_of_the_library_is_heard(library: Library) -> None:
    library.tools = replace(library.tools, train=lambda *_, **__: {"promoted": True, "why": "better"})
    assert library.do(JobKind.TRAIN).message == "better"
    assert library.waiting() == [JobKind.SCAN]


def test_a_training_overtaken_by_a_new_playlist_is_done_again(library: Library) -> None:
    def overtaken(*_: object, **__: object) -> dict[str, Any]:
        raise ChampionChanged("bundle b was to replace a, but c is in service")

    library.tools = replace(library.tools, train=overtaken)
    job = library.do(JobKind.TRAIN)
    assert (job.state, job.result["promoted"]) == (JobState.SUCCEEDED, False)
    assert "scorecard" not in job.result
    assert library.waiting() == [JobKind.TRAIN]


def test_a_training_stands_when_there_is_nothing_to_judge(library: Library) -> None:
    def judge(*_: object, **__: object) -> dict[str, Any]:
        raise NoModel("no model is in service")

    library.tools = replace(library.tools, judge=judge)
    job = library.do(JobKind.TRAIN)
    assert job.state == JobState.SUCCEEDED
    assert job.result == {"verdict": "kept", "scorecard": {"error": "no model is in service"}}


def test_the_figures_of_every_group_reach_the_job(library: Library) -> None:
    def judge(*_: object, **__: object) -> dict[str, Any]:
        groups = [{"group": "default", "balanced_accuracy": 0.8}, {"group": "taste", "error": "one playlist"}]
        return {"bundle": "b", "groups": groups}

    library.tools = replace(library.tools, judge=judge)
    figures = {"default": 0.8, "taste": None}
    scorecard = library.do(JobKind.TRAIN).result["scorecard"]
    assert scorecard == {"bundle": "b", "balanced_accuracy": figures}


def test_a_fit_overtaken_by_another_model_is_done_again_with_its_encoder(
    library: Library, tmp_path: Path
) -> None:
    config = replace(load_encoder_config(TINY_ENCODER), name="tiny, tuned")
    other = shutil.copytree(TINY_ENCODER, tmp_path / "other")
    save_encoder_config(config, other)
    overtaken = []

    def refit(database: Database, settings: Settings, **options: Any) -> str:
        if not overtaken:
            overtaken.append(options["encoder_directory"])
            with database.session() as session:
                add_bundle(session, "b", directory=other, fingerprint=config.fingerprint, summary={})
                promote_bundle(session, "b")
            raise ChampionChanged("bundle c was to replace a, but b is in service")
        return library.recorder.refit(database, settings, **options)

    write_folder(library.root / "p", n_tracks=2)
    library.tools = replace(library.tools, refit=refit)
    library.must_add("p")
    assert (overtaken, library.recorder.encoders) == ([TINY_ENCODER], [other])
    with library.database.read_session() as session:
        assert catalogue_counts(session).n_embeddings[config.fingerprint] == 2
