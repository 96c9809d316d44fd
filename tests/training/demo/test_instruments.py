"""The instruments and the timing of the demo library, against what their parameters promise."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.demo import synthesis as synth
from training.demo.artists import Style, artists_of
from training.demo.parts import Session
from training.demo.studio import Studio

SR = 22_050


def peak_hz(y: NDArray[np.float64]) -> float:
    return float(np.abs(np.fft.rfft(y)).argmax() * SR / len(y))


def level(y: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(y**2)))


@pytest.mark.parametrize("wave", ["saw", "square", "soft", "bell"])
def test_a_note_sounds_at_its_frequency(wave: str) -> None:
    y = synth.play_note(synth.Timbre(wave), 330.0, 1.0, sr=SR)
    assert peak_hz(y) == pytest.approx(330.0, abs=1.0)


def test_a_square_wave_has_odd_partials_only() -> None:
    timbre = synth.Timbre("square", cutoff_hz=8000.0, sustain=1.0)
    spectrum = np.abs(np.fft.rfft(synth.play_note(timbre, 300.0, 1.0, sr=SR)[:SR]))
    assert spectrum[600] < 0.01 * spectrum[300]
    assert spectrum[900] == pytest.approx(spectrum[300] / 3, rel=0.1)


def test_the_low_pass_closes_while_the_note_sounds() -> None:
    y = synth.play_note(synth.Timbre("saw", 300.0, 3.0, 0.1, sustain=1.0), 110.0, 1.0, sr=SR)
    treble = synth.band(y, sr=SR, low_hz=1500.0)
    assert level(treble[: SR // 10]) > 4 * level(treble[SR // 2 : SR])


def test_a_note_dies_after_its_release() -> None:
    y = synth.play_note(synth.Timbre(release_s=0.1), 220.0, 0.5, sr=SR)
    assert len(y) == round(0.6 * SR)
    assert level(y[-200:]) < 0.05 * level(y[: SR // 2])


def test_a_kick_settles_on_its_lowest_pitch() -> None:
    y = synth.kick(sr=SR, low_hz=55.0, sweep_hz=150.0, decay_s=0.2, click=0.0)
    assert peak_hz(np.pad(y[SR // 5 :], (0, SR))) == pytest.approx(55.0, abs=3.0)


def test_a_syllable_rings_at_its_formants(rng: np.random.Generator) -> None:
    """The second and third formant of 'ee' stand well above those of 'o'."""
    pitch_hz = np.full(SR // 2, 110.0)
    ee, o = (
        synth.syllable(rng, pitch_hz, sr=SR, vowels=(vowel, vowel), tract=1.0, consonant=0.0)
        for vowel in (synth.VOWELS[2], synth.VOWELS[3])
    )
    high = [level(synth.band(y, sr=SR, low_hz=1700.0, order=4)) / level(y) for y in (ee, o)]
    assert high[0] > 1.4 * high[1]


def test_a_band_keeps_what_is_inside(rng: np.random.Generator) -> None:
    y = synth.band(rng.standard_normal(SR), sr=SR, low_hz=500.0, high_hz=2000.0, order=4)
    power = np.abs(np.fft.rfft(y)) ** 2
    assert power[400:2500].sum() > 0.95 * power.sum()


def test_echoes_come_when_they_should_and_change_sides() -> None:
    y = np.zeros((SR, 2))
    y[0, 0] = 1.0
    wet = synth.echo(y, sr=SR, delay_s=0.2, feedback=0.5)
    step = round(0.2 * SR)
    assert [wet[k * step, k % 2] for k in range(4)] == [1.0, 0.5, 0.25, 0.125]
    assert np.count_nonzero(wet) == 5


def test_a_sound_is_placed_in_time_and_space(rng: np.random.Generator) -> None:
    studio = Studio(sr=100, duration_s=1.0, rng=rng)
    tape = studio.empty_tape()
    studio.place(tape, np.ones(10), 0.5, gain=0.8, pan=0.25)
    studio.place(tape, np.ones(1000), 0.99)
    studio.place(tape, np.ones(10), 3.0)
    np.testing.assert_allclose(tape[50:60], np.tile([0.6, 0.8], (10, 1)))
    np.testing.assert_allclose(tape[99], [1.0, 1.0])
    assert np.count_nonzero(tape) == 22


def test_hip_hop_swings_and_electro_does_not(rng: np.random.Generator) -> None:
    """Every second sixteenth comes late by the artist's swing, on average over loose strokes."""
    for style, low, high in ((Style.HIP_HOP, 0.12, 0.34), (Style.ELECTRO, 0.0, 0.08)):
        for artist in artists_of(style, seed=440):
            studio = Studio(sr=100, duration_s=1.0, rng=rng)
            session = Session(studio, artist, 90.0, 48, np.ones(1, bool), np.ones(1, bool))
            late_s = np.mean([session.when(2, 1) - session.when(2, 0) for _ in range(400)])
            late = late_s / session.sixteenth_s - 1
            assert late == pytest.approx(artist.swing, abs=0.02)
            assert low <= artist.swing <= high


def test_artists_differ_and_stay_themselves() -> None:
    artists = artists_of(Style.HIP_HOP, seed=440) + artists_of(Style.ELECTRO, seed=440)
    assert artists == artists_of(Style.HIP_HOP, seed=440) + artists_of(Style.ELECTRO, seed=440)
    assert len({artist.kit for artist in artists}) == len({artist.name for artist in artists}) == 20
