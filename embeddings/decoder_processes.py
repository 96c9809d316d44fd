"""Decoding in processes that may die: a file made to hurt, or a fault in a decoder, takes nothing else along.

Imports nothing slow, because every such process imports this module first.
"""

import contextlib
import pickle
import subprocess
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from embeddings.errors import DecoderCrashed, DecoderHung
from embeddings.other_process import describe_exit, start_process

LONGEST_CALL_S = 60.0
LONGEST_START_S = 60.0
MOST_BYTES = 4 << 30
# So many wait for work; more are started while more requests come at once, and end with them.
N_KEPT = 2

Result = TypeVar("Result")


class RunApart(Protocol):
    """Gives the result of a call without arguments, wherever it runs."""

    def __call__(self, call: Callable[[], Result]) -> Result:
        """What the call returns; what it raises is raised."""


def run_here(call: Callable[[], Result]) -> Result:
    """Call in this process: for a program that serves nobody else."""
    return call()


class DecoderProcesses:
    """Runs calls in processes of their own, each used again; safe to share between threads.

    A call must be picklable: a function of a module with :func:`functools.partial`.
    """

    def __init__(self, *, longest_call_s: float = LONGEST_CALL_S, most_bytes: int = MOST_BYTES) -> None:
        self._longest_call_s, self._most_bytes = longest_call_s, most_bytes
        self._lock, self._idle = threading.Lock(), list[_Process]()

    def __call__(self, call: Callable[[], Result]) -> Result:
        """What the call returns; what it raises is raised.

        Raises
        ------
        DecoderCrashed, DecoderHung
            It took its process along, or was given up; the next call gets a new process.
        """
        with self._lock:
            process = self._idle.pop() if self._idle else None
        if process is None or not process.is_alive:
            process = _Process(self._most_bytes)
        try:
            outcome, value = process.run(call, self._longest_call_s)
        except BaseException:
            process.close()
            raise
        with self._lock:
            is_kept = len(self._idle) < N_KEPT
            if is_kept:
                self._idle.append(process)
        if not is_kept:
            process.close()
        if outcome == "raised":
            raise value
        result: Result = value
        return result

    def close(self) -> None:
        """End the processes that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()


class _Process:
    """One process and the pipe to it; it ends when the pipe closes."""

    def __init__(self, most_bytes: int) -> None:
        self._process, self._pipe = start_process(
            "embeddings.decoder_processes:serve_calls",
            most_bytes,
            stderr=subprocess.DEVNULL,  # decoders talk a lot; what matters of it comes back as a sentence
        )
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, call: Callable[[], Any], longest_s: float) -> tuple[str, Any]:
        try:
            self._pipe.send(pickle.dumps(call))
            if not self._is_ready:
                # Starting takes a second or two on a busy machine, which is no fault of the file.
                self._receive(LONGEST_START_S)
                self._is_ready = True
            outcome: tuple[str, Any] = pickle.loads(self._receive(longest_s))
            return outcome
        except (EOFError, ConnectionError, BrokenPipeError):
            raise DecoderCrashed(f"the decoder died ({describe_exit(self._process.wait())})") from None

    def _receive(self, longest_s: float) -> bytes:
        if not self._pipe.poll(longest_s):
            raise DecoderHung(f"the decoder was still busy after {longest_s:g} s")
        return self._pipe.recv_bytes()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()


def serve_calls(handle: int, most_bytes: int) -> None:
    """The life of a decoder process: call after call, until the pipe closes."""
    pipe = Connection(handle)
    _limit_memory(most_bytes)
    pipe.send_bytes(b"ready")
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            call = pickle.loads(pipe.recv())
            try:
                outcome = ("returned", call())
            except Exception as error:
                outcome = ("raised", error)
            pipe.send_bytes(pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL))


def _limit_memory(most_bytes: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such limit on this system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
