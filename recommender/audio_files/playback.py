"""The audio file behind a track of the catalogue, for somebody who wants to hear or see it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embeddings.decoder_processes import RunApart
from embeddings.waveform import read_waveform
from recommender.catalogue.database import Database
from recommender.catalogue.files import track_paths
from recommender.catalogue.tracks import find_track
from recommender.errors import RecommenderError


class AudioMissing(RecommenderError):
    """The track has no file, or its file is not where it was."""

    code = "audio_missing"


@dataclass(frozen=True)
class Waveform:
    """Peaks in [0, 1] of equal shares of a track, rounded for sending, and its length in seconds."""

    peaks: tuple[float, ...]
    duration_s: float


def track_file(database: Database, track_id: int) -> Path:
    """Return the file that a track is read from.

    Raises
    ------
    NoSuchTrack
        The catalogue does not hold the track.
    AudioMissing
        It does, but there is no file to hear.
    """
    with database.read_session() as session:
        find_track(session, track_id)
        path = track_paths(session, [track_id]).get(track_id)
    if path is None or not path.is_file():
        raise AudioMissing(f"the file of track {track_id} is not there any more")
    return path


def draw_waveform(path: Path, n_points: int, *, apart: RunApart) -> Waveform:
    """Return the peaks of a file, decoded apart; see :func:`embeddings.waveform.read_waveform`."""
    peaks, duration_s = apart(partial(read_waveform, path, n_points))
    return Waveform(tuple(round(float(peak), 3) for peak in peaks), round(duration_s, 3))
