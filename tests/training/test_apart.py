"""Work in a process of its own: what it returns, tells and raises, and what happens when it dies."""

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from recommender.errors import MissingLibrary, NoSuchTrack, TryDied
from training.apart import run_apart

HERE = "tests.training.test_apart"


def double(*, number: int) -> int:
    return 2 * number


def count(*, to: int, progress: Callable[[int, int, str], None]) -> int:
    for number in range(to):
        progress(number, to, f"number {number}")
    return os.getpid()


def fail() -> None:
    raise NoSuchTrack("there is no track 7")


def fail_unpicklably() -> None:
    error = ValueError("odd")
    error.thread = signal.default_int_handler  # type: ignore[attr-defined]
    error.held = lambda: None  # type: ignore[attr-defined]
    raise error


def lack() -> None:
    import a_library_that_nobody_has  # noqa: F401  # type: ignore[import-not-found]


def die(*, number: int) -> None:
    sys.stderr.write("the last words\n")
    sys.stderr.flush()
    os.kill(os.getpid(), number)


def work_for_ever(*, progress: Callable[[int, int, str], None]) -> None:
    while True:
        progress(os.getpid(), 0, "at work")
        time.sleep(0.01)


def test_what_it_returns_and_tells_arrives_here() -> None:
    assert run_apart(f"{HERE}:double", number=21) == 42
    told: list[tuple[int, int, str]] = []
    other = run_apart(f"{HERE}:count", to=3, progress=lambda *step: told.append(step))
    assert told == [(0, 3, "number 0"), (1, 3, "number 1"), (2, 3, "number 2")]
    assert other != os.getpid()


def test_its_errors_are_raised_here() -> None:
    with pytest.raises(NoSuchTrack, match="no track 7"):
        run_apart(f"{HERE}:fail")
    with pytest.raises(RuntimeError, match="ValueError: odd"):
        run_apart(f"{HERE}:fail_unpicklably")
    with pytest.raises(MissingLibrary, match="lacks a_library_that_nobody_has"):
        run_apart(f"{HERE}:lack")


def test_its_death_is_a_failed_try_that_says_how(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TryDied, match=r"died \(SIGKILL\): the last words"):
        run_apart(f"{HERE}:die", number=signal.SIGKILL)
    assert capfd.readouterr() == ("", "")


def test_whoever_stops_listening_ends_it() -> None:
    others: list[int] = []

    def stop(number: int, _total: int, _message: str) -> None:
        others.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_apart(f"{HERE}:work_for_ever", progress=stop)
    with pytest.raises(ProcessLookupError):
        os.kill(others[0], 0)
