"""Worlds with a known answer, judged: what a score card is made from."""

from collections.abc import Sequence
from dataclasses import replace

from recommender.records.promises import Promise
from recommender.records.tracks import FileFormat
from tests.training.worlds import make_context, make_labels
from training.groups.labels import LabelledTracks
from training.judging.judged_group import JudgedGroup, TrackSource
from training.judging.outer_folds import judge_group

OGG = FileFormat("ogg", 44_100, 112.0)


def judge_world(
    tracks: LabelledTracks, *, names: Sequence[str] = (), titles: Sequence[str] = (), n_folds: int = 4
) -> JudgedGroup:
    """Judge the tracks of a world; its playlists and tracks may be given names."""
    labels, context = make_labels(tracks.membership.shape[1]), make_context(tracks)
    labels = replace(labels, playlist_names=tuple(names) or labels.playlist_names)
    judged = judge_group(labels, tracks, context, n_folds=n_folds)
    titles = titles or [f"track {track_id}" for track_id in tracks.track_ids]
    sources = [TrackSource(title, f"{title}.ogg", OGG) for title in titles]
    return JudgedGroup(labels, tracks, context, judged, sources, Promise())
