"""Linear heads and prototypes on track embeddings: one head per playlist group."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

MAX_ITERATIONS = 300
# Far below what any track gets for a label that has tracks.
ABSENT_LOGIT = -30.0


@dataclass(frozen=True, eq=False)
class Head:
    """What maps embeddings to the logits of a group's labels.

    Attributes
    ----------
    weights : (n_labels, dim) float32
    bias : (n_labels,) float32
    """

    weights: FloatArray
    bias: FloatArray

    def logits(self, embeddings: FloatArray) -> FloatArray:
        """(n, dim) unit-length embeddings -> (n, n_labels); rows have mean 0 over labels that have tracks."""
        raw = embeddings @ self.weights.T + self.bias
        present = self.bias > ABSENT_LOGIT
        centred: FloatArray = (raw - raw[:, present].mean(axis=1, keepdims=True)).astype(np.float32)
        return centred


def fit_linear_head(
    embeddings: FloatArray, targets: NDArray[np.float64], *, l2: float, start: Head | None = None
) -> Head:
    """Return the multinomial logistic regression of the targets on the embeddings.

    Minimises  sum_i sum_j -t_ij log softmax_j(W x_i + b) / sum(t)  +  l2 / 2 * ||W||^2  with L-BFGS.

    Parameters
    ----------
    embeddings : (n, dim) float32, unit length
    targets : (n, n_labels) float64
        Non-negative weights: how much of each track counts for each label. A track in two playlists has
        two non-zero entries; rows need not sum to 1.
    l2 : float
        Strength of the penalty on the weights. The stronger, the nearer the rows come to differences of
        class means, that is, to prototypes.
    start : Head, optional
        Where to begin; a head fitted with a neighbouring penalty saves iterations.
    """
    # SciPy's optimiser is slow to import, and only a refit needs it.
    from scipy.optimize import minimize

    x = embeddings.astype(np.float64)
    t = targets / targets.sum()
    (n_labels, dim), row_weight = (t.shape[1], x.shape[1]), t.sum(axis=1, keepdims=True)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat[:-n_labels].reshape(n_labels, dim), flat[-n_labels:]
        log_p = log_softmax(x @ weights.T + bias)
        gradient = np.exp(log_p) * row_weight - t
        value = -(t * log_p).sum() + l2 / 2 * (weights**2).sum()
        return value, np.concatenate([(gradient.T @ x + l2 * weights).ravel(), gradient.sum(axis=0)])

    first = np.zeros(n_labels * (dim + 1))
    if start is not None:
        first = np.concatenate([start.weights.ravel(), start.bias]).astype(np.float64)
    options = {"maxiter": MAX_ITERATIONS, "gtol": 1e-5}
    flat = minimize(loss, first, jac=True, method="L-BFGS-B", options=options).x
    return Head(
        flat[:-n_labels].reshape(n_labels, dim).astype(np.float32), flat[-n_labels:].astype(np.float32)
    )


def fit_prototypes(embeddings: FloatArray, weights: NDArray[np.float64]) -> FloatArray:
    """Return each label's prototype, the re-normalised mean of its tracks (Snell et al. 2017).

    Parameters
    ----------
    embeddings : (n, dim) float32, unit length
    weights : (n, n_labels) float64, how much each track counts for each label

    Returns
    -------
    prototypes : (n_labels, dim) float32, unit length; zero for a label without tracks
    """
    return unit_rows((weights.T @ embeddings).astype(np.float32))


def with_prototype_rows(
    head: Head, prototypes: FloatArray, *, fitted: NDArray[np.bool_], logit_per_cosine: float
) -> Head:
    """Give a head of some labels rows for the others, which follow their prototypes.

    Parameters
    ----------
    head : Head of the labels that are ``fitted``
    prototypes : (n_labels, dim) float32, unit length
    fitted : (n_labels,) bool
    logit_per_cosine : float
        Logit of a track for each unit of its cosine to the prototype.
    """
    weights, bias = logit_per_cosine * prototypes, np.zeros(len(fitted))
    weights[fitted], bias[fitted] = head.weights, head.bias
    return Head(weights.astype(np.float32), bias.astype(np.float32))


def without_labels(head: Head, absent: NDArray[np.bool_]) -> Head:
    """Make labels that have no tracks improbable for every track; ``absent`` is (n_labels,) bool."""
    weights, bias = np.where(absent[:, None], 0, head.weights), np.where(absent, ABSENT_LOGIT, head.bias)
    return Head(weights.astype(np.float32), bias.astype(np.float32))


def unit_rows(values: FloatArray) -> FloatArray:
    """Rows of unit length; a zero row stays zero."""
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    rows: FloatArray = np.divide(values, length, out=np.zeros_like(values), where=length > 0)
    return rows


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, n_labels) -> (n, n_labels) float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    answer: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return answer
