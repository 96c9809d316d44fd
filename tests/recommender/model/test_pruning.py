"""Old models go, those that may still be wanted stay, and a kill leaves nothing that leads nowhere."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalogue.database import Database
from recommender.catalogue.models import add_bundle, list_bundles, promote_bundle, retire_champion
from recommender.errors import NoSuchBundle
from recommender.jobs.ledger import enqueue
from recommender.model import pruning
from recommender.model.bundle import read_bundle, write_bundle
from recommender.model.in_service import ModelHolder
from recommender.model.pruning import models_to_keep, prune_models
from recommender.model.scorecards import write_scorecard
from recommender.model.shelf import ModelShelf
from recommender.records.jobs import JobKind
from recommender.records.models import BundleInfo
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import CONFIG, contents_of, make_world

MakeSettings = Callable[..., Settings]
WORLD = make_world()
TWO_HOURS_S = 7200.0


@pytest.fixture
def few(make_settings: MakeSettings, database: Database) -> Settings:
    """Keep two of each kind; the catalogue is a day old."""
    with database.session() as session:
        enqueue(session, JobKind.SCAN, {})
    _say(database, "UPDATE job SET created_at = created_at - 86400")
    return make_settings(keep_models=2)


def _say(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def publish(database: Database, settings: Settings, *, serve: bool = True) -> str:
    """One more model, as a fit publishes it."""
    directory = write_bundle(settings.bundles_directory, contents_of(WORLD, created_at=datetime.now(UTC)))
    with database.session() as session:
        add_bundle(session, directory.name, directory=directory, fingerprint=CONFIG.fingerprint, summary={})
        if serve:
            promote_bundle(session, directory.name)
    return directory.name


def judge(settings: Settings, bundle_id: str) -> None:
    write_scorecard(settings, bundle_id, {"bundle": bundle_id, "groups": []}, "<p>a page</p>")


def rows(database: Database) -> set[str]:
    with database.read_session() as session:
        return {bundle.id for bundle in list_bundles(session)}


def folders(parent: Path) -> set[str]:
    return {path.name for path in parent.iterdir()}


def age(paths: Iterable[Path], by_s: float = TWO_HOURS_S) -> None:
    for path in paths:
        then = time.time() - by_s
        os.utime(path, (then, then))


def test_what_may_still_be_wanted_stays(database: Database, few: Settings) -> None:
    judged, unjudged, judged_too, served, back, champion, newest = (
        publish(database, few) for _number in range(7)
    )
    for bundle_id in (judged, judged_too, served):
        judge(few, bundle_id)
    with database.session() as session:
        promote_bundle(session, back)
        promote_bundle(session, champion)  # so that `back` is what it replaced
    latest = publish(database, few, serve=False)
    removed = prune_models(database, few)
    assert set(removed) == {judged, unjudged}
    assert rows(database) == {judged_too, served, back, champion, newest, latest}
    assert folders(few.bundles_directory) == rows(database)
    assert folders(few.scorecards_directory) == {judged_too, served}
    for bundle_id in rows(database):
        read_bundle(few.bundles_directory / bundle_id)
    assert prune_models(database, few) == []


@sqlite_only
def test_when_nothing_is_in_service_what_was_last_stays(database: Database, few: Settings) -> None:
    served = publish(database, few)
    with database.session() as session:
        retire_champion(session)
    others = [publish(database, few, serve=False) for _number in range(4)]
    prune_models(database, few)
    assert rows(database) == {served, *others[-2:]}


def test_one_that_is_put_in_service_meanwhile_stays(
    database: Database, few: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, *_ = [publish(database, few) for _number in range(5)]
    choose = models_to_keep

    def choose_slowly(*arguments: object, **options: object) -> set[str]:
        kept = choose(*arguments, **options)  # type: ignore[arg-type]
        with database.session() as session:
            promote_bundle(session, old)
        return kept

    monkeypatch.setattr(pruning, "models_to_keep", choose_slowly)
    prune_models(database, few)
    assert old in rows(database)
    read_bundle(few.bundles_directory / old)


@pytest.mark.parametrize("when", ["row", "some files"])
@sqlite_only
def test_a_kill_leaves_no_row_that_leads_nowhere(database: Database, few: Settings, when: str) -> None:
    published = [publish(database, few) for _number in range(5)]
    for bundle_id in published:
        judge(few, bundle_id)
    command = [
        sys.executable,
        "-m",
        "tests.recommender.model.test_pruning",
        str(few.data),
        few.database_url,
        when,
    ]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == -signal.SIGKILL
    assert rows(database) == set(published[-2:])
    for bundle_id in rows(database):
        read_bundle(few.bundles_directory / bundle_id)
    # What the killed one left is swept once nobody can be at it any more.
    assert folders(few.bundles_directory) > rows(database)
    prune_models(database, few)
    assert folders(few.bundles_directory) > rows(database)
    age((*few.bundles_directory.iterdir(), *few.scorecards_directory.iterdir()))
    prune_models(database, few)
    assert folders(few.bundles_directory) == folders(few.scorecards_directory) == rows(database)


@sqlite_only
def test_directories_of_an_older_catalogue_are_left_alone(database: Database, few: Settings) -> None:
    """As after a move to PostgreSQL in the same data folder: they are that catalogue's models."""
    publish(database, few)
    stranger = write_bundle(few.bundles_directory, contents_of(WORLD))
    age([stranger], by_s=2 * 86400.0)
    prune_models(database, few)
    read_bundle(stranger)
    age([stranger])
    prune_models(database, few)
    assert not stranger.exists()


@sqlite_only
def test_a_model_asked_for_while_it_goes_away_is_not_found(
    database: Database, few: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, *_ = [publish(database, few) for _number in range(5)]
    shelf = ModelShelf(database, ModelHolder(database, encoder_threads=1), encoder_threads=1)
    find = ModelShelf._find

    def find_and_lose(self: ModelShelf, model_id: str) -> BundleInfo:
        info = find(self, model_id)
        prune_models(database, few)
        return info

    monkeypatch.setattr(ModelShelf, "_find", find_and_lose)
    with pytest.raises(NoSuchBundle, match=old):
        shelf.get(old)


@sqlite_only
def test_what_cannot_be_removed_does_not_fail_the_fit(
    database: Database, few: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(4):
        publish(database, few)

    def refuse(*_arguments: object) -> list[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pruning, "remove_bundles", refuse)
    assert prune_models(database, few) == []
    assert len(rows(database)) == 4


@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_never_more_is_kept_than_needed_and_never_the_wrong_ones(
    described: list[tuple[bool, bool]], n_newest: int, rng: object
) -> None:
    """``described``: of each model, oldest first, whether it was ever in service, and judged."""
    times = list(range(len(described)))
    rng.shuffle(times)  # type: ignore[attr-defined]
    served = [number for number, (was_served, _) in enumerate(described) if was_served]
    champion = max(served, key=times.__getitem__, default=None)
    bundles = [
        BundleInfo(
            id=f"2026-11-20-{number + 1}",
            state="champion" if number == champion else "retired",
            directory=Path("/nowhere"),
            fingerprint="",
            created_at=float(number),
            promoted_at=float(times[number]) if number in served else None,
            summary={},
        )
        for number in range(len(described))
    ]
    judged = {bundles[number].id for number, (_, was_judged) in enumerate(described) if was_judged}
    kept = models_to_keep(bundles, judged=judged, n_newest=n_newest)
    assert len(kept) <= 2 + 2 * n_newest
    assert kept >= {bundle.id for bundle in bundles[-n_newest:]}
    before = sorted(served, key=times.__getitem__)[-2:]
    assert kept >= {bundles[number].id for number in before}
    assert len(kept & judged) >= min(n_newest, len(judged))


def main(data: str, database_url: str, when: str) -> None:
    """Prune, and die when the rows are gone, or some files too."""
    from recommender.catalogue.database import open_database
    from recommender.settings import load_settings

    settings = load_settings({"data": data, "database_url": database_url, "keep_models": 2}, environ={})

    def die(path: Path, ignore_errors: bool = False) -> None:
        if when == "some files":
            next(path.glob("*.json")).unlink()
        os.kill(os.getpid(), signal.SIGKILL)

    shutil.rmtree = die  # type: ignore[assignment]
    prune_models(open_database(settings), settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
