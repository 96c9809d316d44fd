"""Processes that listen to files, so that a file that kills its decoder takes nothing else with it.

Each process holds one file at a time: when one dies or hangs, it is known which file was to blame, and
the others are not disturbed. Imports nothing slow, because every process imports this module.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from embeddings.encoder import Encoder, TrackEmbedding
from embeddings.errors import EmbeddingError
from embeddings.other_process import describe_exit, start_process
from embeddings.stretch import WHOLE, Stretch

LONGEST_LISTEN_S = 120.0
LONGEST_START_S = 60.0
CRASHED_CODE = "decoder_crashed"
HUNG_CODE = "decoder_hung"

Listen = Callable[[Path, Stretch], TrackEmbedding]
MakeListen = Callable[[Path], Listen]


class ListenerNotStarted(Exception):
    """A process could not load the encoder: no file is to blame."""

    code = "encoder_not_loaded"


@dataclass(frozen=True, eq=False)
class Heard:
    """What became of a file: its embedding, or a code and a sentence; ``crashed`` if it broke the process."""

    key: int
    embedding: TrackEmbedding | None = None
    code: str = ""
    error: str = ""
    crashed: bool = False


def make_encoder(directory: Path) -> Listen:
    """The ordinary way to listen, with one thread: there is one process for each core already."""
    return Encoder.load(directory, n_threads=1).listen


def listen_to(listen: Listen, key: int, path: Path, stretch: Stretch) -> Heard:
    """Listen to one file, or a stretch of it, in this process; every outcome is a value."""
    try:
        return Heard(key, embedding=listen(path, stretch))
    except EmbeddingError as error:
        return Heard(key, code=error.code, error=str(error))
    except Exception as error:
        return Heard(key, code="internal_error", error=f"{type(error).__name__}: {error}")


class Listeners:
    """A few processes, each with the encoder loaded once. Close it, or use it in a ``with``."""

    def __init__(
        self,
        directory: Path,
        *,
        n_processes: int,
        make_listen: MakeListen = make_encoder,
        longest_listen_s: float = LONGEST_LISTEN_S,
    ) -> None:
        self._directory, self._make_listen = directory, make_listen
        self._longest_listen_s = longest_listen_s
        self._all = [self._start() for _ in range(n_processes)]

    def __enter__(self) -> "Listeners":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def n_idle(self) -> int:
        """How many files may be submitted now."""
        return sum(listener.key is None for listener in self._all)

    def submit(self, key: int, path: Path, stretch: Stretch = WHOLE) -> None:
        """Give a file to an idle process; ``key`` comes back with what became of it."""
        next(listener for listener in self._all if listener.key is None).submit(key, path, stretch)

    def collect(self, timeout_s: float) -> list[Heard]:
        """What became of the files that are done by now, waiting for the first at most so long."""
        busy = [listener for listener in self._all if listener.key is not None]
        wait([listener.pipe for listener in busy], timeout_s)
        heard = []
        for row, listener in enumerate(self._all):
            outcome = listener.poll() if listener.key is not None else None
            if outcome is None:
                continue
            heard.append(outcome)
            if outcome.crashed:
                listener.close()
                self._all[row] = self._start()
        return heard

    def _start(self) -> "_Listener":
        return _Listener(self._directory, self._make_listen, longest_listen_s=self._longest_listen_s)

    def close(self) -> None:
        """End the processes, in the middle of a file if need be."""
        for listener in self._all:
            listener.close()


class ListenHere:
    """Stands in for Listeners when a few files are sooner heard here than a process is started.

    A file that kills its decoder kills this program, so only files on their first try belong here.
    """

    def __init__(self, listen: Listen) -> None:
        self._listen = listen
        self._heard: list[Heard] = []

    def __enter__(self) -> "ListenHere":
        return self

    def __exit__(self, *_: object) -> None:
        self._heard.clear()

    @property
    def n_idle(self) -> int:
        """How many files may be submitted now."""
        return 0 if self._heard else 1

    def submit(self, key: int, path: Path, stretch: Stretch = WHOLE) -> None:
        """Listen to a file, now."""
        self._heard.append(listen_to(self._listen, key, path, stretch))

    def collect(self, timeout_s: float) -> list[Heard]:
        """What became of the file."""
        heard, self._heard = self._heard, []
        return heard


class _Listener:
    """One process and the pipe to it, which closes when either of them ends."""

    def __init__(self, directory: Path, make_listen: MakeListen, *, longest_listen_s: float) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        # Decoders talk a lot; what matters of it comes back as a sentence.
        self._process, self.pipe = start_process(
            "training.listening.listeners:listen_for_ever", stderr=self._said
        )
        with contextlib.suppress(BrokenPipeError):  # poll() will notice
            self.pipe.send((directory, make_listen))
        self._is_ready = False
        self._longest_listen_s = longest_listen_s
        self._deadline = time.monotonic() + LONGEST_START_S
        self.key: int | None = None

    def submit(self, key: int, path: Path, stretch: Stretch) -> None:
        self.key = key
        if self._is_ready:
            self._deadline = time.monotonic() + self._longest_listen_s
        with contextlib.suppress(BrokenPipeError):  # it has died meanwhile; poll() will notice
            self.pipe.send((key, os.fsencode(path), stretch))

    def poll(self) -> Heard | None:
        """What became of the file, None while it is listened to."""
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if isinstance(message, Heard):
                    self.key = None
                    return message
                self._begin(message)
        except (EOFError, ConnectionError):
            return self._ended(CRASHED_CODE, f"the decoder died ({describe_exit(self._process.wait())})")
        if time.monotonic() > self._deadline:
            return self._ended(HUNG_CODE, f"the decoder was still busy after {self._longest_listen_s:g} s")
        return None

    def _begin(self, failure: str) -> None:
        """The process says how loading the encoder went; from now on the time counts for the file."""
        if failure:
            raise ListenerNotStarted(failure)
        self._is_ready = True
        self._deadline = time.monotonic() + self._longest_listen_s

    def _ended(self, code: str, error: str) -> Heard:
        if not self._is_ready:
            self._said.seek(0)
            last = self._said.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise ListenerNotStarted(f"a process that listens could not start: {error}; {last}".rstrip("; "))
        assert self.key is not None
        return Heard(self.key, code=code, error=error, crashed=True)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        self._said.close()


def listen_for_ever(handle: int) -> None:
    """The life of a listener at the other end of a pipe: load the encoder once, then file after file."""
    pipe = Connection(handle)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        directory, make_listen = pipe.recv()
        try:
            listen = make_listen(directory)
        except Exception as error:
            pipe.send(f"the encoder in {directory} could not be loaded: {error}")
            return
        pipe.send("")
        while True:
            key, path, stretch = pipe.recv()
            pipe.send(listen_to(listen, key, Path(os.fsdecode(path)), stretch))
