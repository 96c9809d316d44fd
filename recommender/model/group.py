"""One playlist group, fitted: raw track vectors in, calibrated scores with their evidence out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from recommender.model.calibration import Calibration
from recommender.model.familiarity import NOBODY, KindArray, MemberArtists
from recommender.model.heads import Head
from recommender.model.named_sets import Named
from recommender.model.neighbourhood import N_DISTANCE, Nearest, Neighbourhood, blocks, mean_log_distance
from recommender.records.promises import Promise

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]
Exclusions = Sequence[Sequence[int]] | None

# How many tracks are scored at a time: a feed of any length needs the memory of this many.
MAX_QUERIES = 1024


@dataclass(frozen=True, eq=False)
class GroupScores:
    """Scores of n tracks for the labels of one group.

    Attributes
    ----------
    familiarity : (n,) int8 of :class:`recommender.model.familiarity.Familiarity`
    share_known : (n,) float64 in [0, 1]
        How much what was learnt for known artists has to say.
    classifier, neighbours, probability : (n, n_labels) float32, rows sum to 1
        What each part says alone, calibrated, and their calibrated blend.
    closeness : (n, n_labels) float32
        Higher is nearer to the playlist's tracks; NaN for a playlist with no track to compare with.
    p_value : (n, n_labels) float32 in (0, 1]
        See :meth:`recommender.model.calibration.Calibration.p_values`.
    nearest_ids, nearest_similarity : (n, n_labels, n_nearest) int64 and float32
        Most similar first; -1 and NaN where the playlist has fewer tracks.
    """

    familiarity: KindArray
    share_known: NDArray[np.float64]
    classifier: FloatArray
    neighbours: FloatArray
    probability: FloatArray
    closeness: FloatArray
    p_value: FloatArray
    nearest_ids: IdArray
    nearest_similarity: FloatArray


@dataclass(frozen=True, eq=False)
class RawScores:
    """Scores before calibration: logits, and for each part of closeness its value, all (n, n_labels).

    ``familiar_logits`` are those of the heads for known artists, None where there are no such heads.
    """

    logits: FloatArray
    familiar_logits: FloatArray | None
    nearest: Nearest
    cosine: FloatArray
    log_distance: FloatArray


@dataclass(frozen=True, eq=False)
class SpacedHead:
    """A head with the space that it was fitted in."""

    standardisation: Standardisation
    head: Head

    def logits(self, raw: FloatArray) -> FloatArray:
        """(n, dim) raw vectors -> (n, n_labels)."""
        return self.head.logits(self.standardisation.apply(raw))


@dataclass(frozen=True, eq=False)
class GroupModel:
    """Everything needed to place a track among the playlists of one group.

    ``playlist_ids`` is (n_labels,) int64; ``playlist_names`` and ``notes`` stand in the same order. A note
    says what an answer about that playlist cannot be relied on for, and is empty otherwise. ``head`` places
    tracks by new artists, the mean of ``familiar_heads`` those by artists among the members.
    """

    group_id: int
    group_name: str
    playlist_ids: IdArray
    playlist_names: tuple[str, ...]
    notes: tuple[str, ...]
    standardisation: Standardisation
    head: Head
    neighbourhood: Neighbourhood
    calibration: Calibration
    artists: MemberArtists = NOBODY
    familiar_heads: tuple[SpacedHead, ...] = ()

    @property
    def member_ids(self) -> IdArray:
        """(n_members,) int64: the tracks it was fitted on."""
        return self.neighbourhood.track_ids

    @property
    def membership(self) -> NDArray[np.bool_]:
        """(n_members, n_labels) bool."""
        return self.neighbourhood.membership

    def classify(self, raw: FloatArray, share_known: NDArray[np.float64]) -> FloatArray:
        """Return what the classifier alone says of raw vectors, as of patches: (n, dim) -> (n, n_labels).

        ``share_known`` (n,) is that of the tracks they are of, see :class:`GroupScores`.
        """
        logits = self.head.logits(self.standardisation.apply(raw))
        classifiers = self.calibration.classifiers(logits, self._familiar_logits(raw))
        return self.calibration.classifier(classifiers, share_known)

    def name(self, scores: GroupScores, promise: Promise) -> Named:
        """Return the playlists that answers with these scores name."""
        return self.calibration.named_sets.name(
            scores.probability, scores.closeness, scores.p_value, scores.familiarity, promise
        )

    def score(
        self,
        raw: FloatArray,
        *,
        artists: Sequence[str] | None = None,
        exclude_ids: Exclusions = None,
        n_nearest: int = 3,
        n_threads: int = 1,
    ) -> GroupScores:
        """Return the scores of tracks; a track gets the same ones alone and in any batch.

        Parameters
        ----------
        raw : (n, dim) float32
            Vectors as the encoder gives them and the database keeps them.
        artists : names of the tracks' artists, optional
            Empty where nobody knows; without any, how near a track is tells how familiar it is.
        exclude_ids : one sequence of track ids per query, optional
            Tracks that must not speak for that query: itself, when it is in a playlist already.
        n_nearest : int
            How many nearest tracks of each playlist are named.
        n_threads : int
            How many parts of a long batch are worked on at once; more than one needs a BLAS of one thread.
        """
        artists = ("",) * len(raw) if artists is None else artists

        def score_part(rows: slice) -> GroupScores:
            excluded = exclude_ids[rows] if exclude_ids else None
            return self._score(raw[rows], artists[rows], exclude_ids=excluded, n_nearest=n_nearest)

        parts_of = blocks(len(raw), MAX_QUERIES)
        if n_threads > 1 and len(parts_of) > 1:
            with ThreadPoolExecutor(n_threads) as pool:
                parts = list(pool.map(score_part, parts_of))
        else:
            parts = list(map(score_part, parts_of))
        tables = {
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(GroupScores)
        }
        return GroupScores(**tables)

    def _score(
        self, raw: FloatArray, artists: Sequence[str], *, exclude_ids: Exclusions, n_nearest: int
    ) -> GroupScores:
        scores = self.raw_scores(raw, exclude_ids=exclude_ids, n_nearest=n_nearest)
        calibration, nearest = self.calibration, scores.nearest
        own_rows = [self.neighbourhood.rows_of(ids) for ids in exclude_ids] if exclude_ids else None
        kinds = self.artists.familiarity(artists, own_rows)
        share_known = calibration.share_known(kinds, nearest.best_similarity)
        classifiers = calibration.classifiers(scores.logits, scores.familiar_logits)
        votes = self.neighbourhood.votes(nearest, calibration.n_neighbours)
        neighbours = calibration.neighbours(votes)
        closeness = calibration.measure_closeness(scores.logits, scores.cosine, scores.log_distance)
        similarity = nearest.similarity[..., :n_nearest]
        return GroupScores(
            familiarity=kinds,
            share_known=share_known,
            classifier=calibration.classifier(classifiers, share_known),
            neighbours=neighbours,
            probability=calibration.blend(classifiers, neighbours, share_known),
            closeness=closeness,
            p_value=calibration.p_values(closeness),
            nearest_ids=nearest.track_ids[..., :n_nearest],
            nearest_similarity=np.where(np.isfinite(similarity), similarity, np.nan).astype(np.float32),
        )

    def raw_scores(self, raw: FloatArray, *, exclude_ids: Exclusions = None, n_nearest: int = 0) -> RawScores:
        """Return the scores that calibration is fitted on."""
        embeddings = self.standardisation.apply(raw)
        lengths = np.linalg.norm(self.standardisation.standardise(raw), axis=1)
        k = max(self.calibration.n_neighbours, N_DISTANCE, n_nearest)
        nearest = self.neighbourhood.nearest(
            embeddings, lengths, k, exclude_ids=exclude_ids, n_named=n_nearest
        )
        return RawScores(
            logits=self.head.logits(embeddings),
            familiar_logits=self._familiar_logits(raw),
            nearest=nearest,
            cosine=self.neighbourhood.prototype_cosines(embeddings, exclude_ids),
            log_distance=mean_log_distance(nearest),
        )

    def _familiar_logits(self, raw: FloatArray) -> FloatArray | None:
        """(n, n_labels): mean of the heads for known artists."""
        if not self.familiar_heads:
            return None
        mean: FloatArray = np.mean([spaced.logits(raw) for spaced in self.familiar_heads], axis=0)
        return mean
