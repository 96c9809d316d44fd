"""Two processes that live and die together."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
FAIL = [sys.executable, "-c", "import sys, time; time.sleep(0.3); sys.exit(3)"]
STUBBORN = [
    *(sys.executable, "-c"),
    "import time, signal as s; s.signal(s.SIGTERM, s.SIG_IGN); print(1, flush=True); time.sleep(60)",
]


def supervise(commands: list[list[str]], *, grace_s: float = 10.0) -> subprocess.Popen[str]:
    """Start a supervisor of its own, because it takes over the signals of its process."""
    code = f"""
import sys
from api import supervise
supervise._GRACE_S = {grace_s}
tries = []
def once_up():
    tries.append(1)
    if len(tries) < 3:
        raise ConnectionRefusedError
    print("up", len(tries), flush=True)
sys.exit(supervise.run_together({commands!r}, once_up=once_up))
"""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_when_one_fails_the_other_is_ended_and_the_failure_is_reported() -> None:
    process = supervise([SLEEP, FAIL])
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 3
    assert output.count("up") <= 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both_and_counts_as_success(number: signal.Signals) -> None:
    process = supervise([SLEEP, SLEEP])
    assert process.stdout is not None
    assert process.stdout.readline() == "up 3\n"  # tried until it went well, and then no more
    children = children_of(process.pid)
    assert len(children) == 2
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert not any(is_alive(child) for child in children)


def test_a_process_that_will_not_end_is_made_to() -> None:
    process = supervise([STUBBORN, SLEEP], grace_s=0.5)
    assert process.stdout is not None
    assert {process.stdout.readline(), process.stdout.readline()} == {"1\n", "up 3\n"}
    children = children_of(process.pid)
    process.terminate()
    assert process.wait(timeout=30) == 0
    assert not any(is_alive(child) for child in children)
