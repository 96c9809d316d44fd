"""The instruments of the demo library: every function returns a mono signal at a stated sample rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, iirpeak, lfilter, oaconvolve, sosfilt

Signal = NDArray[np.float64]

Formants = tuple[float, float, float]
# Formants of five vowels in Hz (Peterson and Barney 1952, men).
VOWELS: tuple[Formants, ...] = (
    (730.0, 1090.0, 2440.0),
    (530.0, 1840.0, 2480.0),
    (270.0, 2290.0, 3010.0),
    (570.0, 840.0, 2410.0),
    (300.0, 870.0, 2240.0),
)
FORMANT_GAINS = (1.0, 0.6, 0.35)
MAX_PARTIALS = 32
# Partials of a vibraphone bar and their amplitudes.
BELL_PARTIALS = {1: 1.0, 4: 0.4, 10: 0.2}
# The filter moves every 32 samples; partials that stay below -60 dB are left out.
CONTROL_HOP, INAUDIBLE = 32, 1e-3
# Square-wave frequencies behind the cymbals of classic drum machines, in Hz.
METAL_HZ = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)


@dataclass(frozen=True)
class Timbre:
    """How a pitched instrument sounds: partials, a closing low-pass, an envelope.

    ``wave`` is ``saw``, ``square``, ``soft`` (few partials) or ``bell``; the low-pass starts
    ``sweep_octaves`` above ``cutoff_hz`` and falls to it within ``sweep_s``; ``resonance`` is its
    quality factor.
    """

    wave: str = "saw"
    cutoff_hz: float = 2000.0
    sweep_octaves: float = 0.0
    sweep_s: float = 0.1
    resonance: float = 0.7
    attack_s: float = 0.005
    decay_s: float = 0.4
    sustain: float = 0.5
    release_s: float = 0.05
    detune_cents: float = 0.0
    vibrato_cents: float = 0.0


def time_axis(duration_s: float, *, sr: int) -> Signal:
    """Return the sample times of a signal in seconds, shape (n_samples,)."""
    return np.arange(max(1, round(duration_s * sr))) / sr


def band(y: Signal, *, sr: int, low_hz: float = 0.0, high_hz: float = np.inf, order: int = 2) -> Signal:
    """Return ``y`` (n_samples,) or (n_samples, 2) between two cut-off frequencies (Butterworth)."""
    ceiling = 0.45 * sr
    if low_hz > 0:
        y = sosfilt(butter(order, min(low_hz, ceiling), "highpass", fs=sr, output="sos"), y, axis=0)
    if high_hz < ceiling:
        y = sosfilt(butter(order, high_hz, "lowpass", fs=sr, output="sos"), y, axis=0)
    return y


def play_note(timbre: Timbre, frequency_hz: float, duration_s: float, *, sr: int) -> Signal:
    """Return one note of an instrument; the release sounds on after ``duration_s``."""
    t = time_axis(duration_s + timbre.release_s, sr=sr)
    detunes = (-timbre.detune_cents, 0.0, timbre.detune_cents) if timbre.detune_cents else (0.0,)
    y = np.zeros_like(t)
    for cents in detunes:
        y += _partials(timbre, frequency_hz * 2.0 ** (cents / 1200.0), t, sr=sr)
    return y * _envelope(timbre, t, duration_s) / len(detunes)


def _partials(timbre: Timbre, frequency_hz: float, t: Signal, *, sr: int) -> Signal:
    """Sum of the partials under a resonant low-pass of two poles whose cut-off falls with time."""
    vibrato = timbre.vibrato_cents * np.sin(2 * np.pi * 5.3 * t)
    phase = 2 * np.pi * np.cumsum(frequency_hz * 2.0 ** (vibrato / 1200.0)) / sr
    control_s = t[::CONTROL_HOP]
    cutoff = timbre.cutoff_hz * 2.0 ** (timbre.sweep_octaves * np.exp(-control_s / timbre.sweep_s))
    y = np.zeros_like(t)
    # sin((k + 1) p) = 2 cos(p) sin(k p) - sin((k - 1) p): one sine and one cosine for all partials.
    twice_cosine, before, now = 2.0 * np.cos(phase), np.zeros_like(t), np.sin(phase)
    for k in range(1, min(MAX_PARTIALS, int(0.45 * sr / frequency_hz)) + 1):
        x = (k * frequency_hz / cutoff) ** 2
        gain = _partial_amplitude(timbre.wave, k) / np.sqrt((1.0 - x) ** 2 + x / timbre.resonance**2)
        if gain.max() > INAUDIBLE:
            y += np.repeat(gain, CONTROL_HOP)[: t.size] * now
        before, now = now, twice_cosine * now - before
    return y


def _partial_amplitude(wave: str, k: int) -> float:
    if wave == "bell":
        return BELL_PARTIALS.get(k, 0.0)
    if wave == "square" and k % 2 == 0:
        return 0.0
    return 1.0 / k**2.5 if wave == "soft" else 1.0 / k


def _envelope(timbre: Timbre, t: Signal, duration_s: float) -> Signal:
    body = timbre.sustain + (1.0 - timbre.sustain) * np.exp(-t / timbre.decay_s)
    release = np.exp(-np.maximum(t - duration_s, 0.0) / (timbre.release_s / 4.0))
    return np.minimum(t / timbre.attack_s, 1.0) * body * release


def kick(*, sr: int, low_hz: float, sweep_hz: float, decay_s: float, click: float) -> Signal:
    """Return a bass drum: a sine falling from ``low_hz + sweep_hz`` to ``low_hz``."""
    t = time_axis(min(4.0 * decay_s, 0.9), sr=sr)
    phase = 2 * np.pi * np.cumsum(low_hz + sweep_hz * np.exp(-t / 0.025)) / sr
    return np.sin(phase) * np.exp(-t / decay_s) + click * np.sin(2 * np.pi * 1800 * t) * np.exp(-t / 0.003)


def snare(rng: np.random.Generator, *, sr: int, tone_hz: float, decay_s: float, noise: float) -> Signal:
    """Return a snare drum: two drum-head tones under a burst of noise."""
    t = time_axis(5.0 * decay_s, sr=sr)
    head = np.sin(2 * np.pi * tone_hz * t) + 0.6 * np.sin(2 * np.pi * 1.72 * tone_hz * t)
    wires = band(rng.standard_normal(t.size), sr=sr, low_hz=900.0, high_hz=9000.0)
    return 0.6 * head * np.exp(-t / (0.5 * decay_s)) + noise * wires * np.exp(-t / decay_s)


def clap(rng: np.random.Generator, *, sr: int, decay_s: float) -> Signal:
    """Return a hand clap: four bursts of noise around 1.2 kHz, the last one ringing on."""
    t = time_axis(5.0 * decay_s, sr=sr)
    starts = (0.0, 0.010, 0.021, 0.032)
    lengths = (0.006, 0.006, 0.006, decay_s)
    bursts = [
        np.exp(-(t - start) / length) * (t >= start) for start, length in zip(starts, lengths, strict=True)
    ]
    palms = band(rng.standard_normal(t.size), sr=sr, low_hz=800.0, high_hz=2600.0)
    hands: Signal = palms * np.sum(bursts, axis=0)
    return hands


def hat(rng: np.random.Generator, *, sr: int, decay_s: float, metal: float) -> Signal:
    """Return a hi-hat; ``metal`` in [0, 1] goes from a noisy cymbal to a drum machine's square waves."""
    t = time_axis(5.0 * decay_s, sr=sr)
    squares = np.sum([np.sign(np.sin(2 * np.pi * 8.1 * hz * t)) for hz in METAL_HZ], axis=0) / 3.0
    y = metal * squares + (1.0 - metal) * rng.standard_normal(t.size)
    return band(y, sr=sr, low_hz=5500.0) * np.exp(-t / decay_s)


def cowbell(*, sr: int, decay_s: float) -> Signal:
    """Return a drum machine's cowbell: two square waves a fifth apart."""
    t = time_axis(5.0 * decay_s, sr=sr)
    squares = np.sign(np.sin(2 * np.pi * 540 * t)) + np.sign(np.sin(2 * np.pi * 800 * t))
    return band(0.5 * squares, sr=sr, low_hz=500.0, high_hz=4000.0) * np.exp(-t / decay_s)


def tom(*, sr: int, pitch_hz: float, decay_s: float) -> Signal:
    """Return an electronic tom: a sine that drops by half."""
    t = time_axis(4.0 * decay_s, sr=sr)
    phase = 2 * np.pi * np.cumsum(pitch_hz * (0.5 + 0.5 * np.exp(-t / 0.08))) / sr
    return np.sin(phase) * np.exp(-t / decay_s)


def syllable(
    rng: np.random.Generator,
    pitch_hz: Signal,
    *,
    sr: int,
    vowels: tuple[Formants, Formants],
    tract: float,
    consonant: float,
) -> Signal:
    """Return one sung or spoken syllable: a buzz at ``pitch_hz`` (n_samples,) that glides between two vowels.

    ``tract`` scales the formants (1.0 is a man's throat), ``consonant`` is the level of the noisy onset.
    """
    phase = np.cumsum(pitch_hz) / sr
    buzz = 2.0 * (phase % 1.0) - 1.0 + 0.05 * rng.standard_normal(phase.size)
    glide = np.linspace(0.0, 1.0, phase.size)
    first, last = (_through_throat(buzz, formants, sr=sr, tract=tract) for formants in vowels)
    y = (1.0 - glide) * first + glide * last
    t = np.arange(phase.size) / sr
    rise_and_fall = np.minimum(t / 0.02, 1.0) * np.minimum((t[-1] - t) / 0.04, 1.0)
    hiss = band(rng.standard_normal(t.size), sr=sr, low_hz=3000.0, high_hz=8000.0) * np.exp(-t / 0.025)
    word: Signal = np.tanh(3.0 * y / np.abs(y).max()) * rise_and_fall
    return word + consonant * hiss


def _through_throat(buzz: Signal, formants: Formants, *, sr: int, tract: float) -> Signal:
    y = np.zeros_like(buzz)
    for formant_hz, gain in zip(formants, FORMANT_GAINS, strict=True):
        y += gain * lfilter(*iirpeak(min(tract * formant_hz, 0.4 * sr), 7.0, fs=sr), buzz)
    return y


def scratch(rng: np.random.Generator, duration_s: float, *, sr: int) -> Signal:
    """Return a record pushed to and fro under the needle: a buzz and noise whose pitch swings."""
    t = time_axis(duration_s, sr=sr)
    speed = np.abs(np.sin(2 * np.pi * rng.uniform(1.5, 3.0) / duration_s * t))
    buzz = 2.0 * ((np.cumsum(120.0 + 900.0 * speed) / sr) % 1.0) - 1.0
    return band(buzz + 0.5 * rng.standard_normal(t.size), sr=sr, low_hz=400.0, high_hz=5000.0) * speed


def hiss(rng: np.random.Generator, n_samples: int) -> Signal:
    """Return the noise of a tape, stronger towards the bass."""
    noise: Signal = lfilter([0.05], [1.0, -0.95], rng.standard_normal(n_samples))
    return noise


def crackle(rng: np.random.Generator, n_samples: int, *, sr: int) -> Signal:
    """Return the clicks of a worn record, about six a second."""
    clicks = np.zeros(n_samples)
    rows = rng.integers(0, n_samples, size=6 * n_samples // sr)
    clicks[rows] = rng.exponential(1.0, rows.size) * rng.choice([-1.0, 1.0], rows.size)
    return band(clicks, sr=sr, low_hz=700.0, high_hz=6000.0)


def room(y: Signal, rng: np.random.Generator, *, sr: int, decay_s: float) -> Signal:
    """Return the reverberation alone of ``y`` (n_samples, 2), its two channels decorrelated."""
    t = time_axis(2.5 * decay_s, sr=sr)
    tail = rng.standard_normal((t.size, 2)) * np.exp(-t / decay_s)[:, None]
    tail = band(tail, sr=sr, low_hz=200.0, high_hz=5000.0) / np.sqrt(t.size)
    return np.asarray(oaconvolve(y, tail, axes=0)[: len(y)])


def echo(y: Signal, *, sr: int, delay_s: float, feedback: float) -> Signal:
    """Return ``y`` (n_samples, 2) with repeats that change sides and fade by ``feedback``."""
    wet, repeat = y.copy(), y
    step = round(delay_s * sr)
    for _ in range(4):
        repeat = np.concatenate([np.zeros((step, 2)), feedback * repeat[:-step, ::-1]])
        wet += repeat
    return wet
