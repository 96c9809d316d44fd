"""One playlist group, fitted: raw track vectors in, calibrated scores with their evidence out."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from recommender.model.calibration import Calibration, Familiar
from recommender.model.heads import Head
from recommender.model.neighbourhood import N_DISTANCE, Nearest, Neighbourhood, blocks, mean_log_distance

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
    classifier, neighbours, probability : (n, n_labels) float32, rows sum to 1
        What each part says alone, calibrated, and their calibrated blend.
    closeness : (n, n_labels) float32
        Higher is nearer to the playlist's tracks; NaN for a playlist with no track to compare with.
    p_value : (n, n_labels) float32 in (0, 1]
        See :meth:`recommender.model.calibration.Calibration.p_values`.
    nearest_ids, nearest_similarity : (n, n_labels, n_nearest) int64 and float32
        Most similar first; -1 and NaN where the playlist has fewer tracks.
    """

    classifier: FloatArray
    neighbours: FloatArray
    probability: FloatArray
    closeness: FloatArray
    p_value: FloatArray
    nearest_ids: IdArray
    nearest_similarity: FloatArray


@dataclass(frozen=True, eq=False)
class RawScores:
    """Scores before calibration: logits, and for each part of closeness its value, all (n, n_labels)."""

    logits: FloatArray
    nearest: Nearest
    cosine: FloatArray
    log_distance: FloatArray


@dataclass(frozen=True, eq=False)
class GroupModel:
    """Everything needed to place a track among the playlists of one group.

    ``playlist_ids`` is (n_labels,) int64; ``playlist_names`` and ``notes`` stand in the same order. A note
    says what an answer about that playlist cannot be relied on for, and is empty otherwise.
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

    @property
    def member_ids(self) -> IdArray:
        """(n_members,) int64: the tracks it was fitted on."""
        return self.neighbourhood.track_ids

    @property
    def membership(self) -> NDArray[np.bool_]:
        """(n_members, n_labels) bool."""
        return self.neighbourhood.membership

    def classify(self, raw: FloatArray) -> FloatArray:
        """Return what the classifier alone says of raw vectors, as of patches: (n, dim) -> (n, n_labels)."""
        return self.calibration.classifier(self.head.logits(self.standardisation.apply(raw)))

    def score(
        self, raw: FloatArray, *, exclude_ids: Exclusions = None, n_nearest: int = 3, n_threads: int = 1
    ) -> GroupScores:
        """Return the scores of tracks; a track gets the same ones alone and in any batch.

        Parameters
        ----------
        raw : (n, dim) float32
            Vectors as the encoder gives them and the database keeps them.
        exclude_ids : one sequence of track ids per query, optional
            Tracks that must not speak for that query: itself, when it is in a playlist already.
        n_nearest : int
            How many nearest tracks of each playlist are named.
        n_threads : int
            How many parts of a long batch are worked on at once; more than one needs a BLAS of one thread.
        """

        def score_part(rows: slice) -> GroupScores:
            excluded = exclude_ids[rows] if exclude_ids else None
            return self._score(raw[rows], exclude_ids=excluded, n_nearest=n_nearest)

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

    def _score(self, raw: FloatArray, *, exclude_ids: Exclusions, n_nearest: int) -> GroupScores:
        scores = self.raw_scores(raw, exclude_ids=exclude_ids, n_nearest=n_nearest)
        calibration, nearest = self.calibration, scores.nearest
        classifier = calibration.classifier(scores.logits)
        votes = self.neighbourhood.votes(nearest, calibration.n_neighbours)
        neighbours = calibration.neighbours(votes)
        closeness = calibration.measure_closeness(scores.logits, scores.cosine, scores.log_distance)
        similarity = nearest.similarity[..., :n_nearest]
        return GroupScores(
            classifier=classifier,
            neighbours=neighbours,
            probability=calibration.blend(classifier, neighbours, nearest.best_similarity),
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
            nearest=nearest,
            cosine=self.neighbourhood.prototype_cosines(embeddings, exclude_ids),
            log_distance=mean_log_distance(nearest),
        )

    def to_arrays(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return arrays for an .npz file and plain values for JSON; :meth:`from_arrays` is the inverse."""
        closeness = self.calibration.closeness
        arrays: dict[str, NDArray[Any]] = {
            "playlist_ids": self.playlist_ids,
            "mean": self.standardisation.mean,
            "scale": self.standardisation.scale,
            "head_weights": self.head.weights,
            "head_bias": self.head.bias,
            "member_ids": self.neighbourhood.track_ids,
            "member_embeddings": self.neighbourhood.embeddings,
            "member_lengths": self.neighbourhood.lengths,
            "member_weights": self.neighbourhood.weights,
            "closeness": np.concatenate(closeness) if closeness else np.empty(0, np.float32),
            "n_closeness": np.array([len(column) for column in closeness], dtype=np.int64),
        }
        numbers = {
            item.name: getattr(self.calibration, item.name)
            for item in fields(Calibration)
            if item.name not in {"closeness", "familiar"}
        } | {"familiar": asdict(self.calibration.familiar) if self.calibration.familiar else None}
        return arrays, {
            "group_id": self.group_id,
            "group_name": self.group_name,
            "playlist_names": list(self.playlist_names),
            "notes": list(self.notes),
            "calibration": numbers,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any]) -> "GroupModel":
        """Put a model together again from what :meth:`to_arrays` gave."""
        ends = np.cumsum(arrays["n_closeness"])[:-1]
        numbers = dict(described["calibration"])
        familiar = Familiar(**found) if (found := numbers.pop("familiar")) else None
        closeness = tuple(np.split(arrays["closeness"], ends)) if len(arrays["n_closeness"]) else ()
        return cls(
            group_id=described["group_id"],
            group_name=described["group_name"],
            playlist_ids=arrays["playlist_ids"],
            playlist_names=tuple(described["playlist_names"]),
            notes=tuple(described["notes"]),
            standardisation=Standardisation(arrays["mean"], arrays["scale"]),
            head=Head(arrays["head_weights"], arrays["head_bias"]),
            neighbourhood=Neighbourhood(
                track_ids=arrays["member_ids"],
                embeddings=arrays["member_embeddings"],
                lengths=arrays["member_lengths"],
                weights=arrays["member_weights"],
            ),
            calibration=Calibration(closeness=closeness, **numbers, familiar=familiar),
        )
