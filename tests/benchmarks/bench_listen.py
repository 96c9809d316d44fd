"""How long it takes to hear one track: Encoder.listen beside bliss-audio, in one run, on the same files.

``python -m tests.benchmarks.bench_listen [--encoder DIRECTORY] [--repeats 15] [--threads 2]``

The two take turns on each file, so that whatever else the machine does falls on both; figures are medians.
bliss-audio decodes and analyses every second of a track, on one core; we hear up to eight windows of 3 s.
"""

import argparse
import json
import math
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile

from embeddings.encoder import Encoder
from recommender.settings import load_settings
from training.encoder.export import ensure_encoder

SAMPLE_RATE_HZ = 44_100
DURATIONS_S = (30, 210)
FORMATS = ("mp3", "ogg", "flac")
STEPS = ("decode", "mel", "encode")
# A process of its own: on processors with AVX2 but without AVX-512 it dies of an illegal instruction.
PEER = """
import sys, time
from bliss_audio import Song
for line in sys.stdin:
    started = time.perf_counter()
    Song(line.rstrip("\\n"))
    print(1e3 * (time.perf_counter() - started), flush=True)
"""


def main() -> None:
    """Measure and print a table, or one line of JSON."""
    arguments = _parse_arguments()
    directory = arguments.encoder or ensure_encoder(load_settings())
    encoder = Encoder.load(directory, n_threads=arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        peer, n_repeats = Peer(), arguments.repeats
        rows = [measure(path, encoder, peer, n_repeats=n_repeats) for path in write_tracks(Path(folder))]
    report = {
        "machine": describe_machine(),
        "encoder": encoder.config.name,
        "rows": rows,
        "note": peer.why_not,
    }
    print(json.dumps(report) if arguments.json else format_table(report))  # noqa: T201


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", type=Path, help="directory of an encoder; default: the one in use first")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def write_tracks(folder: Path) -> list[Path]:
    """Write the same made stereo music in every length and format."""
    paths = []
    for duration_s in DURATIONS_S:
        y = made_music(duration_s)
        for suffix in FORMATS:
            paths.append(folder / f"{duration_s}s.{suffix}")
            with soundfile.SoundFile(paths[-1], "w", samplerate=SAMPLE_RATE_HZ, channels=2) as file:
                for start in range(0, len(y), SAMPLE_RATE_HZ):
                    file.write(y[start : start + SAMPLE_RATE_HZ])
    return paths


def made_music(duration_s: float) -> np.ndarray:
    """Chords, a bass and noise beats at 120 per minute: (n_samples, 2) float32."""
    rng = np.random.default_rng(440)
    t = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    bar = (t / 2).astype(int)
    root_hz = rng.choice([110.0, 130.8, 146.8, 164.8], size=bar[-1] + 1)[bar]
    phase = 2 * np.pi * np.cumsum(root_hz) / SAMPLE_RATE_HZ
    chords = sum(np.sin(ratio * phase) / ratio for ratio in (1.0, 1.25, 1.5, 2.0, 3.0, 4.0))
    beats = np.exp(-8 * (2 * t % 1)) * rng.standard_normal((2, len(t)))
    return (0.1 * chords + 0.15 * beats).T.astype(np.float32)


class Peer:
    """bliss-audio, as long as it lives; it says why it does not."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PEER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.why_not = ""

    def analyse(self, path: Path) -> float:
        """Milliseconds for one file; NaN once it is dead."""
        if self.why_not:
            return math.nan
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            code = self._process.wait()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self.why_not = f"bliss-audio cannot run here ({how}): its column is empty"
            return math.nan
        return float(answer)


def measure(path: Path, encoder: Encoder, peer: Peer, *, n_repeats: int) -> dict[str, float | str]:
    """Medians in milliseconds of one file, after one hearing that is not counted."""
    ours, theirs, steps = [], [], []
    for _ in range(n_repeats + 1):
        heard, spent_ms = timed(lambda: encoder.listen(path))
        ours.append(spent_ms)
        steps.append(heard.timing_ms)
        theirs.append(peer.analyse(path))
    row: dict[str, float | str] = {"file": path.name, "bliss": median(theirs[1:]), "ours": median(ours[1:])}
    return row | {step: median(timing[step] for timing in steps[1:]) for step in STEPS}


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Result of a call and how many milliseconds it took."""
    started = time.perf_counter()
    result = call()
    return result, 1e3 * (time.perf_counter() - started)


def describe_machine() -> str:
    """Processor model and number of cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return f"{next(names, platform.processor() or 'unknown processor')}, {os.cpu_count()} cores"


def format_table(report: dict) -> str:
    """Return the report as a Markdown table."""
    lines = [
        f"{report['machine']}; encoder {report['encoder']}; medians in ms",
        "",
        "| track | bliss-audio | Encoder.listen | decode | mel | encode | ours / bliss |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        values = " | ".join(f"{row[name]:.1f}" for name in ("bliss", "ours", *STEPS))
        lines.append(f"| {row['file']} | {values} | {row['ours'] / row['bliss']:.2f} |")
    return "\n".join([*lines, "", report["note"]] if report["note"] else lines)


if __name__ == "__main__":
    main()
