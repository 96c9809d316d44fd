"""Processes beside this program: kept running, and ended with it, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api.supervise import kept_running
from tests.waiting import wait_for

# Each writes its process id to a file, then ends when its input does, by itself, or not at all.
OBEDIENT = "import sys; sys.stdin.read()"
FAILING = "import sys; sys.exit(3)"
STUBBORN = "import time, signal as s; s.signal(s.SIGTERM, s.SIG_IGN); time.sleep(600)"


def command(body: str, log: Path) -> list[str]:
    code = f"import os; open({str(log)!r}, 'a').write(f'{{os.getpid()}}\\n'); {body}"
    return [sys.executable, "-c", code]


def started(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("body", [OBEDIENT, STUBBORN])
def test_it_runs_beside_the_block_and_ends_with_it(body: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with kept_running(command(body, log), grace_s=0.5):
        wait_for(lambda: started(log))
        assert is_alive(started(log)[0])
    assert not is_alive(started(log)[0])


def test_one_that_ends_is_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with kept_running(command(FAILING, log), restart_after_s=0.01):
        wait_for(lambda: len(started(log)) >= 3)
    assert not any(is_alive(pid) for pid in started(log))


def test_it_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"""
import time
from api.supervise import kept_running
with kept_running({command(OBEDIENT, log)!r}):
    time.sleep(600)
"""
    program = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    wait_for(lambda: started(log))
    program.send_signal(signal.SIGKILL)
    program.wait()
    wait_for(lambda: not is_alive(started(log)[0]))


def test_ctrl_c_is_for_the_program_that_ends_the_other(tmp_path: Path) -> None:
    """A terminal tells all of a session; the other would answer with a traceback."""
    log = tmp_path / "log"
    code = f"""
import signal, time
from api.supervise import kept_running
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts tests in the background ignores it
try:
    with kept_running({command(OBEDIENT, log)!r}):
        time.sleep(600)
except KeyboardInterrupt:
    pass
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: started(log))
    os.killpg(program.pid, signal.SIGINT)
    assert program.communicate(timeout=60)[1] == ""
    assert not is_alive(started(log)[0])
