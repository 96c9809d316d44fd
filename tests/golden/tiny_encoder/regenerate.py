"""Write the tiny encoder that tests run without TensorFlow.

From the project root: ``python -m tests.golden.tiny_encoder.regenerate``. Two views: ``trunk``, the mean over
time and bands of four 7 x 5 convolutions, and ``timbre``, the mean log-mel of eight equal stretches of
bands; both are easily worked out in NumPy. The weights are seeded, but the file's bytes may change with
TensorFlow's version, and with them the fingerprint. Needed again when the front end's version is raised.
"""

from hashlib import sha256
from pathlib import Path

import keras
import numpy as np

from embeddings.config import EncoderConfig, View
from embeddings.encoder_files import CONFIG_FILE, NETWORK_FILE, save_encoder_config

N_FILTERS = 4
N_STRETCHES = 8


def tiny_model() -> keras.Model:
    """(1, 187, 96) -> (1, 12)."""
    rng = np.random.default_rng(440)
    patches = keras.Input(batch_shape=(1, 187, 96), name="patches")
    x = keras.layers.Reshape((187, 96, 1))(patches)
    convolution = keras.layers.Conv2D(N_FILTERS, (7, 5), strides=(4, 4), activation="relu")
    trunk = keras.layers.GlobalAveragePooling2D()(convolution(x))
    weights = rng.normal(scale=0.2, size=(7, 5, 1, N_FILTERS)).astype(np.float32)
    convolution.set_weights([weights, np.zeros(N_FILTERS, dtype=np.float32)])
    stretches = keras.layers.AveragePooling2D((187, 96 // N_STRETCHES))(x)
    timbre = keras.layers.Reshape((N_STRETCHES,))(stretches)
    return keras.Model(patches, keras.layers.Concatenate()([trunk, timbre]))


def main() -> None:
    """Overwrite the two files beside this one."""
    directory = Path(__file__).parent
    tiny_model().export(str(directory / NETWORK_FILE), format="litert", verbose=False)
    digest = sha256((directory / NETWORK_FILE).read_bytes()).hexdigest()
    views = (View("trunk", N_FILTERS), View("timbre", N_STRETCHES))
    save_encoder_config(EncoderConfig(name="tiny", views=views, network_sha256=digest), directory)
    print(directory / CONFIG_FILE, (directory / CONFIG_FILE).read_text())  # noqa: T201


if __name__ == "__main__":
    main()
