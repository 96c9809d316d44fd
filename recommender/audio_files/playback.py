"""The audio file behind a track of the catalogue, for somebody who wants to hear or see it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embeddings.decoder_processes import RunApart
from embeddings.waveform import read_waveform, write_stretch
from recommender.catalogue.database import Database
from recommender.catalogue.files import track_places
from recommender.catalogue.tracks import find_track
from recommender.errors import RecommenderError
from recommender.records.tracks import Place


class AudioMissing(RecommenderError):
    """The track has no file, or its file is not where it was."""

    code = "audio_missing"


@dataclass(frozen=True)
class Waveform:
    """Peaks in [0, 1] of equal shares of a track, rounded for sending, and its length in seconds."""

    peaks: tuple[float, ...]
    duration_s: float


def track_place(database: Database, track_id: int) -> Place:
    """Return the file that a track is read from, and which part of it.

    Raises
    ------
    NoSuchTrack
        The catalogue does not hold the track.
    AudioMissing
        It does, but there is no file to hear.
    """
    with database.read_session() as session:
        find_track(session, track_id)
        place = track_places(session, [track_id]).get(track_id)
    if place is None or not place.path.is_file():
        raise AudioMissing(f"the file of track {track_id} is not there any more")
    return place


def draw_waveform(place: Place, n_points: int, *, apart: RunApart) -> Waveform:
    """Return the peaks of a track, decoded apart; see :func:`embeddings.waveform.read_waveform`."""
    peaks, duration_s = apart(partial(read_waveform, place.path, n_points, stretch=place.stretch))
    return Waveform(tuple(round(float(peak), 3) for peak in peaks), round(duration_s, 3))


@contextmanager
def cut_out(place: Place, *, apart: RunApart) -> Iterator[Path]:
    """Give a WAV of a part of a file, decoded apart, while it is open; then it leaves the disk."""
    descriptor, name = tempfile.mkstemp(prefix="whichlist-", suffix=".wav")
    os.close(descriptor)
    path = Path(name)
    try:
        apart(partial(write_stretch, place.path, place.stretch, path))
        yield path
    finally:
        path.unlink()
