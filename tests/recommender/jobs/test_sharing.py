"""Steps that a job's worker shares: each is one worker's, comes back when that one dies, is told of once."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.errors import LeaseLost
from recommender.jobs import ledger
from recommender.jobs.sharing import (
    find_help,
    give_steps_back,
    keep_steps,
    share_steps,
    take_lost_steps,
    take_reports,
)
from recommender.jobs.steps import (
    Claim,
    add_items,
    claim_items,
    failed_items,
    item_counts,
    item_crashed,
    item_done,
)
from recommender.records.jobs import JobKind
from recommender.records.tracks import TrackFacts
from tests.databases import postgresql_only

KINDS = frozenset({JobKind.SCORE_FEED})
LEASE_S = 30.0
KEYS = [f"step {number}" for number in range(8)]


def do(database: Database, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with database.session() as session:
        return function(session, *arguments, **options)


@pytest.fixture
def holder(database: Database) -> Claim:
    """The right to a job whose steps are shared."""
    do(database, ledger.enqueue, JobKind.SCORE_FEED, {"feed_id": 1})
    claim = do(database, ledger.claim, "holder", LEASE_S)
    assert do(database, find_help, kinds=KINDS) is None
    do(database, add_items, claim, KEYS)
    assert do(database, find_help, kinds=KINDS) is None  # nothing was shared yet
    do(database, share_steps, claim, {"encoder": "e"})
    return claim


@pytest.fixture
def helper(database: Database, holder: Claim) -> Claim:
    claim = do(database, find_help, kinds=KINDS)
    assert claim.sharing == {"encoder": "e", "lease_s": LEASE_S}
    assert (claim.is_helper, holder.is_helper, claim.lease_s) == (True, False, LEASE_S)
    return claim


def let_leases_end(database: Database, *, table: str = "job_item", by_s: float = 60.0) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET lease_expires_at = lease_expires_at - {by_s}"))


def test_every_step_is_one_workers(database: Database, holder: Claim, helper: Claim) -> None:
    other = do(database, find_help, kinds=KINDS)
    taken = [item.key for claim in (helper, holder, other) for item in do(database, claim_items, claim, 3)]
    assert sorted(taken) == KEYS
    assert do(database, find_help, kinds=KINDS) is None
    assert do(database, find_help, kinds=KINDS, but_not={holder.job_id}) is None


def test_what_a_helper_has_done_is_told_of_once(database: Database, holder: Claim, helper: Claim) -> None:
    own = do(database, claim_items, holder, 1)[0]
    first, second = do(database, claim_items, helper, 2)
    do(database, item_done, holder, own.id)
    do(database, item_done, helper, first.id)
    assert do(database, take_reports, holder) == [first.key]
    assert do(database, take_reports, holder) == []
    assert do(database, take_lost_steps, holder)  # it is at the second one still
    do(database, item_done, helper, second.id)
    assert not do(database, take_lost_steps, holder)
    assert do(database, take_reports, holder) == [second.key]
    assert do(database, item_counts, holder.job_id).n_done == 3


def test_a_step_whose_lease_ran_out_is_done_by_another_and_by_nobody_else(
    database: Database, holder: Claim, helper: Claim
) -> None:
    lost, kept = do(database, claim_items, helper, 2)
    let_leases_end(database)
    assert not do(database, keep_steps, helper)  # late, but before anybody noticed
    assert do(database, take_lost_steps, holder)
    let_leases_end(database)
    do(database, item_done, helper, kept.id)
    assert not do(database, take_lost_steps, holder)
    again = do(database, claim_items, holder, 1)[0]
    assert (again.key, again.tries) == (lost.key, 2)
    with pytest.raises(LeaseLost):
        do(database, item_done, helper, lost.id)
    do(database, item_done, holder, again.id)
    assert do(database, take_reports, holder) == [kept.key]


def test_a_step_that_three_helpers_died_of_is_set_aside_and_told_of(
    database: Database, holder: Claim, helper: Claim
) -> None:
    for tries in (1, 2, 3):
        item = do(database, claim_items, helper, 1)[0]
        assert (item.key, item.tries) == (KEYS[0], tries)
        let_leases_end(database)
        do(database, take_lost_steps, holder)
    assert do(database, take_reports, holder) == [KEYS[0]]
    [failed] = do(database, failed_items, holder.job_id)
    assert (failed.key, failed.code) == (KEYS[0], "worker_died")


def test_a_step_that_broke_a_helpers_decoder_waits_for_anybody(
    database: Database, holder: Claim, helper: Claim
) -> None:
    item = do(database, claim_items, helper, 1)[0]
    assert do(database, item_crashed, helper, item.id, code="c", error="e")
    assert do(database, take_reports, holder) == []
    assert do(database, claim_items, holder, 1)[0].key == item.key


def test_a_clock_put_back_does_not_keep_a_dead_helpers_steps(
    database: Database, holder: Claim, helper: Claim
) -> None:
    do(database, claim_items, helper, 2)
    let_leases_end(database, by_s=-7200.0)
    assert not do(database, take_lost_steps, holder)
    assert len(do(database, claim_items, holder, 8)) == 8


def test_what_a_helper_gives_back_was_no_try(database: Database, holder: Claim, helper: Claim) -> None:
    do(database, claim_items, helper, 2)
    do(database, give_steps_back, helper)
    assert [item.tries for item in do(database, claim_items, holder, 8)] == [1] * 8


def test_a_helper_stops_when_the_job_does(database: Database, holder: Claim, helper: Claim) -> None:
    assert not do(database, keep_steps, helper)
    do(database, ledger.cancel, holder.job_id)
    assert do(database, keep_steps, helper)
    assert do(database, claim_items, helper, 1) == []
    do(database, ledger.acknowledge_cancel, holder)
    assert do(database, keep_steps, helper)


def test_a_helper_takes_nothing_of_a_job_whose_worker_is_gone_or_asks_for_something_else(
    database: Database, holder: Claim, helper: Claim
) -> None:
    mine = do(database, claim_items, helper, 1)[0]
    do(database, share_steps, holder, {"encoder": "another"})
    assert do(database, claim_items, helper, 1) == []
    let_leases_end(database, table="job")
    assert do(database, find_help, kinds=KINDS) is None
    next_holder = do(database, ledger.claim, "next", LEASE_S)
    assert do(database, find_help, kinds=KINDS) is None  # until it shares as well
    do(database, item_done, helper, mine.id)  # what was begun may be ended
    do(database, share_steps, next_holder, {"encoder": "e"})
    assert do(database, take_reports, next_holder) == [mine.key]
    with pytest.raises(LeaseLost):
        do(database, share_steps, holder, {})
    with pytest.raises(LeaseLost):
        do(database, take_lost_steps, holder)


@postgresql_only
def test_workers_that_ask_at_the_same_moment_get_different_steps(
    database: Database, holder: Claim, helper: Claim
) -> None:
    do(database, add_items, holder, [f"{number}" for number in range(200)])
    taken: list[str] = []
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        while items := do(database, claim_items, helper, 3):
            taken.extend(item.key for item in items)

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted({*KEYS, *(f"{number}" for number in range(200))})


@postgresql_only
def test_two_workers_that_hear_the_same_audio_at_once_make_one_track(database: Database) -> None:
    together, found = threading.Barrier(2), []

    def record(name: str) -> None:
        facts = TrackFacts(title=name, artist=name, content_sha256="the same")
        together.wait()
        path = Path(f"/music/{name}.flac")
        found.append(do(database, record_file, path, size=1, mtime_ns=1, facts=facts))

    for number in range(10):
        threads = [threading.Thread(target=record, args=(f"{name} {number}",)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
