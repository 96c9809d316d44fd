"""The demo library: seeded tracks of invented artists in two styles, and some that fit neither.

It feeds the demo, the tests and CI. What has nothing to do with style (codec, sample rate, loudness, tone
control, stereo width, length) is dealt to both playlists from one pack, so that it cannot betray the style.
"""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile

from training.demo.arrangement import perform
from training.demo.plan import Delivery, DemoTrack, LibrarySize, TrackPlan, plan_demo_library
from training.demo.synthesis import Signal, band

MANIFEST_NAME = "demo.json"
# Raised whenever the same plan would give other bytes, so that an old demo library is made anew.
SOUND_VERSION = 1
SUBTYPES = {"mp3": "MPEG_LAYER_III", "flac": "PCM_16", "wav": "PCM_16"}
TONE_PIVOT_HZ = 800.0
FADE_S = 0.3

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class DemoLibrary:
    """A finished demo library: where it stands and what is in it."""

    folder: Path
    tracks: tuple[DemoTrack, ...]

    @property
    def library(self) -> Path:
        """Folder of playlists: one folder of tracks per style."""
        return self.folder / "library"

    @property
    def neither(self) -> Path:
        """Folder of tracks that fit no playlist."""
        return self.folder / "neither"

    @property
    def new_releases(self) -> Path:
        """Folder of tracks by artists who are in no playlist."""
        return self.folder / "new-releases"


def build_demo_library(
    folder: Path,
    *,
    seed: int = 440,
    size: LibrarySize = LibrarySize(),  # noqa: B008 - frozen
    n_processes: int | None = None,
    progress: Progress | None = None,
) -> DemoLibrary:
    """Return the demo library in ``folder``, made first unless it is there already.

    Parameters
    ----------
    folder : Path
        Receives ``library/hip hop``, ``library/electro``, ``neither``, ``new-releases`` and a manifest.
    seed : int
        The same seed and size give the same bytes.
    n_processes : int, optional
        Processes that synthesise, by default one per core and at most four; the bytes do not depend on it.
    progress : callable, optional
        Called with the tracks done, the tracks in all, and the file name of the last one.

    Raises
    ------
    FileExistsError
        ``folder`` holds something else than a demo library.
    """
    plans = plan_demo_library(size, seed=seed)
    manifest = _manifest(plans, seed=seed)
    if not _holds(folder, manifest):
        _clear(folder)
        partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _write_tracks(
            partial, plans, n_processes=n_processes or min(4, os.cpu_count() or 1), progress=progress
        )
        (partial / MANIFEST_NAME).write_text(manifest, encoding="utf-8")
        partial.replace(folder)
    return DemoLibrary(folder, tuple(plan.track for plan in plans))


def _manifest(plans: Sequence[TrackPlan], *, seed: int) -> str:
    values = {"sound_version": SOUND_VERSION, "seed": seed, "tracks": [asdict(plan.track) for plan in plans]}
    return json.dumps(values, indent=1)


def _holds(folder: Path, manifest: str) -> bool:
    path = folder / MANIFEST_NAME
    if not path.is_file() or path.read_text(encoding="utf-8") != manifest:
        return False
    return all((folder / track["file"]).is_file() for track in json.loads(manifest)["tracks"])


def _clear(folder: Path) -> None:
    """Remove an outdated demo library, and nothing else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST_NAME).is_file():
        raise FileExistsError(f"{folder} holds files that are no demo library; choose an empty folder")
    shutil.rmtree(folder, ignore_errors=True)


def _write_tracks(
    folder: Path, plans: Sequence[TrackPlan], *, n_processes: int, progress: Progress | None
) -> None:
    for place in {(folder / plan.track.file).parent for plan in plans}:
        place.mkdir(parents=True)
    report = progress or (lambda n_done, n_total, message: None)
    if n_processes == 1:
        for n_done, plan in enumerate(plans, 1):
            report(n_done, len(plans), write_track(folder, plan))
        return
    with ProcessPoolExecutor(n_processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(write_track, folder, plan) for plan in plans]
        for n_done, future in enumerate(as_completed(futures), 1):
            report(n_done, len(plans), future.result())


def write_track(folder: Path, plan: TrackPlan) -> str:
    """Synthesise one track, write it with its tags under ``folder``, and return its file name."""
    y = render_track(plan)
    track, delivery = plan.track, plan.delivery
    subtype = SUBTYPES[delivery.codec]
    quality = delivery.compression if delivery.codec == "mp3" else None
    path = folder / track.file
    with soundfile.SoundFile(
        path,
        "w",
        samplerate=delivery.sample_rate_hz,
        channels=y.shape[1],
        subtype=subtype,
        compression_level=quality,
    ) as stream:
        stream.title, stream.artist, stream.album = track.title, track.artist, f"{track.artist} Demos"
        stream.write(y)
    return path.name


def render_track(plan: TrackPlan) -> Signal:
    """Return a mastered track, shape (n_samples, n_channels) in [-1, 1], one channel if it has no width."""
    delivery = plan.delivery
    y = perform(
        plan.artist,
        bpm=plan.track.bpm,
        duration_s=delivery.duration_s,
        sr=delivery.sample_rate_hz,
        rng=np.random.default_rng([*plan.seed, 1]),
    )
    return master(y, delivery)


def master(y: Signal, delivery: Delivery) -> Signal:
    """Return ``y`` (n_samples, 2) with the delivery's tone, width and loudness, softly clipped."""
    sr = delivery.sample_rate_hz
    low = band(y, sr=sr, high_hz=TONE_PIVOT_HZ, order=1)
    tilt = 10.0 ** (delivery.tilt_db / 40.0)
    y = band(low / tilt + (y - low) * tilt, sr=sr, high_hz=delivery.lowpass_hz)
    middle = y.mean(axis=1, keepdims=True)
    y = middle + delivery.width * (y - middle) if delivery.width else middle
    fade = np.minimum(1.0, np.arange(len(y), 0, -1) / (FADE_S * sr))[:, None]
    loudness = 10.0 ** (delivery.rms_db / 20.0) / np.sqrt(np.mean(y**2))
    clipped: Signal = np.tanh(loudness * y * fade)
    return clipped
