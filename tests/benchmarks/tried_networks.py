"""What was tried above the frozen trunk with a loss of its own: the penultimate layer, attention."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.research_sets import FloatArray, IdArray
from tests.benchmarks.tried_tasks import N_LABELS, Task, answer_linear, standardise

Candidate = Callable[[Task], FloatArray]
Tensor = Any

N_STEPS = 100
BATCH = 128
LEARNING_RATE = 3e-4
TEMPERATURE = 0.1
PROXY_SCALE = 10.0


def tuned(loss: str) -> Candidate:
    """The pretrained penultimate layer, trained on with a loss on patches; then the service's heads on it."""

    def answer(task: Task) -> FloatArray:
        vectors = _tune(task, loss)
        return answer_linear(*standardise(vectors, task), task)

    return answer


def _tune(task: Task, loss: str) -> FloatArray:
    """(n_tracks, 200) means over patches of the trained layer."""
    import keras
    import tensorflow as tf

    from training.encoder.pretrained import pretrained_encoder
    from training.learning.graph import copy_stage

    keras.utils.set_random_seed(task.seed)
    layer = copy_stage(pretrained_encoder().stages[-1])
    proxies = tf.Variable(tf.random.normal((N_LABELS, layer.output_shape[1])))
    dense = layer.get_layer("penultimate")
    variables = [*dense.trainable_variables, *([proxies] if loss == "proxy" else [])]
    optimiser = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=0.0)
    losses = {"proxy": _proxy_loss(proxies), "labels": _contrast, "artists": _contrast}
    rows = task.there if loss == "artists" else task.known
    group = task.set.artist if loss == "artists" else task.set.label
    measure = losses[loss]

    @tf.function
    def step(patches: Tensor, groups: Tensor, artists: Tensor) -> None:
        with tf.GradientTape() as tape:
            z = tf.math.l2_normalize(layer(patches, training=False), axis=1)
            value = measure(z, groups, artists)
        optimiser.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))

    rng = np.random.default_rng(task.seed)
    for _ in range(N_STEPS):
        drawn = _draw(rows, group, rng)
        patch = rng.integers(task.set.pooled.shape[1], size=len(drawn))
        apart = np.arange(len(drawn)) if loss == "artists" else task.set.artist[drawn]
        step(
            tf.constant(task.set.pooled[drawn, patch]),
            tf.constant(group[drawn].astype(np.int32)),
            tf.constant(apart.astype(np.int32)),
        )
    pooled = task.set.pooled
    flat = np.asarray(layer.predict_on_batch(pooled.reshape(-1, pooled.shape[2])))
    return flat.reshape(*pooled.shape[:2], -1).mean(axis=1)


def _draw(rows: IdArray, group: IdArray, rng: np.random.Generator) -> IdArray:
    """A batch in which every group (of up to sixteen) has as many tracks."""
    chosen = rng.permutation(np.unique(group[rows]))[:16]
    each = BATCH // len(chosen)
    return np.concatenate([rng.choice(rows[group[rows] == g], each) for g in chosen])


def _proxy_loss(proxies: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Normalised softmax: cosine to one learnt proxy a playlist (Zhai and Wu 2019)."""
    import tensorflow as tf

    def loss(z: Tensor, groups: Tensor, _: Tensor) -> Tensor:
        logits = PROXY_SCALE * z @ tf.transpose(tf.math.l2_normalize(proxies, axis=1))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(groups, logits))

    return loss


def _contrast(z: Tensor, groups: Tensor, apart: Tensor) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020); what is not ``apart`` is neither pulled nor pushed.

    With labels, tracks of one artist are left out, so that the artist is not what is learnt.
    """
    import tensorflow as tf

    allowed = tf.cast(apart[:, None] != apart[None, :], tf.float32)
    alike = tf.cast(groups[:, None] == groups[None, :], tf.float32) * allowed
    logits = z @ tf.transpose(z) / TEMPERATURE
    total = tf.reduce_logsumexp(logits + tf.math.log(allowed + 1e-9), axis=1, keepdims=True)
    per_row = tf.reduce_sum(alike * (total - logits), axis=1) / tf.maximum(tf.reduce_sum(alike, axis=1), 1.0)
    return tf.reduce_mean(per_row)


def attention(task: Task) -> FloatArray:
    """A linear softmax on patches of which a learnt attention takes the mean (Ilse et al. 2018)."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(task.seed)
    known, n_patches = task.set.penultimate[task.known], task.set.penultimate.shape[1]
    flat = known.reshape(-1, known.shape[2])
    z = (task.set.penultimate - flat.mean(axis=0)) / (flat.std(axis=0) + 1e-6) / np.sqrt(flat.shape[1])
    z = z.astype(np.float32)
    inputs = keras.Input((n_patches, z.shape[2]))
    scores = keras.layers.Dense(1)(keras.layers.Dense(16, activation="tanh")(inputs))
    shares = keras.layers.Softmax(axis=1)(scores)
    pooled = keras.ops.sum(shares * inputs, axis=1)
    model = keras.Model(inputs, keras.layers.Dense(N_LABELS)(keras.layers.Dropout(0.3)(pooled)))
    counts = np.bincount(task.label, minlength=N_LABELS)
    weight = (len(task.label) / (N_LABELS * np.maximum(counts, 1)))[task.label]
    optimiser = keras.optimizers.AdamW(1e-2, weight_decay=1e-2)
    x, label = tf.constant(z[task.known]), tf.constant(task.label.astype(np.int32))

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label, model(x, training=True))
            value = tf.reduce_mean(losses * weight.astype(np.float32))
        variables = model.trainable_variables
        optimiser.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))

    for _ in range(N_STEPS):
        step()
    return np.asarray(model(z[task.asked], training=False))


NETWORKS: dict[str, Candidate] = {
    "trained: proxies (normalised softmax)": tuned("proxy"),
    "trained: supervised contrastive": tuned("labels"),
    "trained: contrastive by artist": tuned("artists"),
    "trained: attention over patches": attention,
}
