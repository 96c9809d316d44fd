"""What a training run must remember to go on after it was killed, in one file per run."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.disk import replacing

Weights = list[NDArray[Any]]

CHECKPOINT_FILE = "run.npz"
HISTORY_FILE = "history.csv"
LISTS = ("weights", "optimiser", "best")


@dataclass
class RunState:
    """Progress of one run; the weight lists stand in the order of the Keras variables.

    ``best`` are the model's weights after the epoch with the lowest validation cross-entropy so far.
    """

    signature: str
    weights: Weights = field(default_factory=list)
    optimiser: Weights = field(default_factory=list)
    best: Weights = field(default_factory=list)
    best_epoch: int = -1
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def epoch(self) -> int:
        """The epoch to do next."""
        return len(self.history)

    def save(self, directory: Path) -> None:
        """Replace the checkpoint in one step: a kill or a full disk leaves the previous one whole."""
        directory.mkdir(parents=True, exist_ok=True)
        facts = {
            "signature": self.signature,
            "best_epoch": self.best_epoch,
            "history": self.history,
            "seconds": self.seconds,
        }
        arrays: dict[str, Any] = {"facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)}
        for name in LISTS:
            arrays |= {f"{name}_{row}": array for row, array in enumerate(getattr(self, name))}
        with replacing(directory / CHECKPOINT_FILE) as file:
            np.savez(file, **arrays)
        self._write_history(directory / HISTORY_FILE)

    def _write_history(self, path: Path) -> None:
        names = list(dict.fromkeys(name for row in self.history for name in row))
        lines = [",".join(["epoch", *names])]
        for epoch, row in enumerate(self.history):
            lines.append(",".join([str(epoch), *(f"{row[n]:.6g}" if n in row else "" for n in names)]))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, signature: str) -> "RunState":
        """The checkpoint of this very run, or a new run's state where there is none or another run's."""
        try:
            with np.load(directory / CHECKPOINT_FILE, allow_pickle=False) as archive:
                values: dict[str, Any] = json.loads(archive["facts"].tobytes())
                values |= {name: _numbered(archive, name) for name in LISTS}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return cls(signature)
        return cls(**values) if values["signature"] == signature else cls(signature)


def _numbered(archive: Any, name: str) -> Weights:
    n = sum(key.startswith(f"{name}_") for key in archive.files)
    return [archive[f"{name}_{row}"] for row in range(n)]


def run_signature(*parts: object, arrays: Sequence[NDArray[Any]]) -> str:
    """Hash of everything that makes two runs the same run."""
    digest = hashlib.sha256(repr(parts).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
