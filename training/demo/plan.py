"""Who plays what, and how each track is mastered and stored: the demo library before any sound is made."""

from dataclasses import dataclass

import numpy as np

from training.demo.artists import N_LIBRARY_ARTISTS, Artist, Style, artists_of

PLAYLIST_STYLES = (Style.HIP_HOP, Style.ELECTRO)
NEITHER_STYLES = (Style.AMBIENT, Style.WALTZ)
NEW_RELEASE_STYLES = (
    *(Style.HIP_HOP, Style.ELECTRO, Style.AMBIENT),
    *(Style.HIP_HOP, Style.ELECTRO, Style.WALTZ),
    *(Style.HIP_HOP, Style.ELECTRO),
)
# No Ogg: libsndfile gives each Ogg stream a random serial number, so its bytes would differ every time.
CODECS = ("mp3", "flac", "wav", "mp3", "flac", "flac")
SAMPLE_RATES_HZ = (44_100, 32_000, 22_050, 48_000, 44_100)
FIRST_WORDS = (
    *("Amber", "Backlit", "Copper", "Distant", "Early", "Folded", "Grey"),
    *("Hidden", "Inner", "Late", "Mirror", "Narrow", "Open", "Paper"),
)
LAST_WORDS = (
    *("Arcade", "Bridges", "Corner", "Daylight", "Engine", "Ferry", "Garden"),
    *("Harbour", "Island", "Letters", "Motion", "Numbers", "Orbit", "Platform"),
)


@dataclass(frozen=True)
class LibrarySize:
    """How much a demo library holds: ``n_tracks`` a playlist, and how long its tracks are."""

    n_tracks: int = 24
    n_neither: int = 6
    n_new: int = 8
    shortest_s: float = 20.0
    longest_s: float = 23.0


@dataclass(frozen=True)
class Delivery:
    """How a track was mastered and stored; dealt without a look at its style."""

    codec: str
    sample_rate_hz: int
    duration_s: float
    rms_db: float
    tilt_db: float
    lowpass_hz: float
    width: float
    compression: float


@dataclass(frozen=True)
class DemoTrack:
    """One track of the demo library; ``file`` is relative to its folder."""

    file: str
    style: Style
    artist: str
    title: str
    bpm: float


@dataclass(frozen=True)
class TrackPlan:
    """Everything that decides the bytes of one track."""

    track: DemoTrack
    artist: Artist
    delivery: Delivery
    seed: tuple[int, ...]


def plan_demo_library(size: LibrarySize, *, seed: int) -> tuple[TrackPlan, ...]:
    """Return what each track will be: the playlists, the tracks that fit neither, the new releases."""
    slots = _list_slots(size)
    titles = _draw_titles(len(slots), seed=seed)
    deliveries = _deal_deliveries(size, seed=seed)
    rosters = {style: artists_of(style, seed=seed) for style in Style}
    return tuple(
        _plan_track(folder, rosters[style][artist_row], title, delivery, seed=(seed, number))
        for number, ((folder, style, artist_row), title, delivery) in enumerate(
            zip(slots, titles, deliveries, strict=True)
        )
    )


def _list_slots(size: LibrarySize) -> list[tuple[str, Style, int]]:
    """Folder, style and row of the artist in the style's roster, one entry per track."""
    n_artists = min(N_LIBRARY_ARTISTS, max(2, size.n_tracks // 3))
    slots = [
        (f"library/{style}", style, row % n_artists)
        for style in PLAYLIST_STYLES
        for row in range(size.n_tracks)
    ]
    for row in range(size.n_neither):
        slots.append(("neither", NEITHER_STYLES[row % 2], row // 2 % 2))
    for row in range(size.n_new):
        style = NEW_RELEASE_STYLES[row % len(NEW_RELEASE_STYLES)]
        unseen = N_LIBRARY_ARTISTS + row // 3 % 2
        slots.append(("new-releases", style, unseen if style in PLAYLIST_STYLES else 1))
    return slots


def _deal_deliveries(size: LibrarySize, *, seed: int) -> list[Delivery]:
    """Both playlists get the same deliveries, each in an order of its own; the other tracks get new ones."""
    rng = np.random.default_rng([seed, len(Style)])
    pack = [_draw_delivery(rng, row, size) for row in range(size.n_tracks)]
    dealt = [pack[row] for _ in PLAYLIST_STYLES for row in rng.permutation(size.n_tracks)]
    return dealt + [_draw_delivery(rng, row, size) for row in range(size.n_neither + size.n_new)]


def _draw_delivery(rng: np.random.Generator, row: int, size: LibrarySize) -> Delivery:
    return Delivery(
        codec=CODECS[row % len(CODECS)],
        sample_rate_hz=SAMPLE_RATES_HZ[row % len(SAMPLE_RATES_HZ)],
        duration_s=round(rng.uniform(size.shortest_s, size.longest_s), 2),
        rms_db=rng.uniform(-26.0, -13.0),
        tilt_db=rng.uniform(-7.0, 7.0),
        lowpass_hz=rng.uniform(5_000.0, 18_000.0),
        width=max(0.0, rng.uniform(-0.3, 1.2)),
        compression=rng.uniform(0.2, 0.7),
    )


def _draw_titles(n_titles: int, *, seed: int) -> list[str]:
    """Draw titles of two words, each used once as long as they last."""
    pairs = [f"{first} {last}" for first in FIRST_WORDS for last in LAST_WORDS]
    order = np.random.default_rng([seed, len(Style) + 1]).permutation(len(pairs))
    return [pairs[order[row % len(pairs)]] + " II" * (row // len(pairs)) for row in range(n_titles)]


def _plan_track(
    folder: str, artist: Artist, title: str, delivery: Delivery, *, seed: tuple[int, ...]
) -> TrackPlan:
    slowest, fastest = artist.tempo_bpm
    bpm = round(np.random.default_rng([*seed, 0]).uniform(slowest, fastest), 1)
    file = f"{folder}/{artist.name} - {title}.{delivery.codec}"
    return TrackPlan(DemoTrack(file, artist.style, artist.name, title, bpm), artist, delivery, seed)
