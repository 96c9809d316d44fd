"""The parts a demo track is made of: drums, bass, chords, riffs and voices, each laid on a tape."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import SupportsInt

import numpy as np
from numpy.typing import NDArray

from training.demo import synthesis as synth
from training.demo.artists import Artist
from training.demo.studio import Choice, Studio
from training.demo.synthesis import Signal

SIXTEENTHS = 16
PENTATONIC = (0, 3, 5, 7, 10, 12, 15)
Chord = tuple[int, tuple[int, ...]]
# Semitones above the chord's root for each sixteenth of a sequenced bass, sparse runs first; None rests.
BASS_RUNS: tuple[tuple[int | None, ...], ...] = (
    (0, None, None, None, None, None, 0, None, None, None, 12, None, None, None, None, None),
    (0, None, None, 0, None, None, None, None, 0, None, 12, None, None, 7, None, None),
    (0, None, None, 0, None, None, 12, 0, None, 0, None, 10, 12, None, 0, 7),
    (0, None, 0, 12, None, 0, 12, None, 0, None, 10, 12, None, 7, 0, None),
    (0, 12, 0, 12, 0, 12, 0, 12, 0, 12, 0, 12, 3, 12, 7, 10),
    (0, 0, 12, 0, 0, 12, 0, 10, 0, 0, 12, 0, 7, 0, 10, 12),
)


@dataclass
class Session:
    """One track in the making: who plays, how fast, in which key, and the form bar by bar."""

    studio: Studio
    artist: Artist
    bpm: float
    root_midi: int
    drums_play: NDArray[np.bool_]
    bass_plays: NDArray[np.bool_]

    @property
    def sixteenth_s(self) -> float:
        """Length of a sixteenth note in seconds."""
        return 15.0 / self.bpm

    @property
    def n_bars(self) -> int:
        """Number of bars begun before the track ends."""
        return len(self.drums_play)

    def when(self, bar: SupportsInt, step: SupportsInt) -> float:
        """Return the time of a sixteenth in seconds, swung and as loose as the artist plays."""
        swung = int(step) + self.artist.swing * (int(step) % 2)
        loose_s = self.artist.looseness_s * self.studio.rng.standard_normal()
        return (int(bar) * SIXTEENTHS + swung) * self.sixteenth_s + float(loose_s)

    def pick_by_busyness(self, choices: Sequence[Choice]) -> Choice:
        """Return one of ``choices``, which go from sparse to dense, at the artist's place or beside it."""
        place = self.artist.busyness * (len(choices) - 1) + self.studio.rng.uniform(-0.7, 0.7)
        return choices[min(max(round(place), 0), len(choices) - 1)]

    def accent(self) -> float:
        """Return the gain of one stroke: steady from a machine, uneven from a hand."""
        return 1.0 - min(0.6, 40.0 * self.artist.looseness_s) * float(self.studio.rng.random())

    def chords(self, loop: Sequence[Chord]) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """Yield each bar with its chord's root as a MIDI number and its tones above the root."""
        for bar in range(self.n_bars):
            root, tones = loop[bar % len(loop)]
            yield bar, self.root_midi + root, tones


def play_drums(session: Session, tape: Signal, *, kicks: Sequence[int], backbeat: Sequence[int]) -> None:
    """Play bass drum, snare and hats on the bars in which the drums play."""
    studio, kit = session.studio, session.artist.kit
    thump = synth.kick(
        sr=studio.sr, low_hz=kit.kick_hz, sweep_hz=kit.kick_sweep_hz, decay_s=kit.kick_decay_s, click=0.2
    )
    crack = _backbeat_sound(session)
    for bar in np.flatnonzero(session.drums_play):
        # The last bass drum of every other bar gives way to a ghost note on the snare.
        fill = bar % 2 == 1 and len(kicks) > 2
        for step in kicks[:-1] if fill else kicks:
            studio.place(tape, thump, session.when(bar, step), gain=0.9 * session.accent())
        if fill:
            studio.place(tape, crack, session.when(bar, 15), gain=0.2)
        for step in backbeat:
            studio.place(tape, crack, session.when(bar, step), gain=0.6 * session.accent())
    _play_hats(session, tape)


def _backbeat_sound(session: Session) -> Signal:
    studio, kit = session.studio, session.artist.kit
    crack = synth.snare(
        studio.rng, sr=studio.sr, tone_hz=kit.snare_hz, decay_s=kit.snare_decay_s, noise=kit.snare_noise
    )
    if kit.clap:
        palms = 2.0 * synth.clap(studio.rng, sr=studio.sr, decay_s=kit.snare_decay_s)
        crack[: palms.size] += palms[: crack.size]
    return crack


def _play_hats(session: Session, tape: Signal) -> None:
    studio, kit = session.studio, session.artist.kit
    closed = synth.hat(studio.rng, sr=studio.sr, decay_s=kit.hat_decay_s, metal=kit.metal)
    opened = synth.hat(studio.rng, sr=studio.sr, decay_s=6 * kit.hat_decay_s, metal=kit.metal)
    # A half-time beat gets its motion from hats on every sixteenth.
    off_beats = max(session.artist.busyness, 0.8 * session.artist.half_time)
    gain, pan = (
        studio.rng.uniform(0.1, 0.2) + 0.2 * off_beats * session.artist.swing,
        studio.rng.uniform(-0.4, 0.4),
    )
    for bar in np.flatnonzero(session.drums_play):
        for step in range(SIXTEENTHS):
            if step % 2 == 0 or studio.rng.random() < off_beats:
                softer = 0.5 if step % 2 else 1.0
                studio.place(
                    tape, closed, session.when(bar, step), gain=gain * softer * session.accent(), pan=pan
                )
        studio.place(tape, opened, session.when(bar, 14), gain=0.7 * gain, pan=pan)


def play_percussion(session: Session, tape: Signal, *, gain: float) -> None:
    """Play a drum machine's cowbell through the bars and a run of toms at the end of every fourth."""
    studio = session.studio
    bell = synth.cowbell(sr=studio.sr, decay_s=0.07)
    steps = np.flatnonzero(studio.rng.random(SIXTEENTHS) < 0.3 * session.artist.busyness)
    for bar in np.flatnonzero(session.drums_play):
        for step in steps:
            studio.place(tape, bell, session.when(bar, step), gain=gain, pan=0.3)
        if bar % 4 == 3:
            for row, pitch_hz in enumerate((240.0, 190.0, 150.0, 110.0)):
                drum = synth.tom(sr=studio.sr, pitch_hz=pitch_hz, decay_s=0.12)
                studio.place(tape, drum, session.when(bar, 12 + row), gain=2.0 * gain, pan=0.4 * row - 0.6)


def play_long_bass(
    session: Session, tape: Signal, loop: Sequence[Chord], *, kicks: Sequence[int], gain: float
) -> None:
    """Play the chord's root with the bass drum, now and then stepping to the fifth or the seventh."""
    studio = session.studio
    for bar, root_midi, _ in session.chords(loop):
        if session.bass_plays[bar]:
            for step, until in zip(kicks, [*kicks[1:], SIXTEENTHS], strict=True):
                midi = root_midi - 12 + (studio.pick((0, 0, 7, 10)) if step else 0)
                length_s = min(until - step, 6 - 4 * session.artist.busyness) * session.sixteenth_s
                note = studio.note(session.artist.bass, midi, 0.9 * length_s)
                studio.place(tape, note, session.when(bar, step), gain=gain * session.accent())


def play_sequenced_bass(session: Session, tape: Signal, loop: Sequence[Chord], *, gain: float) -> None:
    """Play one of the sixteenth-note runs, exactly in time."""
    studio = session.studio
    run = session.pick_by_busyness(BASS_RUNS)
    length_s = (1.6 - 0.9 * session.artist.busyness) * session.sixteenth_s
    for bar, root_midi, _ in session.chords(loop):
        if session.bass_plays[bar]:
            for step, above in enumerate(run):
                if above is not None:
                    note = studio.note(session.artist.bass, root_midi - 12 + above, length_s)
                    studio.place(tape, note, session.when(bar, step), gain=gain)


def play_chords(
    session: Session, tape: Signal, loop: Sequence[Chord], *, hits: Sequence[int], gain: float
) -> None:
    """Strike each bar's chord on the sixteenths ``hits``; busy artists chop it short, others let it ring."""
    studio = session.studio
    held = 1.0 - 0.7 * session.artist.busyness
    for bar, root_midi, tones in session.chords(loop):
        for step, until in zip(hits, [*hits[1:], SIXTEENTHS], strict=True):
            length_s = held * (until - step) * session.sixteenth_s
            start_s = session.when(bar, step)
            for row, tone in enumerate(tones):
                note = studio.note(session.artist.keys, root_midi + tone, length_s)
                studio.place(tape, note, start_s, gain=gain, pan=0.5 * (-1) ** row)


def play_riff(session: Session, tape: Signal, *, density: float, gain: float) -> None:
    """Play a two-bar melody of pentatonic notes over and over."""
    studio = session.studio
    steps = np.flatnonzero(studio.rng.random(2 * SIXTEENTHS) < density)
    tones = [studio.pick(PENTATONIC) for _ in steps]
    for bar in range(0, session.n_bars, 2):
        for step, tone in zip(steps, tones, strict=True):
            note = studio.note(session.artist.lead, session.root_midi + 12 + tone, 2 * session.sixteenth_s)
            studio.place(tape, note, session.when(bar, step), gain=gain, pan=0.25)


def play_arpeggio(session: Session, tape: Signal, loop: Sequence[Chord], *, gain: float) -> None:
    """Run through each chord in sixteenths, up over two octaves, with gaps that stay the same."""
    studio = session.studio
    sounding = np.flatnonzero(studio.rng.random(SIXTEENTHS) < 0.15 + 0.7 * session.artist.busyness)
    for bar, root_midi, tones in session.chords(loop):
        ladder = [root_midi + 12 + octave + tone for octave in (0, 12) for tone in tones]
        for step in sounding:
            note = studio.note(session.artist.lead, ladder[step % len(ladder)], 0.7 * session.sixteenth_s)
            studio.place(tape, note, session.when(bar, step), gain=gain, pan=0.3 * (-1) ** int(step))


def rap(session: Session, tape: Signal, *, gain: float) -> None:
    """Speak a line a bar: quick syllables on a pitch that sinks until the breath at the bar's end."""
    studio, tract = session.studio, session.artist.tract
    for bar in np.flatnonzero(session.drums_play):
        line_hz = 110.0 * tract * studio.rng.uniform(0.9, 1.2)
        for step in np.flatnonzero(studio.rng.random(SIXTEENTHS - 2) < 0.6 + 0.35 * session.artist.busyness):
            t = synth.time_axis(studio.rng.uniform(0.7, 1.1) * session.sixteenth_s, sr=studio.sr)
            pitch_hz = line_hz * studio.rng.uniform(0.9, 1.25) * (1.0 - 0.2 * step / SIXTEENTHS - 0.5 * t)
            vowels = (studio.pick(synth.VOWELS), studio.pick(synth.VOWELS))
            word = synth.syllable(
                studio.rng, pitch_hz, sr=studio.sr, vowels=vowels, tract=tract, consonant=0.6
            )
            studio.place(tape, word, session.when(bar, step), gain=gain * session.accent())


def sing_vocoder(session: Session, tape: Signal, loop: Sequence[Chord], *, gain: float) -> None:
    """Hold each chord with a robot's voice that changes its vowel every beat of every other bar."""
    studio, tract = session.studio, session.artist.tract
    for bar, root_midi, tones in session.chords(loop):
        for beat in range(4) if bar % 2 == 0 else ():
            vowel = studio.pick(synth.VOWELS)
            for row, tone in enumerate(tones[:3]):
                hz = 440.0 * 2.0 ** ((root_midi + tone - 69) / 12.0)
                pitch_hz = np.full_like(synth.time_axis(3.6 * session.sixteenth_s, sr=studio.sr), hz)
                sung = synth.syllable(
                    studio.rng, pitch_hz, sr=studio.sr, vowels=(vowel, vowel), tract=tract, consonant=0.1
                )
                studio.place(tape, sung, session.when(bar, 4 * beat), gain=gain, pan=0.2 * (row - 1))


def scratch_record(session: Session, tape: Signal, *, gain: float) -> None:
    """Scratch in the bars in which the drums rest."""
    studio = session.studio
    for bar in np.flatnonzero(~session.drums_play):
        for step in (0, 3, 6, 8, 11, 14):
            sound = synth.scratch(studio.rng, 2.5 * session.sixteenth_s, sr=studio.sr)
            studio.place(tape, sound, session.when(bar, step), gain=gain, pan=-0.2)
