"""The one place where an answer is put together: what was heard of a track -> ranked playlists."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from recommender.answering.answer import (
    AskedTrack,
    Kept,
    NamedTrack,
    Neighbour,
    PlaylistRef,
    RankedPlaylist,
    Recommendation,
    Segment,
    verdict_of,
)
from recommender.errors import RecommenderError
from recommender.model.bundle import LoadedBundle
from recommender.model.familiarity import Familiarity
from recommender.model.group import GroupModel, GroupScores
from recommender.model.index import TrackIndex
from recommender.model.named_sets import Named
from recommender.records.playlists import DEFAULT_GROUP
from recommender.records.promises import DEFAULT_PROMISE, Promise
from recommender.records.tracks import TrackInfo

_DIGITS = 4

IdArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


Describe = Callable[[Sequence[int]], Mapping[int, TrackInfo]]


class GroupNotFitted(RecommenderError):
    """The group is not in the model; a refit has not reached it, or it has no tracks."""

    code = "group_not_fitted"


class GroupTooSmall(GroupNotFitted):
    """The group has a single track: every answer would be yes, whatever is asked."""

    code = "group_too_small"


@dataclass(frozen=True, eq=False)
class Query:
    """What was heard of one track, before standardisation.

    ``vector`` is (dim,) float32, ``patches`` (n_patches, dim) float32 with ``start_s`` (n_patches,).
    """

    track: AskedTrack
    vector: FloatArray
    patches: FloatArray
    start_s: NDArray[np.float64]
    patch_s: float
    timing_ms: dict[str, float]


@dataclass(frozen=True)
class RankingOptions:
    """What the caller wants to see.  ``top`` None names every playlist of the group."""

    promise: Promise = DEFAULT_PROMISE
    group: str | None = None
    top: int | None = None
    n_nearest: int = 3
    segments: bool = False


def recommend(
    query: Query, bundle: LoadedBundle, *, options: RankingOptions, describe: Describe
) -> Recommendation:
    """Return the answer for one track; the same as in any batch."""
    return recommend_many([query], bundle, options=options, describe=describe)[0]


def recommend_many(
    queries: Sequence[Query], bundle: LoadedBundle, *, options: RankingOptions, describe: Describe
) -> list[Recommendation]:
    """Return one answer per query, in order.

    ``describe`` maps track ids to what the catalogue knows of them; a track it no longer knows is left
    out of the evidence.
    """
    started = perf_counter()
    group = choose_group(bundle.groups, options.group)
    raw = np.stack([query.vector for query in queries])
    artists = [query.track.artist for query in queries]
    scores = group.score(raw, artists=artists, exclude_ids=_own_ids(queries), n_nearest=options.n_nearest)
    sets = group.name(scores, options.promise)
    similar_ids, similarities = _similar(
        queries, bundle.standardisation.apply(raw), bundle.index, options.n_nearest
    )
    segments = _segments(queries, group, scores) if options.segments else [()] * len(queries)
    named = _named({*scores.nearest_ids.ravel().tolist(), *similar_ids.ravel().tolist()}, describe)
    score_ms = 1000 * (perf_counter() - started) / len(queries)
    return [
        _answer(
            query,
            bundle,
            group,
            options,
            scores=scores,
            sets=sets,
            row=row,
            playlists=_rank(group, scores, row, sets.fits[row], named),
            similar=_neighbours(similar_ids[row], similarities[row], named),
            segments=segments[row],
            score_ms=score_ms,
        )
        for row, query in enumerate(queries)
    ]


def choose_group(groups: Sequence[GroupModel], name: str | None) -> GroupModel:
    """Return the group called ``name``; without one the default group, or else the first."""
    fitted = {group.group_name: group for group in groups if len(group.playlist_ids)}
    if name is None and fitted:
        return _refuse_too_small(fitted.get(DEFAULT_GROUP, next(iter(fitted.values()))))
    if name is None or name not in fitted:
        asked = "there is no playlist group" if name is None else f"no playlist of the group {name!r} is"
        raise GroupNotFitted(f"{asked} in the model, which has {sorted(fitted) or 'none'}")
    return _refuse_too_small(fitted[name])


def _refuse_too_small(group: GroupModel) -> GroupModel:
    if len(group.member_ids) > 1:
        return group
    raise GroupTooSmall(
        f"the group {group.group_name!r} has one track, in {group.playlist_names[0]!r}: nothing can be"
        " compared with it; a second track is needed, best one in each of two playlists"
    )


def _rank(
    group: GroupModel,
    scores: GroupScores,
    row: int,
    fits: NDArray[np.bool_],
    named: Mapping[int, NamedTrack],
) -> tuple[RankedPlaylist, ...]:
    """Return every playlist of the group, the most probable first, ties in the order of the group."""
    order = np.argsort(-scores.probability[row], kind="stable")
    return tuple(
        RankedPlaylist(
            id=int(group.playlist_ids[label]),
            name=group.playlist_names[label],
            rank=rank,
            probability=_rounded(scores.probability[row, label]),
            fits=bool(fits[label]),
            model_fits=bool(fits[label]),
            p_value=_rounded_or_none(scores.p_value[row, label]),
            classifier=_rounded(scores.classifier[row, label]),
            neighbours=_rounded(scores.neighbours[row, label]),
            note=group.notes[label],
            nearest=_neighbours(scores.nearest_ids[row, label], scores.nearest_similarity[row, label], named),
        )
        for rank, label in enumerate(order.tolist(), start=1)
    )


def _answer(
    query: Query,
    bundle: LoadedBundle,
    group: GroupModel,
    options: RankingOptions,
    *,
    scores: GroupScores,
    sets: Named,
    row: int,
    playlists: tuple[RankedPlaylist, ...],
    similar: tuple[Neighbour, ...],
    segments: tuple[Segment, ...],
    score_ms: float,
) -> Recommendation:
    return Recommendation(
        track=query.track,
        group=group.group_name,
        model=bundle.bundle_id,
        encoder=bundle.config.name,
        verdict=verdict_of(sum(playlist.fits for playlist in playlists)),
        alpha=options.promise.alpha,
        alpha_none=options.promise.alpha_none,
        stranger_p_value=_rounded(sets.p_value[row]),
        familiarity=Familiarity(scores.familiarity[row]).label,
        kept=_kept(group, Familiarity(scores.familiarity[row]), options.promise),
        member_of=_member_of(group, query.track.id),
        playlists=playlists[: options.top],
        similar=similar,
        segments=segments,
        timing_ms={name: round(ms, 2) for name, ms in (query.timing_ms | {"score": score_ms}).items()},
    )


def _kept(group: GroupModel, kind: Familiarity, promise: Promise) -> Kept:
    sets = group.calibration.named_sets
    coverage = sets.coverage(kind, promise, len(group.playlist_ids))
    return Kept(_rounded_or_none(coverage), sets.basis(kind))


def _member_of(group: GroupModel, track_id: int | None) -> tuple[PlaylistRef, ...]:
    rows = np.flatnonzero(group.member_ids == track_id) if track_id is not None else ()
    labels = [label for row in rows for label in np.flatnonzero(group.membership[row]).tolist()]
    return tuple(PlaylistRef(int(group.playlist_ids[label]), group.playlist_names[label]) for label in labels)


def _own_ids(queries: Sequence[Query]) -> list[tuple[int, ...]]:
    return [() if query.track.id is None else (query.track.id,) for query in queries]


def _similar(
    queries: Sequence[Query], embeddings: FloatArray, index: TrackIndex | None, k: int
) -> tuple[IdArray, FloatArray]:
    """Return the nearest tracks of the whole library, (n_queries, k), never the query itself."""
    if k == 0 or index is None:
        return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    ids, similarities = index.search(embeddings, k + 1)
    own = np.array([-2 if query.track.id is None else query.track.id for query in queries])
    columns = np.argsort(ids == own[:, None], axis=1, kind="stable")[:, :k]
    return np.take_along_axis(ids, columns, axis=1), np.take_along_axis(similarities, columns, axis=1)


def _segments(queries: Sequence[Query], group: GroupModel, scores: GroupScores) -> list[tuple[Segment, ...]]:
    """Return what the classifier alone says of every patch, in the order of time."""
    n_patches = [len(query.patches) for query in queries]
    patches = np.concatenate([query.patches for query in queries])
    classifier = group.classify(patches, np.repeat(scores.share_known, n_patches))
    ends = np.cumsum(n_patches)
    parts = np.split(classifier, ends[:-1])
    return [_spans(query, part, group) for query, part in zip(queries, parts, strict=True)]


def _spans(query: Query, classifier: FloatArray, group: GroupModel) -> tuple[Segment, ...]:
    labels = classifier.argmax(axis=1).tolist()
    return tuple(
        Segment(
            start_s=round(start_s, 2),
            end_s=round(start_s + query.patch_s, 2),
            playlist=group.playlist_names[label],
            probability=_rounded(classifier[row, label]),
        )
        for row, (start_s, label) in enumerate(zip(query.start_s.tolist(), labels, strict=True))
    )


def _named(track_ids: Iterable[int], describe: Describe) -> dict[int, NamedTrack]:
    described = describe([track_id for track_id in track_ids if track_id >= 0])
    return {
        track_id: NamedTrack(id=track_id, title=track.title, artist=track.artist)
        for track_id, track in described.items()
    }


def _neighbours(
    ids: IdArray, similarities: FloatArray, named: Mapping[int, NamedTrack]
) -> tuple[Neighbour, ...]:
    pairs = zip(ids.tolist(), similarities.tolist(), strict=True)
    return tuple(
        Neighbour(named[track_id], _rounded(value)) for track_id, value in pairs if track_id in named
    )


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)


def _rounded_or_none(value: float) -> float | None:
    return None if np.isnan(value) else _rounded(value)
