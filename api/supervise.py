"""Run the server and the worker side by side, and end them together."""

import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from types import FrameType

_LOOK_EVERY_S = 0.2
_GRACE_S = 10.0


class _Stop(Exception):
    """A signal asked for the end."""


def run_together(commands: Sequence[Sequence[str]], *, once_up: Callable[[], None]) -> int:
    """Run ``commands`` until one of them ends or a signal comes; return the exit code of the one that ended.

    ``once_up`` is called between two looks, until it has returned once without an exception.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _raise_stop)
    processes = [subprocess.Popen(command) for command in commands]
    waiting = [once_up]
    try:
        while all(process.poll() is None for process in processes):
            if waiting and _succeeds(waiting[0]):
                waiting.pop()
            time.sleep(_LOOK_EVERY_S)
        codes: list[int] = [abs(process.returncode or 0) for process in processes]
        return max(codes)
    except _Stop:
        return 0
    finally:
        _end(processes)


def check_is_up(url: str) -> None:
    """Raise unless the server at ``url`` says that it is ready."""
    with urllib.request.urlopen(f"{url}/readyz", timeout=1.0):
        pass


def _succeeds(call: Callable[[], None]) -> bool:
    try:
        call()
    except (OSError, urllib.error.URLError):
        return False
    return True


def _raise_stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask every process to end, and make those that do not."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _GRACE_S
    for process in processes:
        try:
            process.wait(timeout=max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
