"""Small data sets in the real ones' layouts, made of tones; some of their files broken on purpose."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000

# The FMA's own numbers and titles: Rock > Punk > Post-Punk; Hip-Hop; Instrumental.
GENRES = {
    12: ("Rock", 0),
    21: ("Hip-Hop", 0),
    1235: ("Instrumental", 0),
    25: ("Punk", 12),
    58: ("Post-Punk", 25),
}
HEADER = (
    *(("album", "title"), ("artist", "bio"), ("artist", "name"), ("set", "split"), ("set", "subset")),
    *(("track", "genre_top"), ("track", "genres"), ("track", "title")),
)


@dataclass(frozen=True)
class FmaTrack:
    """One line of tracks.csv; ``genres`` are numbers of :data:`GENRES`."""

    track_id: int
    genres: tuple[int, ...]
    artist: str = "Somebody"
    split: str = "training"
    subset: str = "small"
    top: str | None = None
    bio: str = ""


def write_tone(path: Path, *, pitch_hz: float, duration_s: float = 1.2, **more: str) -> Path:
    """Write a tone; the name's suffix decides the format, unless ``format`` does."""
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.4 * np.sin(2 * np.pi * pitch_hz * t), samplerate=RATE_HZ, **more)
    return path


def write_tune(path: Path, *, seed: int, gain: float = 1.0, rate_hz: int = RATE_HZ) -> Path:
    """Write four notes a second that no other seed plays."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(0.25 * rate_hz)) / rate_hz
    notes = [np.sin(2 * np.pi * pitch_hz * t) for pitch_hz in rng.uniform(150, 4000, size=12)]
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.4 * gain * np.concatenate(notes), samplerate=rate_hz)
    return path


def write_fma(folder: Path, tracks: Sequence[FmaTrack], *, subset: str = "small") -> Path:
    """Write ``fma_metadata`` and an ``fma_<subset>`` with a clip for each track of that subset."""
    metadata = folder / "fma_metadata"
    metadata.mkdir(parents=True)
    with (metadata / "genres.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("genre_id", "#tracks", "parent", "title", "top_level"))
        lines.writerows((number, 1, parent, title, 0) for number, (title, parent) in GENRES.items())
    with (metadata / "tracks.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("", *(first for first, _ in HEADER)))
        lines.writerow(("", *(second for _, second in HEADER)))
        lines.writerow(("track_id", *("" for _ in HEADER)))
        lines.writerows(_fma_line(track) for track in tracks)
    for track in tracks:
        if track.subset == subset:
            path = fma_clip(folder, track.track_id, subset=subset)
            write_tone(path, pitch_hz=200 + 5 * track.track_id)
    return folder


def fma_clip(folder: Path, track_id: int, *, subset: str = "small") -> Path:
    """Where the clip of a track lies."""
    return folder / f"fma_{subset}" / f"{track_id // 1000:03d}" / f"{track_id:06d}.mp3"


def _fma_line(track: FmaTrack) -> tuple[object, ...]:
    top = track.top
    if top is None:
        number = track.genres[0]
        while GENRES[number][1]:
            number = GENRES[number][1]
        top = GENRES[number][0]
    said = (track.bio, track.artist, track.split, track.subset, top)
    return (track.track_id, "An album, with a comma", *said, list(track.genres), f"Piece {track.track_id}")


def write_gtzan(
    folder: Path, counts: Mapping[str, int], *, root: str = "genres", suffix: str = ".wav"
) -> Path:
    """Write so many tracks of each genre, each with a tune of its own."""
    for genre_number, (genre, n_tracks) in enumerate(counts.items()):
        for number in range(n_tracks):
            path = folder / root / genre / f"{genre}.{number:05d}{suffix}"
            write_tune(path, seed=100 * genre_number + number)
    return folder
