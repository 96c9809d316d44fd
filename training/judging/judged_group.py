"""A judged group of playlists with all that its score card is made from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from recommender.records.promises import Promise
from recommender.records.tracks import FileFormat
from training.groups.fit import GroupLabels
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.judging.doubts import HeldOutAnswers
from training.judging.held_out_hearing import HeldOutHearing
from training.judging.outer_folds import Judged


@dataclass(frozen=True)
class TrackSource:
    """How the score card names a track, how its file holds the audio, and its id if it is catalogued."""

    title: str
    file: str
    format: FileFormat = field(default_factory=FileFormat)
    track_id: int | None = None


@dataclass(frozen=True, eq=False)
class JudgedGroup:
    """A group, its tracks, and what was found out about them.

    ``sources`` stand in the tracks' order; ``hearing`` is as in
    :func:`training.judging.outer_folds.judge_group`.
    """

    labels: GroupLabels
    tracks: LabelledTracks
    context: FitContext
    judged: Judged
    sources: Sequence[TrackSource]
    promise: Promise
    hearing: HeldOutHearing | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The playlists' names."""
        return self.labels.playlist_names

    @property
    def answers(self) -> HeldOutAnswers:
        """The out-of-fold answers with their neighbours."""
        judged, row_of = self.judged, {track: row for row, track in enumerate(self.tracks.track_ids.tolist())}
        rows = np.array([row_of.get(track, -1) for track in judged.nearest_ids.ravel().tolist()])
        return HeldOutAnswers(
            membership=self.tracks.membership,
            probability=judged.probability,
            p_value=judged.p_value,
            nearest=rows.reshape(judged.nearest_ids.shape).astype(np.int64),
            similarity=judged.nearest_similarity,
        )

    def embeddings(self) -> NDArray[np.float32]:
        """(n_tracks, dim) unit length, with the view weights that most folds chose."""
        votes = Counter(choice.view_weights for choice in self.judged.choices)
        weights = dict(votes.most_common(1)[0][0]) if votes else {next(iter(self.context.views)): 1.0}
        raw = self.tracks.raw
        if len(np.unique(raw, axis=0)) < 2:
            return np.zeros_like(raw)
        standardisation = Standardisation.fit(raw, self.context.views, weights)
        there = standardisation.standardise(raw).any(axis=1)
        embeddings = np.zeros_like(raw)
        embeddings[there] = standardisation.apply(raw[there])
        return embeddings
