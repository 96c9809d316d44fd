"""What a decoder is, whatever library stands behind it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class Seeker(Protocol):
    """An open audio file that gives samples from anywhere.

    Attributes
    ----------
    n_samples : int or None
        Samples per channel that are there, as far as that can be told without decoding.
    claimed_samples : int or None
        What the header says of it, where the header can know.
    is_torn : bool
        Whether the file is seen to end in the middle of a frame.
    """

    sample_rate_hz: int
    n_channels: int
    n_samples: int | None
    claimed_samples: int | None
    is_torn: bool

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on, (n_read, n_channels) float32.

        Fewer than asked where the file ends or breaks.
        """

    def close(self) -> None:
        """Let go of the file."""


class Reader(Protocol):
    """An open audio file that gives all of its samples in order."""

    sample_rate_hz: int
    n_channels: int

    def blocks(self) -> Iterator[Samples]:
        """Yield all samples in order, a second or so at a time, (n_read, n_channels) float32; ask once.

        What is damaged is left out; where a decoder cannot go on behind it, the samples end there.
        """

    def close(self) -> None:
        """Let go of the file."""


def display_name(path: Path) -> str:
    """Name of a file fit for messages and JSON, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", "replace")
