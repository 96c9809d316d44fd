"""A decoder that dies, hangs or eats memory takes its own process along and nothing else."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from embeddings.config import MelConfig, PatchConfig
from embeddings.decoder_processes import DecoderProcesses
from embeddings.errors import DecoderCrashed, DecoderHung, UndecodableAudio
from embeddings.patches import track_patches


@pytest.fixture
def processes() -> Iterator[DecoderProcesses]:
    made = DecoderProcesses(longest_call_s=30.0, most_bytes=4 << 30)
    yield made
    made.close()


def die(number: int) -> None:
    """What a decoder does when it meets a fault."""
    os.kill(os.getpid(), number)


def eat(n_bytes: int) -> int:
    return len(np.ones(n_bytes, dtype=np.uint8))


def test_what_is_heard_apart_is_what_is_heard_here(processes, music, write_audio) -> None:
    path = write_audio("a.flac", music(8, sample_rate_hz=22_050), sample_rate_hz=22_050)
    call = partial(track_patches, path, MelConfig(), PatchConfig())
    np.testing.assert_array_equal(processes(call).patches, call().patches)


def test_one_process_serves_one_call_after_the_other(processes) -> None:
    assert processes(os.getpid) == processes(os.getpid) != os.getpid()


def test_errors_come_back_as_they_are(processes, tmp_path) -> None:
    path = tmp_path / "lyrics.mp3"
    path.write_text("no music")
    with pytest.raises(UndecodableAudio, match=r"lyrics.mp3"):
        processes(partial(track_patches, path, MelConfig(), PatchConfig()))


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGKILL])
def test_a_death_is_an_error_and_the_next_call_is_served(number, processes) -> None:
    with pytest.raises(DecoderCrashed, match=number.name):
        processes(partial(die, number))
    assert processes(partial(int, "7")) == 7


def test_whoever_hangs_is_given_up(tmp_path: Path) -> None:
    processes = DecoderProcesses(longest_call_s=0.2)
    with pytest.raises(DecoderHung, match=r"still busy after 0.2 s"):
        processes(partial(time.sleep, 60))
    processes.close()


def test_memory_is_bounded(processes) -> None:
    with pytest.raises((MemoryError, DecoderCrashed)):
        processes(partial(eat, 8 << 30))
    assert processes(partial(eat, 1 << 20)) == 1 << 20


def test_many_threads_ask_at_once(processes) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(processes(partial(int, str(n))))) for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [0, 1, 2, 3, 4]
