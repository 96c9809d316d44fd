"""One feed and several workers on one database, each with its own data folder: together, each track once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.catalogue.database import Database
from recommender.records.feeds import FeedInfo
from recommender.settings import Settings
from tests.databases import postgresql_only
from tests.folders import listened
from tests.training.background.feeding import add_feed, serve_model, write_releases
from tests.training.background.fleets import Fleet, Watch, ask, assert_each_scored_once, kill

N_TRACKS = 40


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Fleet]:
    # Slow enough that even on a busy machine every worker is up before the feed is over.
    fleet = Fleet(settings, listen_s=0.5)
    yield fleet
    fleet.close()


@pytest.fixture
def feed(tmp_path: Path, database: Database, settings: Settings) -> FeedInfo:
    serve_model(database, settings)
    return add_feed(database, write_releases(tmp_path / "new", n_tracks=N_TRACKS))


@postgresql_only
def test_three_workers_score_one_feed_together(
    tmp_path: Path, database: Database, fleet: Fleet, feed: FeedInfo
) -> None:
    watch = Watch(database, feed, ask(database, feed))
    for _number in range(3):
        fleet.start()
    job = watch.until_over()
    assert_each_scored_once(watch, n_tracks=N_TRACKS, job=job)
    assert len(watch.tokens) >= 3, "not every worker took part"
    assert set(Counter(listened(tmp_path)).values()) == {1}


@pytest.mark.parametrize("who", ["holder", "helper"])
def test_when_one_of_them_is_killed_the_others_do_its_part(
    database: Database, fleet: Fleet, feed: FeedInfo, who: str
) -> None:
    watch = Watch(database, feed, ask(database, feed))
    workers = [fleet.start() for _number in range(2)]
    watch.until(lambda: len(watch.tokens) >= 2)
    holder = fleet.holder(database, watch.job_id)
    helper = next(worker for worker in workers if worker is not holder)
    assert holder is not None
    kill(holder if who == "holder" else helper)
    n_done = watch.n_done
    assert n_done < N_TRACKS
    job = watch.until_over()
    assert_each_scored_once(watch, n_tracks=N_TRACKS, job=job)
