"""Scans whose worker is killed, overtaken, stopped, cancelled or not alone: nothing twice, nothing lost."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embeddings.stretch import Stretch
from recommender.catalogue.database import Database
from recommender.catalogue.models import catalogue_counts, current_bundle, list_bundles
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here, run_worker
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.settings import Settings
from tests.folders import TINY_ENCODER, Listen, listen_and_log, listen_slowly, listened, write_folder
from tests.training.background.handling import N_PROCESSES, Recorder, make_tools
from tests.waiting import wait_for
from training.background.handlers import build_handler
from training.listening.scanning import FEW_FILES

N_TRACKS = 12
LEASE_S = 1.0
PATIENCE_S = 60.0

StartWorker = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[StartWorker]:
    """Start a worker process that takes a while over each file; those still alive are killed at the end."""
    workers = []

    def start() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.training.background.handling"]
        where = [str(settings.data), settings.database_url, str(LEASE_S)]
        workers.append(subprocess.Popen([*command, *where], cwd=Path(__file__).parents[3]))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


def enqueue(database: Database, folder: Path, name: str = "p") -> int:
    with database.session() as session:
        return ledger.enqueue(session, JobKind.ADD_PLAYLIST, {"name": name, "folder": str(folder / name)})


def get(database: Database, job_id: int) -> JobInfo:
    with database.read_session() as session:
        return ledger.get_job(session, job_id)


def assert_all_heard_once(database: Database, n_tracks: int = N_TRACKS) -> None:
    with database.read_session() as session:
        counts = catalogue_counts(session)
    assert (counts.n_tracks, counts.n_files, counts.n_failed_files) == (n_tracks, n_tracks, 0)
    assert list(counts.n_embeddings.values()) == [n_tracks]


def children_of(process_id: int) -> list[int]:
    of_threads = Path(f"/proc/{process_id}/task").glob("*/children")
    return [int(child) for listing in of_threads for child in listing.read_text().split()]


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_killed_in_the_middle_of_a_scan_is_made_up_for(
    tmp_path: Path, database: Database, start_worker: StartWorker
) -> None:
    write_folder(tmp_path / "p", n_tracks=N_TRACKS)
    job_id = enqueue(database, tmp_path)
    first = start_worker()
    wait_for(lambda: get(database, job_id).n_done >= 3)
    listeners = children_of(first.pid)
    assert listeners
    first.send_signal(signal.SIGKILL)
    first.wait()
    n_done = get(database, job_id).n_done
    assert 3 <= n_done < N_TRACKS
    wait_for(lambda: not any(map(is_running, listeners)))
    heard_before = listened(tmp_path)

    start_worker()
    wait_for(lambda: get(database, job_id).state.is_final)
    job = get(database, job_id)
    assert (job.state, job.error, job.n_failed) == (JobState.SUCCEEDED, None, 0)
    assert_all_heard_once(database)
    with database.read_session() as session:
        assert len(list_bundles(session)) == 1
    # Only what was in flight may have been listened to a second time.
    times = Counter(listened(tmp_path))
    assert set(times) == {f"{number:02}.flac" for number in range(N_TRACKS)}
    again = {name for name, n in times.items() if n > 1}
    assert max(times.values()) <= 2
    assert len(again) <= len(heard_before) - n_done + N_PROCESSES
    assert len(again) < N_TRACKS / 2


def test_two_workers_share_the_jobs_and_no_file_is_heard_twice(
    tmp_path: Path, database: Database, start_worker: StartWorker
) -> None:
    names = ["p", "q", "r", "s"]
    for number, name in enumerate(names):
        write_folder(tmp_path / name, n_tracks=3, first_hz=200 + 500 * number)
    ids = [enqueue(database, tmp_path, name) for name in names]
    start_worker()
    start_worker()
    wait_for(lambda: all(get(database, job_id).state.is_final for job_id in ids))
    assert {get(database, job_id).state for job_id in ids} == {JobState.SUCCEEDED}
    assert len(listened(tmp_path)) == 3 * len(names)
    assert_all_heard_once(database, 3 * len(names))


def test_a_worker_whose_lease_ran_out_records_nothing_more(
    tmp_path: Path, database: Database, make_settings: Callable[..., Settings]
) -> None:
    """The first worker is suspended (a closed laptop), the second takes over, the first wakes up."""
    settings = make_settings(lease_s=0.5)
    write_folder(tmp_path / "p", n_tracks=FEW_FILES)
    job_id = enqueue(database, tmp_path)
    suspended, wake_up = threading.Event(), threading.Event()

    def listen_until_suspended(directory: Path) -> Listen:
        listen = listen_and_log(directory)

        def listen_and_sleep(path: Path, stretch: Stretch) -> object:
            heard = listen(path, stretch)
            suspended.set()
            wake_up.wait(PATIENCE_S)
            return heard

        return listen_and_sleep  # type: ignore[return-value]

    late, prompt = Recorder(), Recorder()
    first = build_handler(settings, tools=make_tools(late, make_listen=listen_until_suspended))

    def work_without_heartbeat() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("recommender.jobs.run.LONGEST_HEARTBEAT_S", PATIENCE_S)
            patch.setattr("recommender.jobs.run.HEARTBEATS_PER_LEASE", 1 / PATIENCE_S)
            run_job_here(settings, job_id, first)

    thread = threading.Thread(target=work_without_heartbeat)
    thread.start()
    assert suspended.wait(PATIENCE_S)
    second = build_handler(settings, tools=make_tools(prompt))
    job = run_job_here(settings, job_id, second)
    assert job.state is JobState.SUCCEEDED
    bundle = job.result["bundle"]
    wake_up.set()
    thread.join()
    assert (late.reasons, prompt.reasons) == ([], ["playlist 'p' was added"])
    assert get(database, job_id).result["bundle"] == bundle
    assert_all_heard_once(database, FEW_FILES)


def test_a_cancelled_scan_stops_keeps_what_it_heard_and_can_be_done_again(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    write_folder(tmp_path / "p", n_tracks=N_TRACKS)
    job_id = enqueue(database, tmp_path)
    recorder = Recorder()
    handle = build_handler(settings, tools=make_tools(recorder, make_listen=listen_slowly))

    def cancel_after_two(job: JobInfo) -> None:
        if job.n_done >= 2 and not job.cancel_requested:
            with database.session() as session:
                ledger.cancel(session, job.id)

    job = run_job_here(settings, job_id, handle, on_progress=cancel_after_two)
    assert (job.state, recorder.reasons) == (JobState.CANCELLED, [])
    with database.read_session() as session:
        n_kept = catalogue_counts(session).n_tracks
        assert current_bundle(session) is None
    assert 2 <= n_kept < N_TRACKS
    again = run_job_here(settings, enqueue(database, tmp_path), handle)
    assert (again.state, again.result["n_new"]) == (JobState.SUCCEEDED, N_TRACKS - n_kept)
    assert_all_heard_once(database)


def test_a_worker_told_to_stop_gives_its_job_back(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    write_folder(tmp_path / "p", n_tracks=N_TRACKS)
    job_id = enqueue(database, tmp_path)
    handle = build_handler(settings, tools=make_tools(Recorder(), make_listen=listen_slowly))
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(settings, handle, stop))
    worker.start()
    wait_for(lambda: get(database, job_id).n_done >= 2)
    stop.set()
    worker.join(PATIENCE_S)
    assert not worker.is_alive()
    job = get(database, job_id)
    assert (job.state, job.tries) == (JobState.QUEUED, 0)
    assert run_job_here(settings, job_id, handle).state is JobState.SUCCEEDED
    assert_all_heard_once(database)


def test_a_listener_that_cannot_load_the_encoder_fails_the_job_not_the_files(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    write_folder(tmp_path / "p", n_tracks=FEW_FILES + 1)
    tools = make_tools(Recorder(), make_listen=refuse_to_load)
    job = run_job_here(settings, enqueue(database, tmp_path), build_handler(settings, tools=tools))
    assert (job.state, job.error_code, job.n_failed) == (JobState.FAILED, "encoder_not_loaded", 0)
    assert str(TINY_ENCODER) in (job.error or "")


def refuse_to_load(_directory: Path) -> Listen:
    raise OSError(f"no room left, says {os.name}")
