"""Other processes of this program: kept running beside it, and ended with it."""

import logging
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from recommender.settings import Settings

RESTART_AFTER_S = 2.0
GRACE_S = 10.0
_log = logging.getLogger(__name__)


def whichlist_command(settings: Settings) -> list[str]:
    """How to call this program again, on the same data."""
    script = Path(sys.executable).with_name("whichlist")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "api.cli"]
    return [*program, "--data", str(settings.data)]


@contextmanager
def kept_running(
    command: Sequence[str], *, restart_after_s: float = RESTART_AFTER_S, grace_s: float = GRACE_S
) -> Iterator[None]:
    """Run a command beside this program, again when it ends; at the end of the block it is ended, too.

    Its standard input closes when this program ends, however that happens: it has to end then.
    """
    stop = threading.Event()
    keeper = threading.Thread(target=_keep, args=(command, stop, restart_after_s, grace_s), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def check_is_up(url: str) -> None:
    """Raise unless the server at ``url`` answers."""
    with urllib.request.urlopen(f"{url}/healthz", timeout=1.0):
        pass


def _keep(command: Sequence[str], stop: threading.Event, restart_after_s: float, grace_s: float) -> None:
    while not stop.is_set():
        # Ctrl-C is for this program, which then closes the input of the other.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        while process.poll() is None and not stop.wait(0.1):
            pass
        if not stop.is_set():
            _log.warning("%s ended with exit code %s; it is started again", command[-2:], process.returncode)
            stop.wait(restart_after_s)
            continue
        _end(process, grace_s)


def _end(process: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Close its input, which asks it to end, and make it end if it does not."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(timeout=grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
