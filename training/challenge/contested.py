"""The tracks that playlists contest, with the log-mel patches an encoder is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue.database import Database
from recommender.catalogue.files import track_places
from recommender.catalogue.tracks import tracks_by_id
from recommender.records.tracks import known_artists
from recommender.settings import Settings
from training.folds import held_together
from training.groups.labels import LabelledTracks
from training.groups.refit import LearningSet
from training.learning.mel_cache import CachedPatches, MelCache

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]

# With fewer labelled tracks the folds say nothing about an encoder.
MIN_TRACKS = 10


@dataclass(frozen=True, eq=False)
class Labelled:
    """The tracks of all playlists that can still be read.

    ``tracks`` has the labels of all groups side by side; ``slices`` maps a group's name to its columns.
    ``patches`` holds the log-mel patches of each track, ``captions`` its title, artist and playlists.
    """

    tracks: LabelledTracks
    slices: dict[str, slice]
    patches: Sequence[FloatArray]
    captions: tuple[dict[str, str], ...]

    def memberships(self, rows: IdArray) -> dict[str, FloatArray]:
        """Return group name -> (n_tracks, n_labels) float32; rows not asked for belong nowhere."""
        table = np.zeros(self.tracks.membership.shape, dtype=np.float32)
        table[rows] = self.tracks.membership[rows]
        return {name: table[:, columns] for name, columns in self.slices.items()}


def read_labelled(database: Database, settings: Settings, learning_set: LearningSet) -> Labelled | None:
    """Return the tracks of all groups whose files are there; None when they are too few to train on."""
    wanted = {int(track_id) for _, tracks in learning_set.groups for track_id in tracks.track_ids}
    with database.read_session() as session:
        places = track_places(session, sorted(wanted))
        paths = {i: place for i, place in places.items() if place.path.is_file()}
        infos = tracks_by_id(session, sorted(paths))
    if len(paths) < MIN_TRACKS:
        return None
    ids = np.array(sorted(paths), dtype=np.int64)
    parts, slices, start = [], {}, 0
    for labels, tracks in learning_set.groups:
        member = {track_id: row for row, track_id in enumerate(tracks.track_ids.tolist())}
        part = np.zeros((len(ids), tracks.membership.shape[1]), dtype=bool)
        for row, track_id in enumerate(ids.tolist()):
            if track_id in member:
                part[row] = tracks.membership[member[track_id]]
        slices[labels.group_name] = slice(start, start + part.shape[1])
        parts.append(part)
        start += part.shape[1]
    known = [infos[track_id] for track_id in ids.tolist()]
    tracks = LabelledTracks(
        track_ids=ids,
        raw=learning_set.raw[np.searchsorted(learning_set.track_ids, ids)],
        membership=np.concatenate(parts, axis=1),
        artists=held_together([known_artists(track.artists) for track in known]),
        albums=tuple(track.album for track in known),
        durations_s=np.array([np.nan if track.duration_s is None else track.duration_s for track in known]),
    )
    cache = MelCache(settings.cache_directory / "mel", learning_set.config.mel, learning_set.config.patches)
    patches = CachedPatches(cache, [paths[track_id] for track_id in ids.tolist()])
    names = [name for labels, _ in learning_set.groups for name in labels.playlist_names]
    captions = tuple(
        {
            "title": track.title,
            "artist": track.artist,
            "playlist": ", ".join(names[label] for label in np.flatnonzero(row)),
        }
        for track, row in zip(known, tracks.membership, strict=True)
    )
    return Labelled(tracks, slices, patches, captions)
