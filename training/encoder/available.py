"""Which encoders there are: the one to start from, the one of a model. Imports no TensorFlow."""

import json
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from embeddings.config import EncoderConfig
from embeddings.encoder_files import load_encoder_config
from embeddings.errors import EmbeddingError
from recommender.records.models import BundleInfo
from recommender.settings import Settings

MSD_MUSICNN = "msd_musicnn"
SMALL_CNN = "small_cnn"
BASE_FILE = "base.json"


def checkpoint_folder() -> Path | None:
    """Folder of the pretrained weights, or None when the package ``musicnn`` is not installed."""
    spec = find_spec("musicnn")
    locations = spec.submodule_search_locations if spec else None
    folders = [Path(location) / "MSD_musicnn" for location in locations or ()]
    return next((folder for folder in folders if (folder / ".index").is_file()), None)


def base_encoder_name(settings: Settings) -> str:
    """Which network is used before anything is trained: ``msd_musicnn`` or ``small_cnn``."""
    is_there = checkpoint_folder() is not None or find_base(settings.encoders_directory, MSD_MUSICNN)
    return MSD_MUSICNN if settings.pretrained != "off" and is_there else SMALL_CNN


def can_train() -> bool:
    """Whether what trains, judges and draws is installed here; finding out imports nothing of it."""
    return all(find_spec(name) is not None for name in ("tensorflow", "sklearn", "matplotlib", "umap"))


def is_trained_encoder(settings: Settings, config: EncoderConfig) -> bool:
    """Whether an encoder has learnt from the playlists, so that it has heard what it would be judged on."""
    if config.name == MSD_MUSICNN:
        return False
    directory, fingerprints = settings.encoders_directory, read_bases(settings.encoders_directory).values()
    if config.fingerprint in fingerprints:
        return False
    # The same network behind another front end has learnt as little.
    networks = set()
    for fingerprint in fingerprints:
        with suppress(EmbeddingError):
            networks.add(load_encoder_config(directory / fingerprint).network_sha256)
    return config.network_sha256 not in networks


def encoder_of(settings: Settings, bundle: BundleInfo) -> Path | None:
    """Directory of the encoder that a bundle was fitted on, None when it is gone.

    The one kept apart is preferred: the bundle's own copy goes with the bundle, perhaps while it is in use.
    """
    for directory in (settings.encoders_directory / bundle.fingerprint, bundle.directory):
        with suppress(EmbeddingError):
            if load_encoder_config(directory).fingerprint == bundle.fingerprint:
                return directory
    return None


def read_bases(directory: Path) -> dict[str, str]:
    """Name of each network that was exported to start from -> its fingerprint."""
    try:
        bases: dict[str, str] = json.loads((directory / BASE_FILE).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return bases


def find_base(directory: Path, name: str) -> Path | None:
    """Directory of the exported network that is used before anything is trained, None before its export.

    It may have been exported by an earlier program, see :func:`embeddings.encoder_files.renew_encoder`.
    """
    fingerprint = read_bases(directory).get(name)
    found = directory / fingerprint if fingerprint else None
    return found if found and (found / "encoder.tflite").is_file() else None
