"""What it costs to read the windows of one track in every format, in processor time beside mp3's.

``python -m tests.benchmarks.bench_decode [--repeats 15] [--seconds 210]``; the files are made by ffmpeg. All
formats take turns, so that whatever else the machine does falls on all; figures are medians.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import soundfile

from embeddings.audio import read_windows
from embeddings.config import MelConfig, PatchConfig
from embeddings.decoder_processes import DecoderProcesses
from embeddings.patches import track_patches
from tests.benchmarks.bench_listen import SAMPLE_RATE_HZ, describe_machine, made_music

FORMATS: dict[str, tuple[str, ...]] = {
    "mp3": ("-b:a", "192k"),
    "m4a": ("-b:a", "160k"),
    "alac.m4a": ("-c:a", "alac"),
    "opus": ("-c:a", "libopus", "-b:a", "128k"),
    "ogg": ("-c:a", "libvorbis", "-q:a", "5"),
    **dict.fromkeys(("flac", "wav", "w64", "aiff", "caf", "au", "wma", "wv", "tta", "mka", "webm"), ()),
    "vbr.mp3": ("-q:a", "2", "-write_xing", "0"),
    **dict.fromkeys(("aac", "mp2", "ac3"), ()),
    "dts": ("-strict", "-2"),
}


def write_files(folder: Path, duration_s: float) -> list[Path]:
    """The same made music in every format."""
    source = folder / "source.wav"
    soundfile.write(source, made_music(int(duration_s)), SAMPLE_RATE_HZ)
    paths = []
    for name, options in FORMATS.items():
        paths.append(folder / f"a.{name}")
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", source, *options, paths[-1]], check=True)
    return paths


def main() -> None:
    """Print a line a format, then what a process of its own adds to a request."""
    parser = argparse.ArgumentParser(description="Read windows of every format.")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=210.0)
    arguments = parser.parse_args()
    read = partial(read_windows, window_s=3.008, max_windows=8, sample_rate_hz=16_000)
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), arguments.seconds)
        spent: dict[Path, list[float]] = {path: [] for path in paths}
        heard_s = {path: read(path).duration_s for path in paths}
        for _ in range(arguments.repeats):
            for path in paths:
                started = time.process_time()
                read(path)
                spent[path].append(time.process_time() - started)
        sys.stdout.write(f"{describe_machine()}; {arguments.seconds:g} s; median of {arguments.repeats}\n\n")
        sys.stdout.write("| format | heard, s | processor, s | beside mp3 |\n|---|---|---|---|\n")
        mp3_s = median(spent[paths[0]])
        for path in paths:
            cost_s = median(spent[path])
            name = path.name.removeprefix("a.")
            sys.stdout.write(f"| {name} | {heard_s[path]:.2f} | {cost_s:.3f} | {cost_s / mp3_s:.1f} |\n")
        sys.stdout.write(f"\n{isolation(paths[0], arguments.repeats)}\n")


def isolation(path: Path, n_repeats: int) -> str:
    """What hearing in a process of its own costs beside hearing here, in turn."""
    call, processes = partial(track_patches, path, MelConfig(), PatchConfig()), DecoderProcesses()
    here, apart = [], []
    for _ in range(n_repeats + 1):
        for run, spent in ((call, here), (partial(processes, call), apart)):
            started = time.perf_counter()
            run()
            spent.append(1e3 * (time.perf_counter() - started))
    processes.close()
    return f"patches of an mp3: {median(here[1:]):.1f} ms here, {median(apart[1:]):.1f} ms in a process apart"


if __name__ == "__main__":
    main()
