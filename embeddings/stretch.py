"""The part of a file that is one track: all of it, but for album images, whose tracks a cue sheet names."""

from typing import NamedTuple


class Stretch(NamedTuple):
    """From ``start_s`` to before ``end_s`` in the time of the file; None: to its end."""

    start_s: float = 0.0
    end_s: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the file, however long that is."""
        return self == WHOLE

    def samples(self, n_samples: int, sample_rate_hz: int) -> tuple[int, int]:
        """(first, stop) in a file of so many samples; stop <= first where it lies behind the file's end."""
        first = round(self.start_s * sample_rate_hz)
        stop = n_samples if self.end_s is None else min(round(self.end_s * sample_rate_hz), n_samples)
        return first, stop

    def length_s(self, file_s: float) -> float:
        """How long it should be in a file that should have so many seconds."""
        return max((file_s if self.end_s is None else self.end_s) - self.start_s, 0.0)


WHOLE = Stretch()
