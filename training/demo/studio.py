"""The tape machine of the demo library: sounds are placed in time and in stereo."""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from training.demo.synthesis import Signal, Timbre, play_note

Choice = TypeVar("Choice")


@dataclass
class Studio:
    """Where one track is recorded: its length, its chance and the notes already synthesised."""

    sr: int
    duration_s: float
    rng: np.random.Generator
    notes: dict[tuple[Timbre, float, float], Signal] = field(default_factory=dict)

    def empty_tape(self) -> Signal:
        """Return silence of the track's length, shape (n_samples, 2)."""
        return np.zeros((round(self.duration_s * self.sr), 2))

    def place(
        self, tape: Signal, sound: Signal, start_s: float, *, gain: float = 1.0, pan: float = 0.0
    ) -> None:
        """Add a mono sound to ``tape`` (n_samples, 2); ``pan`` runs from -1 (left) to 1 (right)."""
        start = max(0, round(start_s * self.sr))
        sound = sound[: max(0, len(tape) - start)]
        sides = gain * np.array([1.0 - max(pan, 0.0), 1.0 + min(pan, 0.0)])
        tape[start : start + sound.size] += sound[:, None] * sides

    def note(self, timbre: Timbre, midi: float, duration_s: float) -> Signal:
        """Return a note by MIDI number; the same note is synthesised once."""
        key = (timbre, midi, round(duration_s, 3))
        if key not in self.notes:
            hz = 440.0 * 2.0 ** ((midi - 69) / 12.0)
            self.notes[key] = play_note(timbre, hz, duration_s, sr=self.sr)
        return self.notes[key]

    def pick(self, choices: tuple[Choice, ...]) -> Choice:
        """Return one of ``choices``."""
        return choices[int(self.rng.integers(len(choices)))]
