"""What was tried on the frozen network's own layers: features, heads, blends, use of the library."""

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax, softmax

from recommender.model.heads import fit_linear_head
from tests.benchmarks.plain_heads import answer_logistic
from tests.benchmarks.research_sets import FloatArray, IdArray
from tests.benchmarks.tried_tasks import N_LABELS, Task, answer_linear, standardise, unit

Candidate = Callable[[Task], FloatArray]
N_MIDDLE = 192


def plain(task: Task) -> FloatArray:
    """The reference: z-scores, logistic regression, C = 0.003."""
    mean = task.set.penultimate.mean(axis=1)
    return answer_logistic(mean[task.known], task.label, mean[task.asked])


def mean_of_heads(task: Task) -> FloatArray:
    """What the service does with the trunk view."""
    return answer_linear(*standardise(task.set.penultimate.mean(axis=1), task), task)


def single_head(l2: float, correlation: float) -> Candidate:
    """One penalty, one weighting of artists."""

    def answer(task: Task) -> FloatArray:
        rows = standardise(task.set.penultimate.mean(axis=1), task)
        return answer_linear(*rows, task, heads=((l2, correlation),))

    return answer


def on(vectors: Callable[[Task], FloatArray]) -> Candidate:
    """The service's heads on other vectors of all tracks."""
    return lambda task: answer_linear(*standardise(vectors(task), task), task)


def penultimate_mean(task: Task) -> FloatArray:
    """Mean over the patches."""
    return task.set.penultimate.mean(axis=1)


def middle_layers(task: Task) -> FloatArray:
    """Mean and maximum over time of the three middle layers' maps."""
    pooled = task.set.pooled.mean(axis=1)
    return np.concatenate([pooled[:, 1::2][:, -N_MIDDLE:], pooled[:, 0::2][:, -N_MIDDLE:]], axis=1)


def tag_logits(task: Task) -> FloatArray:
    """What the pretrained output layer says, before its sigmoid."""
    p = task.set.tags
    return np.log((p + 1e-4) / (1 - p + 1e-4)).mean(axis=1)


def mean_and_spread(task: Task) -> FloatArray:
    """Mean and standard deviation over the patches."""
    patches = task.set.penultimate
    return np.concatenate([patches.mean(axis=1), patches.std(axis=1)], axis=1)


def squashed(task: Task) -> FloatArray:
    """Outliers of a column held back: tanh of z-scores."""
    mean = task.set.penultimate.mean(axis=1)
    known = mean[task.known]
    z = np.tanh((mean - known.mean(axis=0)) / (known.std(axis=0) + 1e-6))
    return answer_linear(unit(z[task.known]), unit(z[task.asked]), task)


def patch_by_patch(task: Task) -> FloatArray:
    """Heads on patches, their answers averaged."""
    patches = task.set.penultimate
    rows = patches[task.known].reshape(-1, patches.shape[2])
    z = unit((patches - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6))
    known = z[task.known].reshape(-1, z.shape[2])
    spread = Task(task.set, np.repeat(task.known, z.shape[1]), task.asked, task.library, task.seed)
    logits = answer_linear(known, z[task.asked].reshape(-1, z.shape[2]), spread, heads=task.heads)
    return log_softmax(logits.reshape(len(task.asked), z.shape[1], N_LABELS), axis=2).mean(axis=1)


def prototypes(task: Task) -> FloatArray:
    """Cosine to the mean of each playlist."""
    known, asked = standardise(task.set.penultimate.mean(axis=1), task)
    return asked @ unit(np.stack([known[task.label == g].mean(axis=0) for g in range(N_LABELS)])).T


def neighbours(task: Task) -> FloatArray:
    """Vote of the 15 nearest, corrected for playlist size."""
    known, asked = standardise(task.set.penultimate.mean(axis=1), task)
    cosine = asked @ known.T
    k = min(15, len(known))
    near = np.where(cosine >= -np.sort(-cosine, axis=1)[:, k - 1 : k], np.maximum(cosine, 0), 0)
    votes = np.stack([near[:, task.label == g].mean(axis=1) for g in range(N_LABELS)], axis=1) + 1e-3
    return np.log(votes / votes.sum(axis=1, keepdims=True))


def blend(*parts: Candidate) -> Candidate:
    """Equal parts, each at the same spread of logits."""

    def answer(task: Task) -> FloatArray:
        tables = [part(task) for part in parts]
        return sum(log_softmax(1.5 * table / table.std(), axis=1) for table in tables)

    return answer


def shrunk_lda(task: Task) -> FloatArray:
    """Linear discriminant analysis, covariance shrunk to 0.6."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    known, asked = standardise(task.set.penultimate.mean(axis=1), task)
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.6, priors=[1 / N_LABELS] * N_LABELS)
    return lda.fit(known, task.label).predict_log_proba(asked)


def within_artists(task: Task) -> FloatArray:
    """WCCN: directions in which one artist's tracks vary are shrunk; artists of the library count too."""
    mean, there = task.set.penultimate.mean(axis=1), task.there
    z = unit((mean - mean[there].mean(axis=0)) / (mean[there].std(axis=0) + 1e-6))
    artists = [there[task.set.artist[there] == a] for a in np.unique(task.set.artist[there])]
    inner = np.concatenate([z[rows] - z[rows].mean(axis=0) for rows in artists if len(rows) > 1])
    covariance = inner.T @ inner / len(inner)
    size = np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh(0.4 * covariance + 0.6 * size * np.eye(len(covariance)))
    turned = (z - z[there].mean(axis=0)) @ (vectors / np.sqrt(values))
    turned /= np.sqrt((turned[there] ** 2).sum(axis=1).mean())
    return answer_linear(turned[task.known], turned[task.asked], task)


def library_statistics(task: Task) -> FloatArray:
    """The library's mean and spread instead of those of the known tracks."""
    return answer_linear(*standardise(task.set.penultimate.mean(axis=1), task, task.there), task)


def principal_components(
    vectors: Callable[[Task], FloatArray], n_components: int, *, squash: bool = False
) -> Candidate:
    """The first principal components of the library; a head on them is a linear head on what they are of."""

    def answer(task: Task) -> FloatArray:
        rows, there = vectors(task), task.there
        z = (rows - rows[there].mean(axis=0)) / (rows[there].std(axis=0) + 1e-6)
        z = unit(np.tanh(z) if squash else z)
        centre = z[there].mean(axis=0)
        axes = np.linalg.svd(z[there] - centre, full_matrices=False)[2][:n_components]
        turned = (z - centre) @ axes.T
        return answer_linear(turned[task.known], turned[task.asked], task)

    return answer


def mixed_up(task: Task) -> FloatArray:
    """Mixup of track embeddings (Zhang et al. 2018): 400 pairs, answered in the same shares."""
    known, asked = standardise(task.set.penultimate.mean(axis=1), task)
    rng = np.random.default_rng(task.seed)
    one, other = rng.integers(len(known), size=(2, 400))
    share = rng.beta(0.3, 0.3, size=400)[:, None]
    rows = share * known[one] + (1 - share) * known[other]
    hot = np.eye(N_LABELS)[task.label]
    targets = share * hot[one] + (1 - share) * hot[other]
    targets = targets / targets.sum(axis=0)
    return fit_linear_head(rows.astype(np.float32), targets, l2=task.heads[0][0]).logits(asked)


def self_training(task: Task) -> FloatArray:
    """The library's tracks with the head's own soft answers, playlists in equal parts, five rounds."""
    if not len(task.library):
        return mean_of_heads(task)
    mean, there = task.set.penultimate.mean(axis=1), task.there
    z = unit((mean - mean[there].mean(axis=0)) / (mean[there].std(axis=0) + 1e-6)).astype(np.float32)
    hot = np.eye(N_LABELS)[task.label]
    head = fit_linear_head(z[task.known], hot, l2=0.05)
    for _ in range(5):
        logits = head.logits(z[there])
        share = softmax(1.5 * logits / logits.std(), axis=1)
        for _ in range(20):
            share /= share.sum(axis=0)
            share /= share.sum(axis=1, keepdims=True)
        share *= 0.5 * len(hot) / len(task.library)
        share[: len(hot)] = hot
        head = fit_linear_head(z[there], share, l2=0.05)
    return head.logits(z[task.asked])


def smoothed_by_library(task: Task) -> FloatArray:
    """Every embedding moved half way to the mean of its ten nearest in the library."""
    mean, there = task.set.penultimate.mean(axis=1), task.there
    z = unit((mean - mean[there].mean(axis=0)) / (mean[there].std(axis=0) + 1e-6))

    def smooth(rows: IdArray) -> FloatArray:
        cosine = z[rows] @ z[there].T
        cosine[rows[:, None] == there[None, :]] = -np.inf
        near = there[np.argsort(-cosine, axis=1)[:, :10]]
        return unit(0.5 * z[rows] + 0.5 * unit(z[near].mean(axis=1)))

    return answer_linear(smooth(task.known), smooth(task.asked), task)


HEADS: dict[str, Candidate] = {
    "plain logistic, penultimate layer": plain,
    "mean of heads (served)": mean_of_heads,
    "one head, l2 .03, artists .2": single_head(0.03, 0.2),
    "one head, l2 .01, tracks": single_head(0.01, 0.0),
    "one head, l2 .1, artists 1": single_head(0.1, 1.0),
    "middle layers, mean and maximum": on(middle_layers),
    "all layers pooled, 1506 columns": on(lambda task: task.set.pooled.mean(axis=1)),
    "tag logits": on(tag_logits),
    "timbre statistics": on(lambda task: task.set.timbre),
    "mean and spread over patches": on(mean_and_spread),
    "maximum over patches": on(lambda task: task.set.penultimate.max(axis=1)),
    "outliers squashed (tanh)": squashed,
    "patch by patch": patch_by_patch,
    "prototypes": prototypes,
    "15 neighbours": neighbours,
    "head and neighbours": blend(mean_of_heads, neighbours),
    "head and prototypes": blend(mean_of_heads, prototypes),
    "head, tags and middle layers": blend(mean_of_heads, on(tag_logits), on(middle_layers)),
    "LDA, covariance shrunk": shrunk_lda,
    "within-artist covariance (WCCN)": within_artists,
    "mixup of embeddings": mixed_up,
    "library: its mean and spread": library_statistics,
    "library: 10 principal components": principal_components(penultimate_mean, 10),
    "library: 20 principal components": principal_components(penultimate_mean, 20),
    "library: 40 principal components": principal_components(penultimate_mean, 40),
    "library: 20 components, squashed": principal_components(penultimate_mean, 20, squash=True),
    "library: 20 of mean and spread": principal_components(mean_and_spread, 20),
    "library: self-training": self_training,
    "library: smoothed by neighbours": smoothed_by_library,
}
