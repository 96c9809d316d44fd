"""Work in a process of its own: what it imports goes when it ends, and what kills it kills nothing else.

TensorFlow alone keeps a gigabyte for as long as its process lives. Imports nothing slow, because every such
process imports this module.
"""

import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pickle import PicklingError
from typing import IO, Any

from embeddings.other_process import describe_exit, start_process
from recommender.errors import MissingLibrary, TryDied
from recommender.settings import quiet_environment

_SHOWN_BYTES = 2000
Progress = Callable[[int, int, str], None]


def run_apart(function: str, *, progress: Progress | None = None, **arguments: Any) -> Any:
    """Call ``module:function`` in another process and return what it returns.

    The arguments and the result must be picklable. With ``progress`` the function gets a ``progress`` too,
    each call of which is made here; when that raises, the other process is ended. Its errors are raised here.

    Raises
    ------
    TryDied
        The process died, as of too little memory.
    """
    with tempfile.TemporaryFile() as said:
        # Notices about processors and delegates are nothing for a person at a terminal.
        process, pipe = start_process(
            "training.apart:work_and_tell", stdout=said, stderr=said, env=quiet_environment()
        )
        try:
            with suppress(BrokenPipeError):  # it died at once: _follow notices
                pipe.send((function, arguments, progress is not None))
            return _follow(pipe, progress)
        except (EOFError, ConnectionError):
            raise TryDied(_describe_death(process.wait(), said)) from None
        finally:
            process.kill()
            process.wait()
            pipe.close()


def _follow(pipe: Connection, progress: Progress | None) -> Any:
    """Hand on what the other process tells, until it tells how it ended."""
    while True:
        kind, told = pipe.recv()
        if kind == "result":
            return told
        if kind == "error" and isinstance(told, ModuleNotFoundError):
            raise MissingLibrary.named(told.name) from told
        if kind == "error":
            raise told
        assert progress is not None
        progress(*told)


def _describe_death(exit_code: int, said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SHOWN_BYTES))
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return f"the process that did the work died ({describe_exit(exit_code)})" + (
        f": {lines[-1]}" if lines else ""
    )


def work_and_tell(handle: int) -> None:
    """The life of the other process: one call, told through the pipe; it ends with its parent."""
    pipe = Connection(handle)
    function, arguments, wants_progress = pipe.recv()
    threading.Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()
    telling = threading.Lock()

    def tell(kind: str, what: Any) -> None:
        with telling, suppress(BrokenPipeError):
            pipe.send((kind, what))

    if wants_progress:
        arguments["progress"] = lambda n_done, n_total, message="": tell(
            "progress", (n_done, n_total, message)
        )
    module, _, name = function.partition(":")
    try:
        result = getattr(import_module(module), name)(**arguments)
    except Exception as error:
        try:
            tell("error", error)
        except (PicklingError, TypeError, AttributeError):
            tell("error", RuntimeError(f"{type(error).__name__}: {error}"))
    else:
        tell("result", result)


def _end_with_parent(pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        pipe.recv()  # nothing is ever sent: it returns when the parent is gone
    os._exit(1)
