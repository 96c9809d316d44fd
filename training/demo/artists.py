"""The invented artists of the demo library and the instruments each of them owns."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.demo.synthesis import Timbre


class Style(StrEnum):
    """What a listener would call a track of the demo library."""

    HIP_HOP = "hip hop"
    ELECTRO = "electro"
    AMBIENT = "ambient"
    WALTZ = "waltz"


@dataclass(frozen=True)
class Kit:
    """A drum set; ``metal`` and ``machine`` in [0, 1] lead from played drums to a drum machine."""

    kick_hz: float
    kick_sweep_hz: float
    kick_decay_s: float
    snare_hz: float
    snare_decay_s: float
    snare_noise: float
    hat_decay_s: float
    metal: float
    clap: bool


@dataclass(frozen=True)
class Artist:
    """One invented artist: everything that stays the same from one of their tracks to the next.

    ``swing`` is the delay of every second sixteenth as a share of a sixteenth; ``half_time`` puts the
    backbeat on the third beat alone, so that a fast metre feels slow; ``busyness`` in [0, 1] is how
    densely everybody plays; ``band`` and ``voice`` are gains of what stands beside the drums; ``tract``
    scales the throat and ``dust`` is the noise of the tape or record.
    """

    name: str
    style: Style
    tempo_bpm: tuple[float, float]
    half_time: bool
    swing: float
    looseness_s: float
    busyness: float
    kit: Kit
    bass: Timbre
    keys: Timbre
    lead: Timbre
    band: float
    voice: float
    tract: float
    dust: float


# Name, slowest and fastest tempo, half-time or not. The ranges of the two styles overlap on purpose:
# some hip hop counts double time, some electro is slow.
ROSTER: dict[Style, tuple[tuple[str, float, float, bool], ...]] = {
    Style.HIP_HOP: (
        ("Otto Quill", 84, 92, False),
        ("Dusty Almanac", 88, 96, False),
        ("Ninth Stair", 118, 132, True),
        ("Mellow Ferris", 80, 88, False),
        ("Sable & Rook", 92, 100, False),
        ("Paper Crane Unit", 112, 124, True),
        ("Kilo Lantern", 86, 98, False),
        ("Brass Tack Morning", 82, 94, False),
        ("Marlow Dent", 120, 130, True),
        ("Tall Ezra", 84, 96, False),
    ),
    Style.ELECTRO: (
        ("Voltmeister Nine", 120, 128, False),
        ("Cathode Alley", 126, 134, False),
        ("Rotor Kin", 92, 102, False),
        ("Unit Lacquer", 115, 123, False),
        ("Klara Pulse", 128, 135, False),
        ("Static Bureau", 86, 98, False),
        ("Neon Ferrite", 118, 130, False),
        ("Modul Elf", 122, 132, False),
        ("Hertz Parade", 94, 104, False),
        ("Zink Relay", 120, 132, False),
    ),
    Style.AMBIENT: (("Lichen Choir", 60, 80, False), ("Hollow Coast", 55, 70, False)),
    Style.WALTZ: (("Marguerite Lund", 96, 132, False), ("Tomas Wier", 84, 120, False)),
}
# Artists from this row on release nothing in the playlists: their tracks are the new releases.
N_LIBRARY_ARTISTS = 8

SUB_BASS = Timbre("soft", 400, attack_s=0.01, decay_s=0.9, sustain=0.6, release_s=0.08)
UPRIGHT_BASS = Timbre("saw", 330, 1.5, 0.05, attack_s=0.006, decay_s=0.35, sustain=0.15, release_s=0.06)
FINGER_BASS = Timbre("saw", 520, 1.2, 0.08, attack_s=0.004, decay_s=0.5, sustain=0.3)
SQUELCH_BASS = Timbre("saw", 300, 2.6, 0.07, 4.0, attack_s=0.002, decay_s=0.2, sustain=0.3, release_s=0.02)
RUBBER_BASS = Timbre("square", 420, 1.8, 0.1, 2.0, attack_s=0.002, decay_s=0.25, sustain=0.2, release_s=0.03)
DETUNED_BASS = Timbre("saw", 650, 1.0, 0.12, 1.2, attack_s=0.003, decay_s=0.3, sustain=0.4, detune_cents=11)

ELECTRIC_PIANO = Timbre("soft", 1800, 1.2, 0.25, attack_s=0.004, decay_s=0.8, sustain=0.25, release_s=0.2)
SOUL_STRINGS = Timbre("saw", 1700, attack_s=0.09, decay_s=2.0, sustain=0.8, release_s=0.25, detune_cents=9)
UPRIGHT_PIANO = Timbre("saw", 1300, 1.6, 0.12, attack_s=0.002, decay_s=0.6, sustain=0.1, release_s=0.15)
SYNTH_PAD = Timbre("saw", 1500, 0.8, 0.6, 1.2, attack_s=0.05, decay_s=1.5, sustain=0.7, detune_cents=14)
SYNTH_STAB = Timbre("square", 1400, 1.8, 0.1, 2.0, attack_s=0.002, decay_s=0.18, sustain=0.1, detune_cents=7)
STRING_MACHINE = Timbre("saw", 3200, attack_s=0.07, decay_s=2.0, sustain=0.9, release_s=0.3, detune_cents=10)

FLUTE = Timbre("soft", 2500, attack_s=0.05, decay_s=1.0, sustain=0.8, release_s=0.1, vibrato_cents=25)
MUTED_HORN = Timbre("saw", 1500, resonance=2.0, attack_s=0.04, decay_s=0.7, sustain=0.7, vibrato_cents=12)
VIBRAPHONE = Timbre("bell", 3000, attack_s=0.002, decay_s=0.5, sustain=0.15, release_s=0.3)
SQUARE_LEAD = Timbre("square", 2200, 1.2, 0.1, 2.0, attack_s=0.004, decay_s=0.2, sustain=0.4)
SAW_LEAD = Timbre("saw", 2600, 1.5, 0.12, 3.0, attack_s=0.004, decay_s=0.25, sustain=0.5, detune_cents=9)
GLASS_LEAD = Timbre("bell", 5000, attack_s=0.002, decay_s=0.25, sustain=0.1, release_s=0.1)

CONCERTINA = Timbre(
    "square", 2600, resonance=1.0, attack_s=0.09, decay_s=1.0, sustain=0.9, release_s=0.15, detune_cents=12
)
STRINGS = Timbre(
    "saw", 2300, attack_s=0.15, decay_s=2.0, sustain=0.9, release_s=0.3, detune_cents=7, vibrato_cents=16
)
BOWED = Timbre(
    "saw", 1900, attack_s=0.4, decay_s=3.0, sustain=0.9, release_s=1.2, detune_cents=6, vibrato_cents=14
)
CHOIR = Timbre("soft", 1400, 0.6, 2.0, attack_s=0.9, decay_s=3.0, sustain=0.9, release_s=1.6, detune_cents=10)

BASSES = {
    Style.HIP_HOP: (UPRIGHT_BASS, SUB_BASS, FINGER_BASS),
    Style.ELECTRO: (SQUELCH_BASS, RUBBER_BASS, DETUNED_BASS),
    Style.AMBIENT: (SUB_BASS,),
    Style.WALTZ: (CONCERTINA, STRINGS),
}
KEYS = {
    Style.HIP_HOP: (ELECTRIC_PIANO, SOUL_STRINGS, UPRIGHT_PIANO),
    Style.ELECTRO: (SYNTH_STAB, SYNTH_PAD, STRING_MACHINE),
    Style.AMBIENT: (BOWED, CHOIR),
    Style.WALTZ: (CONCERTINA, STRINGS),
}
LEADS = {
    Style.HIP_HOP: (FLUTE, MUTED_HORN, VIBRAPHONE),
    Style.ELECTRO: (SQUARE_LEAD, SAW_LEAD, GLASS_LEAD),
    Style.AMBIENT: (FLUTE, BOWED),
    Style.WALTZ: (CONCERTINA, STRINGS),
}


def artists_of(style: Style, *, seed: int) -> tuple[Artist, ...]:
    """Return the artists of a style, each with a sound of their own drawn from ``seed``."""
    return tuple(_invent(style, row, seed=seed) for row in range(len(ROSTER[style])))


def _invent(style: Style, row: int, *, seed: int) -> Artist:
    rng = np.random.default_rng([seed, list(Style).index(style), row])
    name, slowest, fastest, half_time = ROSTER[style][row]
    played = style is Style.HIP_HOP
    return Artist(
        name=name,
        style=style,
        tempo_bpm=(slowest, fastest),
        half_time=half_time,
        swing=rng.uniform(0.12, 0.34) if played else rng.uniform(0.0, 0.08),
        looseness_s=rng.uniform(0.004, 0.012) if played else 0.001,
        busyness=(0.37 * row + (0.5 if played else 0.0)) % 1.0,
        kit=_choose_kit(rng, played=played),
        bass=BASSES[style][row % len(BASSES[style])],
        keys=KEYS[style][(row + row // 3) % len(KEYS[style])],
        lead=LEADS[style][(row + row // 2) % len(LEADS[style])],
        band=rng.uniform(0.7, 1.9) if played else rng.uniform(0.35, 1.0),
        voice=(0.0, 0.7, 1.0, 0.4)[row % 4] * rng.uniform(0.8, 1.1),
        tract=rng.uniform(0.9, 1.25),
        dust=rng.uniform(0.02, 0.12) if played else rng.uniform(0.0, 0.003),
    )


def _choose_kit(rng: np.random.Generator, *, played: bool) -> Kit:
    return Kit(
        kick_hz=rng.uniform(48, 62),
        kick_sweep_hz=rng.uniform(60, 160) if played else rng.uniform(90, 260),
        kick_decay_s=rng.uniform(0.06, 0.16) if played else rng.uniform(0.15, 0.45),
        snare_hz=rng.uniform(165, 225),
        snare_decay_s=rng.uniform(0.06, 0.13),
        snare_noise=rng.uniform(0.3, 0.9),
        hat_decay_s=rng.uniform(0.012, 0.045),
        metal=rng.uniform(0.0, 0.5) if played else rng.uniform(0.4, 1.0),
        clap=bool(rng.random() < (0.25 if played else 0.6)),
    )
