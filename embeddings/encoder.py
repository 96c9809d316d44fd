"""Patches to embeddings: runs an exported network, pools, and standardises so that cosines mean something."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.audio import DEFAULT_LIMITS, AudioLimits, Unheard
from embeddings.config import EncoderConfig
from embeddings.decoder_processes import RunApart, run_here
from embeddings.encoder_files import CONFIG_FILE, NETWORK_FILE, load_encoder_config, read_file
from embeddings.errors import EmbeddingError, FingerprintMismatch
from embeddings.network import Network
from embeddings.patches import track_patches
from embeddings.stretch import WHOLE, Stretch

# A standard deviation counts as at least this share of the median one of its view.
LEAST_DEVIATION = 0.1


@dataclass(frozen=True, eq=False)
class TrackEmbedding:
    """What an encoder says of one track, before standardisation.

    Attributes
    ----------
    vector : (dim,) float32
        Mean over the patches.
    patches : (n_patches, dim) float32
    start_s : (n_patches,) float64
        Where each patch begins in the track; it lasts ``patch_s``.
    timing_ms : dict
        ``decode``, ``mel``, ``encode``.
    fingerprint : str
        Of the encoder: embeddings are comparable only where it is equal.
    unheard : Unheard or None
        Set where only a part of the track could be decoded, which ``duration_s`` is the length of.
    """

    vector: NDArray[np.float32]
    patches: NDArray[np.float32]
    start_s: NDArray[np.float64]
    patch_s: float
    duration_s: float
    timing_ms: dict[str, float]
    fingerprint: str
    unheard: Unheard | None = None

    @property
    def whole_s(self) -> float:
        """Length that the track has, or should have where it was heard in part."""
        return self.duration_s if self.unheard is None else self.unheard.whole_s

    @property
    def heard_in_part(self) -> str | None:
        """A sentence where only a part was heard, else None."""
        return None if self.unheard is None else self.unheard.reason


class Encoder:
    """An exported network with its front end; safe to share between threads, not across a fork.

    Patches are spread over threads that each run a network of one patch and one thread. On two cores that is
    as fast as one network with two threads, and up to twice as fast when something else keeps a core
    busy; and no patch can touch another, so batches do not matter.
    """

    def __init__(
        self, config: EncoderConfig, network: bytes, *, n_threads: int, apart: RunApart = run_here
    ) -> None:
        self.config = config
        self.fingerprint = config.fingerprint
        self._content = network
        self.apart = apart
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(n_threads, thread_name_prefix="encoder")

    @classmethod
    def load(cls, directory: Path, *, n_threads: int = 2, apart: RunApart = run_here) -> "Encoder":
        """Read the ``encoder.tflite`` and ``encoder.json`` of a directory and try them on one patch.

        Files are decoded by ``apart``: here, or in a process that may die of one.

        Raises
        ------
        EmbeddingError
            A file is missing or is not what its name says.
        FingerprintMismatch
            The network is not the one that ``encoder.json`` describes.
        """
        config = load_encoder_config(directory)
        network = read_file(directory / NETWORK_FILE)
        found = sha256(network).hexdigest()
        if found != config.network_sha256:
            raise FingerprintMismatch(
                f"{NETWORK_FILE} has SHA-256 {found[:12]}, {CONFIG_FILE} says {config.network_sha256[:12]}"
            )
        encoder = cls(config, network, n_threads=n_threads, apart=apart)
        # One patch for each thread, so that the first track does not wait for the networks to be set up.
        silence = np.zeros((n_threads, config.patches.patch_frames, config.mel.n_mels), dtype=np.float32)
        encoder.encode_patches(silence)
        return encoder

    def encode_patches(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the raw embedding of each patch.

        Parameters
        ----------
        patches : (n_patches, patch_frames, n_mels) float32 log-mel

        Returns
        -------
        embeddings : (n_patches, dim) float32
        """
        expected = (self.config.patches.patch_frames, self.config.mel.n_mels)
        if patches.ndim != 3 or patches.shape[1:] != expected:
            raise EmbeddingError(
                f"patches must be (n_patches, {expected[0]}, {expected[1]}), got {patches.shape}"
            )
        if not np.isfinite(patches).all():
            raise EmbeddingError("patches hold values that are not finite numbers")
        embeddings = np.empty((len(patches), self.config.embedding_dim), dtype=np.float32)
        for row, embedding in enumerate(self._pool.map(self._encode_patch, patches)):
            embeddings[row] = embedding
        return embeddings

    def listen(
        self, path: Path, stretch: Stretch = WHOLE, *, limits: AudioLimits = DEFAULT_LIMITS
    ) -> TrackEmbedding:
        """Return the embedding of the track that an audio file, or a stretch of it, is.

        Raises
        ------
        UndecodableAudio, MissingDecoder, SilentAudio, TooShort, TooLong, DecoderCrashed, DecoderHung
        """
        heard = self.apart(
            partial(track_patches, path, self.config.mel, self.config.patches, stretch=stretch, limits=limits)
        )
        started = time.perf_counter()
        embeddings = self.encode_patches(heard.patches)
        timing_ms = heard.timing_ms | {"encode": 1e3 * (time.perf_counter() - started)}
        return TrackEmbedding(
            vector=embeddings.mean(axis=0),
            patches=embeddings,
            start_s=heard.start_s,
            patch_s=self.config.patch_s,
            duration_s=heard.duration_s,
            timing_ms=timing_ms,
            fingerprint=self.fingerprint,
            unheard=heard.unheard,
        )

    def _encode_patch(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(patch_frames, n_mels) -> (dim,), on a thread of the pool."""
        network = getattr(self._own, "network", None)
        if network is None:
            network = self._own.network = Network(self._content, self.config)
        return network.run(patch)


@dataclass(frozen=True, eq=False)
class Standardisation:
    """z-scores with statistics of the library, then unit length: what makes cosines tell tracks apart.

    Attributes
    ----------
    mean, scale : (dim,) float32
        ``scale`` holds 1 / standard deviation and the weight of the column's view; 0 drops a column.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    @classmethod
    def fit(
        cls, raw: NDArray[np.float32], views: Mapping[str, slice], view_weights: Mapping[str, float]
    ) -> "Standardisation":
        """Take the statistics from raw track embeddings.

        Each view's share of the expected squared length of a z-scored embedding is its weight, however many
        columns it has. Columns that are constant over the tracks say nothing and are dropped. One that hardly
        moves is not blown up to the size of the others: the first track to move it would lie beyond all.

        Parameters
        ----------
        raw : (n_tracks, dim) float32, n_tracks >= 2
        views : view name -> its columns
        view_weights : view name -> weight >= 0, not all zero
        """
        if raw.ndim != 2 or len(raw) < 2 or not np.isfinite(raw).all():
            raise EmbeddingError(f"raw must be (n_tracks >= 2, dim) and finite, got shape {raw.shape}")
        if set(views) != set(view_weights):
            raise EmbeddingError(f"views are {sorted(views)}, weights are given for {sorted(view_weights)}")
        mean, deviation = raw.mean(axis=0, dtype=np.float64), raw.std(axis=0, dtype=np.float64)
        varies = deviation > 1e-6 * np.maximum(np.abs(mean), 1e-3)
        scale = np.zeros_like(mean)
        for name, columns in views.items():
            if varies[columns].any():
                floor = LEAST_DEVIATION * np.median(deviation[columns][varies[columns]])
                scale[columns] = np.where(varies[columns], 1 / np.maximum(deviation[columns], floor), 0)
            scale[columns] *= np.sqrt(view_weights[name] / max(int(varies[columns].sum()), 1))
        return cls(mean.astype(np.float32), scale.astype(np.float32))

    def apply(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return unit-length embeddings: (n, dim) raw -> (n, dim) float32.

        Raises
        ------
        EmbeddingError
            Another number of columns, or a row without direction (exactly the mean of the library).
        """
        scaled = self.standardise(raw)
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        # Written so that NaN is refused too.
        has_direction = (length > 0) & (length < np.inf)
        if not has_direction.all():
            rows = np.flatnonzero(~has_direction).tolist()
            raise EmbeddingError(f"raw embeddings without direction at rows {rows[:5]}")
        unit: NDArray[np.float32] = (scaled / length).astype(np.float32)
        return unit

    def standardise(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return weighted z-scores before they are made unit length: (n, dim) raw -> (n, dim) float32.

        Their length says how unusual a track is for the library.
        """
        if raw.ndim != 2 or raw.shape[1] != len(self.mean):
            raise EmbeddingError(f"raw must be (n, {len(self.mean)}), got shape {raw.shape}")
        scaled: NDArray[np.float32] = ((raw - self.mean) * self.scale).astype(np.float32)
        return scaled
