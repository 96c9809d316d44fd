"""Another Python process and the pipe to it, which closes when either of them ends.

Not multiprocessing, whose processes would first import all that this program's command imports. Imports
nothing slow, because every such process imports this module.
"""

import contextlib
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

_PROGRAM = """
import sys
sys.path[:] = {path!r}
from {module} import {name}
{name}({arguments})
"""


def start_process(
    function: str, *arguments: int, **options: Any
) -> tuple["subprocess.Popen[bytes]", Connection]:
    """Call ``module:function`` in a process of its own, with its handle of the pipe and ``arguments``.

    It reads nothing from a terminal, and Ctrl-C there is for this program alone, which then ends the other.
    ``options`` are those of :class:`subprocess.Popen`.
    """
    module, _, name = function.partition(":")
    pipe, other_end = Pipe()
    handed = ", ".join(map(str, (other_end.fileno(), *arguments)))
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.format(path=sys.path, module=module, name=name, arguments=handed)],
        stdin=subprocess.DEVNULL,
        pass_fds=[other_end.fileno()],
        start_new_session=True,
        **options,
    )
    other_end.close()
    return process, pipe


def describe_exit(exit_code: int) -> str:
    """Say how a process ended: the signal's name, or its exit code."""
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-exit_code).name
    return f"exit code {exit_code}"
