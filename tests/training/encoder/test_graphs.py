"""The Keras graphs: shapes, the timbre view against NumPy, the lean front end against the plain one."""

import keras
import numpy as np
import pytest
from scipy.fft import dct

from training.encoder.graphs import (
    N_MFCC,
    PATCH_SHAPE,
    EncoderGraph,
    heads,
    msd_front,
    msd_middle,
    msd_penultimate,
    new_penultimate,
    small_trunk,
    timbre,
)
from training.encoder.lean_front import keep_living, lean_front


def music_like(n: int) -> np.ndarray:
    rng = np.random.default_rng(440)
    return np.clip(rng.normal(2.0, 1.0, (n, *PATCH_SHAPE)), 0, 7).astype(np.float32)


def test_the_pretrained_graph_has_the_shapes_and_size_of_the_published_one():
    front, middle, penultimate = msd_front(), msd_middle(), msd_penultimate()

    assert front.output_shape == (None, 187, 561)
    assert middle.output_shape == (None, 1506)
    assert penultimate.output_shape == (None, 200)
    # 0.79 million with the 50-tag output layer (Pons and Serra 2019).
    assert (
        front.count_params() + middle.count_params() + penultimate.count_params() == 792_079 - 200 * 50 - 50
    )


def test_timbre_agrees_with_the_textbook():
    patches = music_like(3)

    columns = np.asarray(timbre(patches))

    for patch, found in zip(patches.astype(np.float64), columns, strict=True):
        cepstrum = dct(patch, type=2, norm="ortho", axis=1)[:, :N_MFCC]
        expected = np.concatenate(
            [
                cepstrum.mean(axis=0),
                cepstrum.std(axis=0),
                np.sqrt((np.diff(cepstrum, axis=0) ** 2).mean(axis=0)),
            ]
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_timbre_of_an_unchanging_patch_has_no_deviation():
    patch = np.tile(np.linspace(5, 0, PATCH_SHAPE[1], dtype=np.float32), (1, PATCH_SHAPE[0], 1))

    columns = np.asarray(timbre(patch))[0]

    np.testing.assert_allclose(columns[N_MFCC:], 0.0, atol=1e-5)
    assert abs(columns[1]) > 1.0


def with_random_statistics(front: keras.Model) -> keras.Model:
    """Batch norms as training leaves them: any sign of gain, any mean."""
    rng = np.random.default_rng(3)
    for layer in front.layers:
        if layer.name.endswith("_bn"):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    rng.normal(0, 1, gamma.shape),
                    rng.normal(0, 1, beta.shape),
                    rng.normal(0, 0.3, mean.shape),
                    rng.uniform(0.2, 2, variance.shape),
                ]
            )
        elif layer.name.endswith("_conv"):
            layer.set_weights([layer.get_weights()[0], rng.normal(0, 0.3, layer.bias.shape)])
    return front


def test_the_lean_front_end_is_the_plain_one():
    front = with_random_statistics(msd_front())
    patches = music_like(2)

    plain = np.asarray(front(patches, training=False))
    lean = np.asarray(lean_front(front)(patches, training=False))

    # Filters of both signs must have been at work, or the check says little.
    assert plain.min() < -0.5 < 0.5 < plain.max()
    np.testing.assert_allclose(lean, plain, atol=2e-4)


def test_a_front_end_without_its_dead_filters_says_the_same():
    front = with_random_statistics(msd_front())
    for name, n_living in (("timbral_38", 3), ("timbral_67", 1), ("temporal_128", 51), ("temporal_32", 2)):
        conv = front.get_layer(f"{name}_conv")
        kernel, bias = conv.get_weights()
        kernel[..., n_living:] *= 1e-7
        conv.set_weights([kernel, bias])
    patches = music_like(2)

    lean = keep_living(front)

    assert lean.get_layer("timbral_38_conv").filters == 3
    assert lean.get_layer("temporal_64_conv").filters == 51
    plain = np.asarray(front(patches, training=False))
    np.testing.assert_allclose(np.asarray(lean(patches, training=False)), plain, atol=2e-4)
    np.testing.assert_allclose(np.asarray(lean_front(lean)(patches, training=False)), plain, atol=2e-4)


def test_an_encoder_puts_the_trunk_before_the_timbre():
    graph = EncoderGraph((small_trunk(), new_penultimate(256, n_units=7, dropout=0.5)))
    patches = music_like(2)

    embeddings = np.asarray(graph.model()(patches))

    assert [(view.name, view.dim) for view in graph.views] == [("trunk", 7), ("timbre", 60)]
    np.testing.assert_allclose(embeddings[:, :7], np.asarray(graph.trunk_model()(patches)), rtol=1e-5)
    np.testing.assert_allclose(embeddings[:, 7:], np.asarray(timbre(patches)), rtol=1e-5)


@pytest.mark.parametrize("patch_shape", [(187, 96), (32, 48)])
def test_a_patch_means_the_same_in_any_batch(patch_shape):
    trunk = small_trunk(patch_shape)
    patches = np.random.default_rng(0).uniform(0, 5, (3, *patch_shape)).astype(np.float32)

    together = np.asarray(trunk(patches, training=False))
    alone = np.concatenate([np.asarray(trunk(patches[row : row + 1], training=False)) for row in range(3)])

    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_heads_stay_in_full_precision():
    policy = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        assert heads(8, n_labels=3, dropout=0.0).output.dtype == "float32"
    finally:
        keras.config.set_dtype_policy(policy)
