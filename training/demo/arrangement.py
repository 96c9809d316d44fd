"""What the invented artists play: the four styles of the demo library, bar by bar."""

import math

import numpy as np

from training.demo import parts
from training.demo import synthesis as synth
from training.demo.artists import Artist, Style
from training.demo.parts import Session
from training.demo.studio import Studio
from training.demo.synthesis import Signal

# Chord tones in semitones above the root.
MINOR, MAJOR, SUSPENDED = (0, 3, 7), (0, 4, 7), (0, 5, 7)
MINOR_7, MAJOR_7 = (0, 3, 7, 10), (0, 4, 7, 11)
MINOR_9, DOMINANT_9 = (0, 3, 7, 10, 14), (0, 4, 10, 14)

# One chord a bar: (root above the key note, chord tones).
SOUL_LOOPS = (
    ((0, MINOR_9), (5, MINOR_7)),
    ((0, MINOR_7), (8, MAJOR_7)),
    ((2, MINOR_7), (7, DOMINANT_9), (0, MAJOR_7), (0, MAJOR_7)),
    ((0, MINOR_9), (10, DOMINANT_9), (8, MAJOR_7), (7, MINOR_7)),
)
VAMPS = (
    ((0, MINOR), (0, MINOR)),
    ((0, MINOR), (0, MINOR), (8, MAJOR), (10, MAJOR)),
    ((0, SUSPENDED), (3, MAJOR)),
    ((0, MINOR_7), (0, MINOR_7), (5, MINOR_7), (0, MINOR_7)),
)
WALTZ_LOOPS = (
    ((0, MINOR), (5, MINOR), (7, MAJOR), (0, MINOR)),
    ((0, MAJOR), (9, MINOR), (5, MAJOR), (7, MAJOR)),
)

# Sixteenths of a bar on which the bass drum falls.
BOOM_BAP_KICKS = ((0, 7, 10), (0, 2, 10), (0, 3, 8, 11), (0, 10, 13), (0, 6, 9), (0, 7, 9, 14))
HALF_TIME_KICKS = ((0, 6, 11), (0, 3, 14), (0, 10, 13), (0, 5, 6))
ELECTRO_KICKS = ((0, 6, 10), (0, 3, 6, 10), (0, 7, 10, 14), (0, 6, 8, 11), (0, 3, 8, 10), (0, 10, 11))
# Where chords are struck, sparse first.
CHORD_HITS = ((0,), (0, 10), (0, 3, 10), (0, 4, 7, 10, 12), (0, 2, 4, 7, 8, 10, 12, 14))
STAB_HITS = ((0,), (0, 10), (0, 3, 6), (0, 7, 10), (2, 6, 10, 14))


def perform(artist: Artist, *, bpm: float, duration_s: float, sr: int, rng: np.random.Generator) -> Signal:
    """Return a track of an artist, shape (n_samples, 2), not yet mastered."""
    studio = Studio(sr=sr, duration_s=duration_s, rng=rng)
    session = _open_session(studio, artist, bpm=bpm)
    play = {Style.HIP_HOP: _hip_hop, Style.ELECTRO: _electro, Style.AMBIENT: _ambient, Style.WALTZ: _waltz}
    return play[artist.style](session)


def _open_session(studio: Studio, artist: Artist, *, bpm: float) -> Session:
    """Lay out the form: perhaps an entrance without drums or bass, and one bar in which the drums rest."""
    n_bars = math.ceil(studio.duration_s * bpm / 240.0)
    drums_play, bass_plays = np.ones(n_bars, bool), np.ones(n_bars, bool)
    absent = drums_play if studio.rng.random() < 0.5 else bass_plays
    absent[: studio.rng.integers(0, 2)] = False
    drums_play[studio.rng.integers(n_bars // 2, n_bars)] = False
    root_midi = int(studio.rng.integers(45, 57))
    return Session(studio, artist, bpm, root_midi, drums_play, bass_plays)


def _hip_hop(session: Session) -> Signal:
    studio, artist = session.studio, session.artist
    beat, record, front = studio.empty_tape(), studio.empty_tape(), studio.empty_tape()
    kicks = studio.pick(HALF_TIME_KICKS if artist.half_time else BOOM_BAP_KICKS)
    parts.play_drums(session, beat, kicks=kicks, backbeat=(8,) if artist.half_time else (4, 12))
    loop = studio.pick(SOUL_LOOPS)
    parts.play_long_bass(session, beat, loop, kicks=kicks, gain=0.25 * artist.band**0.5)
    parts.play_chords(
        session, record, loop, hits=session.pick_by_busyness(CHORD_HITS), gain=0.06 * artist.band
    )
    parts.play_riff(session, record, density=0.15 + 0.4 * artist.busyness, gain=0.08 * artist.band)
    if artist.voice:
        parts.rap(session, front, gain=0.3 * artist.voice)
    parts.scratch_record(session, front, gain=0.12)
    # The loop comes from a worn record: a narrow band and the noise of its surface.
    low_hz, high_hz = studio.rng.uniform(80, 250), studio.rng.uniform(2500, 8000)
    record = synth.band(record, sr=studio.sr, low_hz=low_hz, high_hz=high_hz)
    surface = synth.hiss(studio.rng, len(record)) + synth.crackle(studio.rng, len(record), sr=studio.sr)
    record += artist.dust * surface[:, None]
    return beat + record + front + 0.3 * synth.room(front, studio.rng, sr=studio.sr, decay_s=0.15)


def _electro(session: Session) -> Signal:
    studio, artist = session.studio, session.artist
    beat, machine, front = studio.empty_tape(), studio.empty_tape(), studio.empty_tape()
    kicks = studio.pick(ELECTRO_KICKS)
    parts.play_drums(session, beat, kicks=kicks, backbeat=(4, 12))
    parts.play_percussion(session, beat, gain=0.2)
    vamp = studio.pick(VAMPS)
    parts.play_sequenced_bass(session, machine, vamp, gain=0.5 * artist.band**0.5)
    parts.play_chords(
        session, machine, vamp, hits=session.pick_by_busyness(STAB_HITS), gain=0.12 * artist.band
    )
    parts.play_arpeggio(session, front, vamp, gain=0.14 * artist.band)
    if artist.voice:
        parts.sing_vocoder(session, front, vamp, gain=0.12 * artist.voice)
    front = synth.echo(
        front, sr=studio.sr, delay_s=3 * session.sixteenth_s, feedback=studio.rng.uniform(0.2, 0.5)
    )
    return beat + machine + front + artist.dust * synth.hiss(studio.rng, len(beat))[:, None]


def _ambient(session: Session) -> Signal:
    studio = session.studio
    tape = studio.empty_tape()
    loop = studio.pick(SOUL_LOOPS)
    length_s = 2 * session.sixteenth_s * parts.SIXTEENTHS
    for row, start_s in enumerate(np.arange(0.0, studio.duration_s, length_s)):
        root, tones = loop[row % len(loop)]
        for tone in tones:
            pan = studio.rng.uniform(-0.7, 0.7)
            pad = studio.note(session.artist.keys, session.root_midi + root + tone, length_s)
            studio.place(tape, pad, start_s + studio.rng.uniform(0, 0.8), gain=0.2, pan=pan)
        drone = studio.note(session.artist.bass, session.root_midi + root - 12, length_s)
        studio.place(tape, drone, start_s, gain=0.25)
    wind = synth.band(studio.rng.standard_normal(tape.shape), sr=studio.sr, low_hz=300, high_hz=1200)
    tape += studio.rng.uniform(0.0, 0.03) * wind
    return tape + synth.room(tape, studio.rng, sr=studio.sr, decay_s=1.2)


def _waltz(session: Session) -> Signal:
    """Three beats a bar without a drum: the bass note, two chords, a melody that sings above them."""
    studio, artist = session.studio, session.artist
    tape = studio.empty_tape()
    loop = studio.pick(WALTZ_LOOPS)
    beat_s = 60.0 / session.bpm
    for row, start_s in enumerate(np.arange(0.1, studio.duration_s, beat_s)):
        root, tones = loop[(row // 3) % len(loop)]
        midi = session.root_midi + root
        loose_s = start_s + 0.015 * studio.rng.standard_normal()
        if row % 3 == 0:
            studio.place(tape, studio.note(artist.bass, midi, 1.5 * beat_s), loose_s, gain=0.3)
        else:
            for tone in tones:
                studio.place(
                    tape, studio.note(artist.keys, midi + 12 + tone, 0.7 * beat_s), loose_s, gain=0.2
                )
        if studio.rng.random() < 0.7:
            melody = studio.note(artist.lead, midi + 24 + studio.pick(tones), beat_s)
            studio.place(tape, melody, loose_s + beat_s * studio.pick((0.0, 0.5)), gain=0.4, pan=0.2)
    return tape + 0.8 * synth.room(tape, studio.rng, sr=studio.sr, decay_s=0.5)
