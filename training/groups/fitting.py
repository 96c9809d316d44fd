"""One group's head and neighbourhood, fitted on given tracks with given choices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from recommender.model.group import SpacedHead
from recommender.model.heads import Head, fit_linear_head, fit_prototypes, with_prototype_rows, without_labels
from recommender.model.neighbourhood import Neighbourhood
from training.groups.labels import LabelledTracks, artist_weights

FloatArray = NDArray[np.float32]

# Length of the rows of a head that consists of prototypes only; its temperature is fitted afterwards.
PROTOTYPE_LENGTH = 10.0
# Tracks whose playlist points nowhere must not make its scale infinite.
LEAST_COSINE = 0.05
# Statistics of a library do not change any more with more tracks than this.
MAX_STATISTICS_TRACKS = 20_000


# (penalty, artist correlation) of the linear heads whose mean is a head; the second as in
# :func:`training.groups.labels.artist_weights`. In the mean, what each has wrong by chance cancels out: 0.800
# on four genres, where the single ones have 0.77 to 0.798. docs/what-was-tried.md has the table.
MILD = ((0.01, 0.0), (0.01, 0.2), (0.003, 0.0), (0.003, 0.2))
# For playlists in which a few artists have most tracks.
STRONG = ((0.1, 1.0),)
# For a handful of tracks a playlist.
OF_FEW = ((0.03, 0.2),)
# For tracks by artists whom the playlists hold: weak penalties, because what tells an artist from the others
# tells the playlist as well. On game music they place 0.82 of such tracks, where the heads above place 0.73.
FAMILIAR = ((0.001, 0.0), (0.0003, 0.0), (0.0001, 0.0))


@dataclass(frozen=True)
class HeadChoice:
    """What is chosen per group on inner folds.

    Attributes
    ----------
    view_weights : tuple of (view name, weight)
        How much of a track embedding's squared length each view has.
    heads : tuple of (l2, artist correlation)
        Of the linear heads that are averaged.
    """

    view_weights: tuple[tuple[str, float], ...]
    heads: tuple[tuple[float, float], ...] = OF_FEW

    def described(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        heads = [{"l2": l2, "artist_correlation": correlation} for l2, correlation in self.heads]
        return {"view_weights": dict(self.view_weights), "heads": heads}

    @property
    def artist_correlation(self) -> float:
        """How alike an artist's tracks are taken to be where tracks are counted, not fitted."""
        return max(correlation for _, correlation in self.heads)


@dataclass(frozen=True, eq=False)
class FitContext:
    """What a fit needs beside the labelled tracks.

    Attributes
    ----------
    views : view name -> its columns of a raw vector
    unlabelled : (n_unlabelled, dim) float32
        Raw vectors of the rest of the library; they sharpen the statistics when playlists are short.
    seed : int
    """

    views: Mapping[str, slice]
    unlabelled: FloatArray
    seed: int = 0


def fit_standardisation(
    raw: FloatArray, context: FitContext, view_weights: Sequence[tuple[str, float]]
) -> Standardisation:
    """Return the library's statistics, taken from the labelled tracks given and the unlabelled ones."""
    step = -(-len(context.unlabelled) // MAX_STATISTICS_TRACKS) or 1
    library = np.concatenate([raw, context.unlabelled[::step]])
    if len(library) > 1:
        fitted = Standardisation.fit(library, context.views, dict(view_weights))
        if fitted.scale.any():
            return fitted
    # One track, or copies of one: there is no spread to measure, so only directions can be compared.
    dim = library.shape[1]
    return Standardisation(np.zeros(dim, np.float32), np.ones(dim, np.float32))


def fit_head(
    embeddings: FloatArray, tracks: LabelledTracks, choice: HeadChoice, *, linear: NDArray[np.bool_]
) -> Head:
    """Return the head of a group: linear rows for labels with enough tracks, prototypes for the others.

    Parameters
    ----------
    embeddings : (n_tracks, dim) float32, unit length
    linear : (n_labels,) bool
        Which labels get a row of the linear head.
    """
    absent: NDArray[np.bool_] = tracks.membership.sum(axis=0) == 0
    fitted = linear & ~absent
    weights = artist_weights(tracks.membership, tracks.artist_numbers, correlation=choice.artist_correlation)
    prototypes = fit_prototypes(embeddings, weights)
    if fitted.sum() < 2:
        head = Head(PROTOTYPE_LENGTH * prototypes, np.zeros(len(linear), dtype=np.float32))
        return without_labels(head, absent)
    head = _mean_head(embeddings, tracks, choice, fitted)
    if fitted.all():
        return head
    # The others are put on its scale: as much logit for being near a prototype as the fitted labels' tracks
    # get. (On four genres of which one or two had one or two tracks, 0.70 balanced accuracy; rows that gave
    # a member of theirs the logit of a member of the others took over: 0.67.)
    own = tracks.membership[:, fitted]
    near = float((embeddings @ prototypes[fitted].T)[own].mean())
    logit = float(head.logits(embeddings)[own].mean())
    scale = logit / max(near, LEAST_COSINE)
    return without_labels(
        with_prototype_rows(head, prototypes, fitted=fitted, logit_per_cosine=scale), absent
    )


def _mean_head(
    embeddings: FloatArray, tracks: LabelledTracks, choice: HeadChoice, fitted: NDArray[np.bool_]
) -> Head:
    """Return the mean of the linear heads that were chosen, for the ``fitted`` labels: a linear head too."""
    heads: list[Head] = []
    for l2, correlation in choice.heads:
        weights = artist_weights(tracks.membership, tracks.artist_numbers, correlation=correlation)
        start = heads[-1] if heads else None
        heads.append(fit_linear_head(embeddings, weights[:, fitted], l2=l2, start=start))
    return Head(
        np.mean([head.weights for head in heads], axis=0), np.mean([head.bias for head in heads], axis=0)
    )


def fit_familiar_heads(
    tracks: LabelledTracks, context: FitContext, *, linear: NDArray[np.bool_]
) -> tuple[SpacedHead, ...]:
    """Return the heads whose mean places tracks by artists among the given ones; of two or more labels.

    One for each view alone and one for all together: choosing among them by folds was no better than their
    mean, and costs more.
    """
    if (linear & tracks.membership.any(axis=0)).sum() < 2:
        return ()
    heads = []
    for view_weights in weigh_views(tuple(context.views)):
        choice = HeadChoice(view_weights, FAMILIAR)
        standardisation = fit_standardisation(tracks.raw, context, view_weights)
        embeddings = standardisation.apply(tracks.raw)
        heads.append(SpacedHead(standardisation, fit_head(embeddings, tracks, choice, linear=linear)))
    return tuple(heads)


def weigh_views(names: tuple[str, ...]) -> Iterator[tuple[tuple[str, float], ...]]:
    """Yield each view alone, and all of them in equal parts."""
    for alone in names:
        yield tuple((name, float(name == alone)) for name in names)
    if len(names) > 1:
        yield tuple((name, 1 / len(names)) for name in names)


def fit_neighbourhood(
    embeddings: FloatArray, lengths: FloatArray, tracks: LabelledTracks, choice: HeadChoice
) -> Neighbourhood:
    """Return the tracks as neighbours; an artist with many tracks does not outvote the others."""
    weights = artist_weights(tracks.membership, tracks.artist_numbers, correlation=choice.artist_correlation)
    return Neighbourhood(tracks.track_ids, embeddings, lengths, weights.astype(np.float32))


def default_choice(views: Mapping[str, slice]) -> HeadChoice:
    """Return what is used when there is too little to choose by: the first view, what the network heard."""
    return HeadChoice(tuple((name, float(number == 0)) for number, name in enumerate(views)))
