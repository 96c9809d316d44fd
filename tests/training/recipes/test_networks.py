"""The graphs of the experiments: shapes, sizes, and that each can learn."""

import keras
import numpy as np
import pytest

from training.learning.config import TrainingError
from training.recipes.networks import KINDS, recipe_network

SHAPE = (32, 24, 1)
OPTIONS = {"n_units": 16, "dropout": 0.0, "width": 8, "depth": 1}


def striped(rng: np.random.Generator, n_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Images whose stripes follow time or columns, and which of the two."""
    labels = np.arange(n_images) % 2
    phase = rng.uniform(0, 6, size=(n_images, 1, 1))
    rows, columns = np.arange(SHAPE[0])[None, :, None], np.arange(SHAPE[1])[None, None, :]
    stripes = np.where(labels[:, None, None] == 0, np.sin(rows + phase), np.sin(columns + phase))
    noisy = stripes + rng.normal(scale=0.2, size=stripes.shape)
    return noisy[..., None].astype(np.float32), labels


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_which_way_stripes_run(kind, rng):
    keras.utils.set_random_seed(440)
    network = recipe_network(kind, SHAPE, 2, OPTIONS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss, jit_compile=False)
    images, labels = striped(rng, 48)

    for _ in range(25):
        network.train_on_batch(images, labels)

    asked, answer = striped(rng, 40)
    logits = np.asarray(network.predict_on_batch(asked))
    assert logits.shape == (40, 2) and logits.dtype == np.float32
    assert (logits.argmax(axis=1) == answer).mean() > 0.9
    penultimate = keras.Model(network.inputs, network.get_layer("penultimate").output)
    assert penultimate.predict_on_batch(asked).shape == (40, 16)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (33, 3, 6)])
def test_no_image_is_too_small_or_too_narrow(kind, shape, rng):
    network = recipe_network(kind, shape, 3, {"width": 4})

    logits = np.asarray(network.predict_on_batch(rng.normal(size=(2, *shape)).astype(np.float32)))

    assert logits.shape == (2, 3)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_does_not_depend_on_the_batch(kind, rng):
    network = recipe_network(kind, SHAPE, 3, OPTIONS)
    images = rng.normal(size=(4, *SHAPE)).astype(np.float32)

    together = np.asarray(network.predict_on_batch(images))
    alone = np.asarray(network.predict_on_batch(images[:1]))

    assert np.allclose(together[0], alone[0], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_depth_and_width_make_it_larger(kind):
    sizes = [
        recipe_network(kind, (32, 32, 1), 2, options).count_params()
        for options in ({"depth": 1}, {"depth": 5}, {"depth": 5, "width": 80})
    ]
    assert sizes[0] != sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ("kind", "shape", "n_labels", "options", "complaint"),
    [
        ("vgg", SHAPE, 2, {}, "no network 'vgg'; there are: waveform_cnn, cnn2d, resnet"),
        ("cnn2d", SHAPE, 2, {"filters": 3}, "no option filters; allowed: n_units, dropout, width, depth"),
        ("cnn2d", SHAPE, 2, {"depth": 2.0}, "depth must be a whole number between 0 and 12, got 2.0"),
        ("cnn2d", SHAPE, 2, {"dropout": 1.0}, "dropout must be a number between 0 and 0.95"),
        ("cnn2d", SHAPE, 1, {}, "at least 2 labels"),
        ("cnn2d", (40, 24), 2, {}, "moments, columns, channels"),
    ],
)
def test_what_cannot_be_built_is_refused(kind, shape, n_labels, options, complaint):
    with pytest.raises(TrainingError, match=complaint):
        recipe_network(kind, shape, n_labels, options)
