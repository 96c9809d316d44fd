"""Files damaged by a seeded recipe, over all formats, and how long what is left of each may be called."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

WHOLE_S = 12.0
RATE_HZ = 44_100
# A click or an encoder's padding.
SLACK_S = 0.6

# name -> what ffmpeg is told beside it.
ENCODINGS: dict[str, tuple[str, ...]] = {
    "a.mp3": (),
    "vbr.mp3": ("-q:a", "4", "-write_xing", "0", "-id3v2_version", "0"),
    "a.m4a": ("-movflags", "+faststart"),
    "end.m4a": (),
    "alac.m4a": ("-c:a", "alac"),
    "a.flac": (),
    "a.ogg": (),
    "a.opus": ("-c:a", "libopus"),
    "flac.oga": ("-c:a", "flac"),
    "a.wav": (),
    "a.aiff": (),
    "a.caf": (),
    "a.w64": (),
    "a.au": (),
    "a.wma": (),
    "a.wv": (),
    "a.tta": (),
    "a.mka": (),
    "a.webm": (),
    "a.aac": (),
    "a.mp2": (),
    "a.ac3": (),
    "a.dts": ("-strict", "-2"),
}


@dataclass(frozen=True)
class Damaged:
    """A damaged file.

    Attributes
    ----------
    least_s, most_s : float
        Between these is what a player may find in it; a length outside needs a mark.
    """

    path: Path
    encoding: str
    recipe: str
    least_s: float
    most_s: float

    def is_honest(self, duration_s: float, heard_in_part: str | None) -> bool:
        """Whether a length is that of the file, or said not to be."""
        return heard_in_part is not None or self.least_s <= duration_s <= self.most_s


def write_whole_files(folder: Path) -> dict[str, bytes]:
    """Encoding -> the content of a whole file of it, by ffmpeg."""
    program = shutil.which("ffmpeg")
    assert program is not None, "the corpus is made by ffmpeg"
    rng = np.random.default_rng(440)
    t = np.arange(round(WHOLE_S * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(rng.choice([110.0, 147.0, 196.0, 262.0], 24)[(t * 2).astype(int)]) / RATE_HZ
    y = 0.3 * np.sin(phase) + 0.15 * np.sin(3 * phase) + 0.05 * rng.standard_normal(len(t))
    source = folder / "source.wav"
    soundfile.write(source, np.stack([y, 0.8 * y], axis=1), RATE_HZ)
    content = {}
    for name, options in ENCODINGS.items():
        path = folder / name
        subprocess.run([program, "-v", "error", "-y", "-i", source, *options, path], check=True)
        content[name] = path.read_bytes()
    return content


def write_damaged(folder: Path, n_files: int, *, seed: int = 440) -> Iterator[Damaged]:
    """Damage whole files, each encoding and each recipe in turn, and write them one at a time."""
    whole = write_whole_files(folder)
    rng = np.random.default_rng(seed)
    names, recipes = list(whole), list(RECIPES)
    for number in range(n_files):
        encoding, recipe = names[number % len(names)], recipes[number // len(names) % len(recipes)]
        content, least, most = RECIPES[recipe](whole[encoding], rng)
        path = folder / f"damaged-{number}{Path(encoding).suffix}"
        path.write_bytes(content)
        yield Damaged(path, encoding, recipe, least * WHOLE_S - SLACK_S, most * WHOLE_S + SLACK_S)
        path.unlink()


Recipe = Callable[[bytes, np.random.Generator], tuple[bytes, float, float]]


def _flip(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """A few bits of the whole file."""
    torn = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, len(torn), rng.integers(1, 40))
    torn[places] ^= np.uint8(1) << rng.integers(0, 8, len(places)).astype(np.uint8)
    return torn.tobytes(), 0.85, 1.0


def _flip_head(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """A few bits of the header, which may then say anything."""
    torn = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, 512, 6)
    torn[places] ^= np.uint8(1) << rng.integers(0, 8, 6).astype(np.uint8)
    return torn.tobytes(), 0.0, np.inf


def _cut(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """The end is missing."""
    share = rng.uniform(0.2, 0.9)
    return content[: int(share * len(content))], 0.7 * share, min(1.3 * share + 0.1, 1.0)


def _cut_front(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """The beginning is missing, header and all."""
    share = rng.uniform(0.05, 0.6)
    return content[int(share * len(content)) :], 0.0, 1.0


def _hole(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """Noise in place of a stretch."""
    n_bytes = int(rng.uniform(0.005, 0.05) * len(content))
    start = int(rng.uniform(0.1, 0.9) * (len(content) - n_bytes))
    return content[:start] + rng.bytes(n_bytes) + content[start + n_bytes :], 0.85, 1.0


def _insert(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """Noise between two halves."""
    start = int(rng.uniform(0.1, 0.9) * len(content))
    return content[:start] + rng.bytes(int(rng.integers(1, 8_000))) + content[start:], 0.85, 1.05


def _double(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """A stretch twice."""
    start = int(rng.uniform(0.1, 0.8) * len(content))
    stop = start + int(rng.uniform(0.01, 0.1) * len(content))
    return content[:stop] + content[start:], 0.85, 1.15


def _swap_head(content: bytes, rng: np.random.Generator) -> tuple[bytes, float, float]:
    """The beginning of a WAV, of an MP4 or of nothing at all."""
    heads = (
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"\0\0\0\x20ftypM4A \0\0\0\0",
        rng.bytes(64),
        bytes(64),
    )
    head = heads[rng.integers(len(heads))]
    return head + content[len(head) :], 0.0, 1.15


RECIPES: dict[str, Recipe] = {
    "bits flipped": _flip,
    "bits of the head flipped": _flip_head,
    "end cut off": _cut,
    "front cut off": _cut_front,
    "noise in place": _hole,
    "noise inserted": _insert,
    "a stretch doubled": _double,
    "another head": _swap_head,
}
