"""A library that the first release heard is heard again as this program hears, while the old model serves."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from embeddings.config import PatchConfig
from embeddings.encoder_files import load_encoder_config, save_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.models import current_bundle
from recommender.errors import ChampionChanged
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.model.bundle import LoadedBundle, read_bundle
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.folders import TINY_ENCODER, listen_and_log, write_folder
from tests.training.background.handling import Recorder, make_tools
from training.background.handlers import build_handler
from training.challenge import renewal
from training.challenge.renewal import Renewal, ask_for_renewal, outdated_encoder, renew_front_end
from training.encoder.available import find_base, is_trained_encoder
from training.encoder.export import ensure_encoder
from training.groups.refit import refit

NOW = load_encoder_config(TINY_ENCODER)
THEN = replace(NOW, patches=PatchConfig(level=None), front_end=1)
N_TRACKS = 5


class OldLibrary:
    """Two playlists that were heard, and are served, with the front end of the first release."""

    def __init__(self, database: Database, settings: Settings, root: Path) -> None:
        self.database, self.settings, self.root = database, settings, root
        self.old = settings.encoders_directory / THEN.fingerprint
        shutil.copytree(TINY_ENCODER, self.old)
        save_encoder_config(THEN, self.old)
        self.trained_on: list[Path] = []
        self.tools = replace(
            make_tools(Recorder(), make_listen=listen_and_log),
            ensure_encoder=lambda _settings: self.old,
            refit=refit,
            renew=self.renew,
            train=self.train,
        )
        for number, name in enumerate(("low", "high")):
            write_folder(root / name, n_tracks=N_TRACKS, first_hz=200.0 + 2000 * number)
            job = self.do(JobKind.ADD_PLAYLIST, name=name, folder=str(root / name), group="default")
            assert job.state is JobState.SUCCEEDED
        self.cancel_trainings()

    def renew(self, database: Database, settings: Settings, **options: Any) -> dict[str, Any] | None:
        found = renew_front_end(database, settings, **options)
        return found and vars(found)

    def train(self, *_: object, encoder_directory: Path, **__: object) -> dict[str, Any]:
        self.trained_on.append(encoder_directory)
        return {"trained": True, "promoted": False, "why": "no better"}

    def do(self, kind: JobKind, **payload: Any) -> JobInfo:
        with self.database.session() as session:
            job_id = ledger.enqueue(session, kind, payload)
        return run_job_here(self.settings, job_id, build_handler(self.settings, tools=self.tools))

    def waiting(self) -> list[JobInfo]:
        with self.database.read_session() as session:
            return ledger.list_jobs(session, state=JobState.QUEUED)

    def cancel_trainings(self) -> None:
        for job in self.waiting():
            with self.database.session() as session:
                ledger.cancel(session, job.id)

    def served(self) -> LoadedBundle:
        with self.database.read_session() as session:
            champion = current_bundle(session)
        assert champion is not None
        return read_bundle(champion.directory)

    def n_heard(self, fingerprint: str) -> int:
        with self.database.read_session() as session:
            return len(load_embeddings(session, fingerprint)[0])


@pytest.fixture
def library(tmp_path: Path, database: Database, settings: Settings) -> OldLibrary:
    return OldLibrary(database, settings, tmp_path / "music")


def quiet(*_: object) -> None:
    """Progress that nobody follows."""


@sqlite_only
def test_it_is_heard_again_and_served_and_then_trained_on(library: OldLibrary) -> None:
    assert library.served().config == THEN
    ask_for_renewal(library.settings)
    ask_for_renewal(library.settings)
    (asked,) = library.waiting()
    with library.database.session() as session:
        claim = ledger.claim(session, "another worker", 30.0, job_id=asked.id)
        assert claim is not None
    ask_for_renewal(library.settings)  # which begins with the one that runs
    assert library.waiting() == []
    with library.database.session() as session:
        ledger.release(session, claim)
    job = run_job_here(library.settings, asked.id, build_handler(library.settings, tools=library.tools))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    served = library.served()
    assert served.config == NOW
    assert job.result["renewal"] == {"bundle_id": served.bundle_id, "why": "the library was heard again"}
    assert library.n_heard(NOW.fingerprint) == library.n_heard(THEN.fingerprint) == 2 * N_TRACKS
    assert [folder.name for folder in library.trained_on] == [NOW.fingerprint]
    ask_for_renewal(library.settings)
    assert library.waiting() == []
    assert renew_front_end(library.database, library.settings, progress=quiet) is None


@sqlite_only
def test_meanwhile_the_old_model_serves_and_learns(library: OldLibrary) -> None:
    """A quick fit in the middle of the renewal goes by the old ears; the renewal then begins with it."""
    began = library.served().bundle_id
    seen = []

    def progress(done: int, _total: int, _message: str = "") -> None:
        seen.append(library.served().config)
        if done == 1:
            assert library.do(JobKind.REFIT, reason="feedback").state is JobState.SUCCEEDED

    found = renew_front_end(library.database, library.settings, progress=progress)
    assert found is not None
    assert set(map(str, seen)) == {str(THEN)}
    served = library.served()
    assert (served.config, served.bundle_id) == (NOW, found.bundle_id)
    assert served.report["replaced"] != began


@sqlite_only
def test_files_that_are_away_keep_the_old_model_in_service(library: OldLibrary) -> None:
    (library.root / "high").rename(library.root / "unplugged")
    job = library.do(JobKind.TRAIN)
    assert job.state is JobState.SUCCEEDED
    assert job.result["why"] == (
        "the old model stays in service: 5 of 10 tracks of playlists could not be heard again,"
        " because their files are away or cannot be read"
    )
    assert library.served().config == THEN
    assert library.trained_on == []
    (library.root / "unplugged").rename(library.root / "high")
    assert library.do(JobKind.TRAIN).state is JobState.SUCCEEDED
    assert library.served().config == NOW


@sqlite_only
def test_a_renewal_that_was_killed_goes_on_where_it_was(
    library: OldLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(done: int, *_: object) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renew_front_end(library.database, library.settings, progress=die)
    assert library.served().config == THEN
    assert library.n_heard(NOW.fingerprint) == 3
    heard: list[int] = []
    renew_front_end(library.database, library.settings, progress=lambda done, total, _: heard.append(total))
    assert set(heard) == {2 * N_TRACKS - 3}
    assert library.served().config == NOW


@sqlite_only
def test_playlists_that_change_meanwhile_make_it_look_again(
    library: OldLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over, tries = renewal.take_over, []

    def overtaken(*arguments: Any, **options: Any) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ChampionChanged("playlists came or went")
        return take_over(*arguments, **options)

    monkeypatch.setattr(renewal, "take_over", overtaken)
    found = renew_front_end(library.database, library.settings, progress=quiet)
    assert isinstance(found, Renewal) and found.bundle_id == library.served().bundle_id
    assert len(tries) == 2


@sqlite_only
def test_without_a_model_nothing_is_due(database: Database, settings: Settings) -> None:
    assert outdated_encoder(database, settings) is None
    assert renew_front_end(database, settings, progress=quiet) is None


@sqlite_only
def test_the_network_to_begin_with_is_renewed_too_and_has_learnt_as_little(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, no_tensorflow: Callable[[], None]
) -> None:
    no_tensorflow()
    base = settings.encoders_directory / THEN.fingerprint
    shutil.copytree(TINY_ENCODER, base)
    save_encoder_config(THEN, base)
    (settings.encoders_directory / "base.json").write_text(f'{{"small_cnn": "{THEN.fingerprint}"}}')
    settings = replace(settings, pretrained="off")
    assert ensure_encoder(settings).name == NOW.fingerprint
    assert (
        find_base(settings.encoders_directory, "small_cnn") == settings.encoders_directory / NOW.fingerprint
    )
    assert not is_trained_encoder(settings, NOW)
    assert not is_trained_encoder(settings, THEN)
    assert is_trained_encoder(settings, replace(NOW, network_sha256="0" * 64))


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make an export, which takes TensorFlow, fail."""
    return lambda: monkeypatch.setattr("training.encoder.export.export_base_encoder", None)
