"""Nobody's request is dropped while the model is swapped."""

import threading
from concurrent.futures import ThreadPoolExecutor

from apiflask import APIFlask

from recommender.catalogue.models import promote_bundle
from tests.api.conftest import Filled
from tests.databases import sqlite_only

N_THREADS = 4
N_SWAPS = 6


@sqlite_only
def test_requests_are_answered_while_models_are_promoted(app: APIFlask, filled: Filled) -> None:
    stop = threading.Event()
    address = f"/recommend?track={filled.track_ids[0]}"

    def hammer(_: int) -> list[tuple[int, str]]:
        client, seen = app.test_client(), []
        while not stop.is_set():
            response = client.get(address)
            seen.append((response.status_code, response.get_json().get("model", "")))
        return seen

    with ThreadPoolExecutor(N_THREADS) as pool:
        running = pool.map(hammer, range(N_THREADS))
        client = app.test_client()
        try:
            for swap in range(N_SWAPS):
                wanted = filled.bundle_ids[(swap + 1) % 2]
                with filled.database.session() as session:  # as a worker does it, in another process
                    promote_bundle(session, wanted)
                assert client.get(address).get_json()["model"] == wanted
        finally:
            stop.set()
        seen = [answer for answers in running for answer in answers]
    assert {status for status, _ in seen} == {200}
    assert {model for _, model in seen} == set(filled.bundle_ids)
    assert len(seen) >= N_THREADS
