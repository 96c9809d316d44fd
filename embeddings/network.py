"""An exported network, as LiteRT runs it."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from embeddings.config import EncoderConfig
from embeddings.encoder_files import NETWORK_FILE
from embeddings.errors import EmbeddingError

_stderr = threading.Lock()


@contextmanager
def _nothing_said() -> Iterator[None]:
    """LiteRT writes to the terminal which delegate it takes, past every switch of Python's."""
    with _stderr:  # one at a time, else one could put back what another has put there
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(nowhere)
            os.close(kept)


class Network:
    """One LiteRT interpreter, for one thread."""

    def __init__(self, content: bytes, config: EncoderConfig) -> None:
        try:
            with _nothing_said():
                self._interpreter = Interpreter(model_content=content, num_threads=1)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise EmbeddingError(f"{NETWORK_FILE} is not a network that LiteRT can run: {error}") from error
        source, sink = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._input, self._output = source["index"], sink["index"]
        found = (tuple(source["shape"].tolist()), tuple(sink["shape"].tolist()))
        expected = ((1, config.patches.patch_frames, config.mel.n_mels), (1, config.embedding_dim))
        if found != expected:
            raise EmbeddingError(
                f"{NETWORK_FILE} maps {found[0]} to {found[1]}, expected {expected[0]} to {expected[1]}"
            )

    def run(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(patch_frames, n_mels) float32 -> (dim,) float32."""
        self._interpreter.set_tensor(self._input, patch[None].astype(np.float32, copy=False))
        self._interpreter.invoke()
        embedding: NDArray[np.float32] = self._interpreter.get_tensor(self._output)[0]
        return embedding
