"""The demo library: what it promises to the demo, to CI and to the other tests."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tinytag import TinyTag

from training.demo.artists import Style
from training.demo.library import DemoLibrary, build_demo_library, render_track
from training.demo.plan import LibrarySize, TrackPlan, plan_demo_library

TINY = LibrarySize(n_tracks=2, n_neither=1, n_new=1, shortest_s=2.0, longest_s=3.0)


def hash_files(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> DemoLibrary:
    return build_demo_library(tmp_path_factory.mktemp("tiny") / "demo", size=TINY, n_processes=1)


def test_same_seed_gives_the_same_bytes_whatever_the_number_of_processes(
    tiny: DemoLibrary, tmp_path: Path
) -> None:
    again = build_demo_library(tmp_path / "demo", size=TINY, n_processes=2)
    assert hash_files(again.folder) == hash_files(tiny.folder)


def test_another_seed_gives_other_music(tiny: DemoLibrary, tmp_path: Path) -> None:
    other = build_demo_library(tmp_path / "demo", seed=441, size=TINY, n_processes=1)
    assert not set(hash_files(other.folder).values()) & set(hash_files(tiny.folder).values())


def test_second_build_leaves_a_complete_library_alone(tmp_path: Path) -> None:
    first = build_demo_library(tmp_path / "demo", size=TINY, n_processes=1)
    written = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    assert build_demo_library(tmp_path / "demo", size=TINY) == first
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == written


def test_a_lost_track_is_made_again(tiny: DemoLibrary, tmp_path: Path) -> None:
    library = build_demo_library(tmp_path / "demo", size=TINY, n_processes=1)
    (library.folder / library.tracks[0].file).unlink()
    build_demo_library(tmp_path / "demo", size=TINY, n_processes=1)
    assert hash_files(library.folder) == hash_files(tiny.folder)


def test_a_folder_of_something_else_is_refused_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "my music.flac").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=str(tmp_path)):
        build_demo_library(tmp_path, size=TINY, n_processes=1)
    assert [path.name for path in tmp_path.iterdir()] == ["my music.flac"]


def test_progress_names_each_track_once(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    library = build_demo_library(
        tmp_path / "demo", size=TINY, n_processes=1, progress=lambda *call: calls.append(call)
    )
    assert [call[:2] for call in calls] == [(n_done, 6) for n_done in range(1, 7)]
    assert [call[2] for call in calls] == [Path(track.file).name for track in library.tracks]


def test_files_stand_where_the_playlists_are(demo_library: DemoLibrary) -> None:
    audio = {str(path.relative_to(demo_library.folder)) for path in demo_library.folder.glob("*/**/*.*")}
    assert audio == {track.file for track in demo_library.tracks}
    assert Counter(Path(track.file).parent.as_posix() for track in demo_library.tracks) == {
        "library/hip hop": 9,
        "library/electro": 9,
        "neither": 2,
        "new-releases": 3,
    }
    for folder in (demo_library.library, demo_library.neither, demo_library.new_releases):
        assert folder.is_dir()


def test_files_carry_their_tags_and_last_as_long_as_planned(demo_library: DemoLibrary) -> None:
    suffixes = set()
    for track in demo_library.tracks:
        path = demo_library.folder / track.file
        suffixes.add(path.suffix)
        tags = TinyTag.get(path)
        assert (tags.title, tags.artist, tags.album) == (track.title, track.artist, f"{track.artist} Demos")
        y, sr = soundfile.read(path)
        assert 5.9 < len(y) / sr < 8.2
        assert 0.01 < np.sqrt(np.mean(y**2)) < 0.5
    assert suffixes == {".mp3", ".flac", ".wav"}


def test_new_releases_are_by_artists_whom_no_playlist_knows() -> None:
    plans = plan_demo_library(LibrarySize(), seed=440)
    artists: dict[str, set[str]] = {}
    for plan in plans:
        artists.setdefault(plan.track.file.split("/")[0], set()).add(plan.track.artist)
    assert not artists["new-releases"] & artists["library"]
    assert not artists["neither"] & artists["library"]
    assert Counter(plan.track.style for plan in plans if plan.track.file.startswith("new-releases")) == {
        Style.HIP_HOP: 3,
        Style.ELECTRO: 3,
        Style.AMBIENT: 1,
        Style.WALTZ: 1,
    }


def test_titles_and_files_are_unique() -> None:
    plans = plan_demo_library(LibrarySize(n_tracks=120), seed=1)
    assert len({plan.track.title for plan in plans}) == len({plan.track.file for plan in plans}) == len(plans)


def test_both_playlists_are_delivered_alike() -> None:
    """Codec, sample rate, loudness, tone, width and length say nothing about the style."""
    plans = plan_demo_library(LibrarySize(), seed=440)
    hip_hop, electro = (
        Counter(plan.delivery for plan in plans if plan.track.file.startswith(f"library/{style}"))
        for style in (Style.HIP_HOP, Style.ELECTRO)
    )
    assert hip_hop == electro
    assert len(hip_hop) == 24


@pytest.mark.parametrize("row", [0, 24, 48, 49])
def test_mastering_keeps_to_the_delivery(row: int) -> None:
    plan = plan_demo_library(LibrarySize(), seed=440)[row]
    quiet = replace(plan.delivery, duration_s=4.0, rms_db=-30.0, width=0.0, lowpass_hz=4000.0)
    y = render_track(replace(plan, delivery=quiet))
    assert y.shape == (4 * quiet.sample_rate_hz, 1)
    assert 20 * np.log10(np.sqrt(np.mean(y**2))) == pytest.approx(-30.0, abs=1.0)
    power = np.abs(np.fft.rfft(y[:, 0])) ** 2
    hz = np.fft.rfftfreq(len(y), 1 / quiet.sample_rate_hz)
    assert power[hz > 9000].sum() < 1e-3 * power.sum()
    wide = render_track(replace(plan, delivery=replace(quiet, width=1.0)))
    assert wide.shape[1] == 2
    np.testing.assert_allclose(wide.mean(axis=1), y[:, 0], atol=0.01)


# The style itself, heard on short renderings of the full library.


@pytest.fixture(scope="module")
def playlist_plans() -> list[TrackPlan]:
    """The two playlists' tracks in full number, each cut to seven seconds at one low sample rate."""
    return [at_low_rate(plan) for plan in plan_demo_library(LibrarySize(), seed=440)[:48]]


def at_low_rate(plan: TrackPlan) -> TrackPlan:
    return replace(plan, delivery=replace(plan.delivery, duration_s=7.0, sample_rate_hz=22_050))


@pytest.fixture(scope="module")
def signals(playlist_plans: list[TrackPlan]) -> list[NDArray[np.float64]]:
    return [render_track(plan).mean(axis=1) for plan in playlist_plans]


@pytest.fixture(scope="module")
def is_electro(playlist_plans: list[TrackPlan]) -> NDArray[np.bool_]:
    return np.array([plan.track.style is Style.ELECTRO for plan in playlist_plans])


def power_spectra(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power of frames of 1024 samples, (n_frames, 513)."""
    frames = y[: len(y) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024)
    return np.abs(np.fft.rfft(frames, axis=1)) ** 2


def describe(y: NDArray[np.float64]) -> dict[str, float]:
    """One number each for what a naive classifier would look at."""
    S = power_spectra(y)
    hz = np.fft.rfftfreq(1024, 1 / 22_050)
    power, energy = S.sum(axis=0), S.sum(axis=1) + 1e-9
    share = np.cumsum(power) / power.sum()
    return {
        "centroid": (power * hz).sum() / power.sum(),
        "roll-off": hz[np.searchsorted(share, 0.85)],
        "bass": share[np.searchsorted(hz, 120)],
        "middle": share[np.searchsorted(hz, 2000)] - share[np.searchsorted(hz, 400)],
        "treble": 1 - share[np.searchsorted(hz, 5000)],
        "flatness": np.exp(np.log(power + 1e-12).mean()) / power.mean(),
        "loudness": energy.mean(),
        "peak over loudness": np.abs(y).max() / np.sqrt(np.mean(y**2)),
        "dynamics": np.log(energy).std(),
        "zero crossings": np.mean(np.diff(np.sign(y)) != 0),
        "onsets": np.mean(np.diff(np.log(energy)) > 0.5),
        "flux": np.maximum(np.diff(np.log(S / S.max() + 1e-6), axis=0), 0).mean(),
    }


def best_threshold(values: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> float:
    """Balanced accuracy of the best single threshold, chosen with full knowledge of the answers."""
    above = values[:, None] >= values[None, :]
    accuracy = (above[is_positive].mean(axis=0) + 1 - above[~is_positive].mean(axis=0)) / 2
    return float(np.maximum(accuracy, 1 - accuracy).max())


def test_no_single_number_tells_the_styles_apart(
    playlist_plans: list[TrackPlan], signals: list[NDArray[np.float64]], is_electro: NDArray[np.bool_]
) -> None:
    assert best_threshold(np.arange(6.0), np.arange(6) < 3) == 1.0
    rows = [describe(y) | {"tempo": plan.track.bpm} for y, plan in zip(signals, playlist_plans, strict=True)]
    best = {name: best_threshold(np.array([row[name] for row in rows]), is_electro) for name in rows[0]}
    assert {name: value for name, value in best.items() if value >= 0.85} == {}


def describe_bands(signals: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Level, spread and movement of 24 bands, (n_tracks, 72)."""
    edges = np.geomspace(2, 512, 25).astype(int)
    bands = [np.log(np.add.reduceat(power_spectra(y), edges[:-1], axis=1) + 1e-6) for y in signals]
    return np.array([np.r_[b.mean(axis=0), b.std(axis=0), np.diff(b, axis=0).std(axis=0)] for b in bands])


def test_many_numbers_together_do_for_artists_never_heard(
    signals: list[NDArray[np.float64]], is_electro: NDArray[np.bool_]
) -> None:
    """The styles can be learnt: logistic regression on 24 bands, an artist of each style left out in turn."""
    X = describe_bands(signals)
    artist_row = np.tile(np.arange(24) % 8, 2)
    is_right = np.zeros(48, bool)
    for row in range(8):
        out = artist_row == row
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(X[~out], is_electro[~out])
        is_right[out] = model.predict(X[out]) == is_electro[out]
    assert is_right.mean() >= 0.9


def test_what_fits_neither_lies_farther_out_than_the_playlists_reach(
    signals: list[NDArray[np.float64]],
) -> None:
    """Its nearest playlist track is farther than those of the playlists' own tracks, artists apart."""
    plans = [
        plan for plan in plan_demo_library(LibrarySize(), seed=440) if plan.track.file.startswith("neither")
    ]
    strangers = [render_track(at_low_rate(plan)).mean(axis=1) for plan in plans]
    scaler = StandardScaler().fit(describe_bands(signals))
    known, strange = (scaler.transform(describe_bands(ys)) for ys in (signals, strangers))
    among = np.linalg.norm(known[:, None] - known, axis=2)
    artist = np.arange(48) // 24 * 8 + np.arange(48) % 24 % 8
    among[artist[:, None] == artist] = np.inf
    outside = np.linalg.norm(strange[:, None] - known, axis=2).min(axis=1)
    assert outside.min() > np.quantile(among.min(axis=1), 0.9)


@pytest.mark.parametrize("row", [0, 2, 24, 26])
def test_the_bar_is_as_long_as_the_tempo_says(playlist_plans: list[TrackPlan], row: int) -> None:
    plan = playlist_plans[row]
    y = render_track(replace(plan, delivery=replace(plan.delivery, duration_s=16.0))).mean(axis=1)
    hop = 256
    energy = (y[: len(y) // hop * hop].reshape(-1, hop) ** 2).sum(axis=1)
    onsets = np.maximum(np.diff(np.log(energy + 1e-4)), 0)
    onsets -= onsets.mean()
    similarity = np.correlate(onsets, onsets, "full")[onsets.size - 1 :]
    lags_s = np.arange(similarity.size) * hop / 22_050
    bar_s = 240.0 / plan.track.bpm
    around = np.abs(lags_s / bar_s - 1) < 0.1
    found_s = lags_s[around][similarity[around].argmax()]
    assert found_s == pytest.approx(bar_s, rel=0.02)
