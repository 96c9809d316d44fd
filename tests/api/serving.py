"""A web process of its own on a test's catalogue."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.api.conftest import Filled
from tests.waiting import wait_for

REPOSITORY = Path(__file__).parents[2]


def environment(filled: Filled, *, token: str | None = None) -> dict[str, str]:
    """The environment of a process on the test's catalogue."""
    named = {
        "WHICHLIST_DATA": str(filled.settings.data),
        "WHICHLIST_DATABASE_URL": filled.settings.database_url,
        "WHICHLIST_QUEUE_URL": filled.settings.queue_url,
        "WHICHLIST_LIBRARY_ROOTS": str(filled.sounds.library),
    }
    return os.environ | named | ({"WHICHLIST_API_TOKEN": token} if token else {})


@contextmanager
def served(filled: Filled, folder: Path, *, token: str | None = None) -> Iterator[tuple[str, int]]:
    """(address, process id) of a server that runs meanwhile; it logs to ``folder / "log"``."""
    log = folder / "log"
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--without-worker", "--port", "0"],
            cwd=REPOSITORY,
            env=environment(filled, token=token),
            stderr=file,
        )
    try:
        wait_for(lambda: "listens on " in log.read_text(), patience_s=60)
        yield log.read_text().partition("listens on ")[2].split()[0], server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=20)
    assert code == 0, log.read_text()
