"""The folder of an encoder: its network, what it is, and the same network behind a newer front end."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from embeddings.config import FRONT_END_VERSION, EncoderConfig, PatchConfig
from embeddings.errors import EmbeddingError, FingerprintMismatch

NETWORK_FILE = "encoder.tflite"
CONFIG_FILE = "encoder.json"


def save_encoder_config(config: EncoderConfig, directory: Path) -> None:
    """Write ``encoder.json`` beside the network it describes."""
    text = json.dumps(config.to_dict() | {"fingerprint": config.fingerprint}, indent=2)
    (directory / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")


def load_encoder_config(directory: Path) -> EncoderConfig:
    """Read ``encoder.json``.

    Raises
    ------
    EmbeddingError
        Missing, or not such a file.
    FingerprintMismatch
        Its values do not give the fingerprint it states: it was edited, or written by another release.
    """
    try:
        values: dict[str, Any] = json.loads(read_file(directory / CONFIG_FILE))
        config, stated = EncoderConfig.from_dict(values), values["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise EmbeddingError(f"{directory / CONFIG_FILE} does not describe an encoder: {error!r}") from error
    if config.fingerprint != stated:
        raise FingerprintMismatch(f"{CONFIG_FILE} states {stated}, its values give {config.fingerprint}")
    # Earlier ones go on serving until the library has been heard again.
    if not 1 <= config.front_end <= FRONT_END_VERSION:
        raise FingerprintMismatch(
            f"the encoder was made for front end {config.front_end},"
            f" this program has up to {FRONT_END_VERSION}"
        )
    return config


def is_up_to_date(config: EncoderConfig) -> bool:
    """Whether an encoder hears with the front end of this program; an earlier one is heard with as it was."""
    return config.front_end == FRONT_END_VERSION


def renew_encoder(directory: Path, parent: Path) -> Path:
    """Return the folder of the same network behind the front end of this program, made if it is not there.

    Parameters
    ----------
    directory : Path
        Of an encoder, which stays as it is and serves until everything has been heard again.
    parent : Path
        Where encoders are kept, a folder each, named by its fingerprint.
    """
    old = load_encoder_config(directory)
    level = PatchConfig().level
    config = replace(old, patches=replace(old.patches, level=level), front_end=FRONT_END_VERSION)
    target = parent / config.fingerprint
    if not target.exists():
        aside = parent / f".renewing-{os.getpid()}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            shutil.copyfile(directory / NETWORK_FILE, aside / NETWORK_FILE)
            save_encoder_config(config, aside)
            aside.rename(target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return target


def read_file(path: Path) -> bytes:
    """Return what a file holds; an :class:`EmbeddingError` says why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise EmbeddingError(f"{path} cannot be read: {error.strerror}") from error
