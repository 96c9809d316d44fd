"""What a fitted group names: both promises on tracks not looked at, and libraries on which it is hard."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.model.familiarity import Familiarity
from recommender.model.group import GroupModel
from recommender.records.promises import DEFAULT_PROMISE
from tests.training.worlds import fit, make_tracks
from training.groups.labels import LabelledTracks


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choosing has tests of its own."""
    monkeypatch.setattr("training.groups.head_choice.N_REPEATS", 1)


def name(model: GroupModel, tracks: LabelledTracks):
    """(scores, fits, p-values) of tracks, their artists named."""
    scores = model.score(tracks.raw, artists=tracks.artists)
    named = model.name(scores, DEFAULT_PROMISE)
    return scores, named.fits, named.p_value


def test_both_promises_are_kept_to_new_and_to_known_artists() -> None:
    everybody = make_tracks([240, 240, 240], n_artists=24, distance=2.4, artist_spread=0.7, noise=0.8)
    is_new = np.array([int(artist.split()[1]) >= 16 for artist in everybody.artists])
    is_learnt = ~is_new & (np.arange(len(everybody)) // 24 % 2 == 0)
    model = fit(everybody.rows(np.flatnonzero(is_learnt))).model
    sizes = {}
    for kind, rows in ((Familiarity.NEW, is_new), (Familiarity.KNOWN, ~is_new & ~is_learnt)):
        asked = everybody.rows(np.flatnonzero(rows))
        scores, fits, p_value = name(model, asked)
        assert set(scores.familiarity.tolist()) == {kind}
        assert model.calibration.named_sets.basis(kind) == "own"
        kept = p_value > DEFAULT_PROMISE.alpha_none
        assert (~kept).mean() < 0.1
        assert (fits & asked.membership).any(axis=1)[kept].mean() > 0.85
        sizes[kind] = fits[kept].sum(axis=1).mean()
    assert 1 <= sizes[Familiarity.KNOWN] <= sizes[Familiarity.NEW] < 3


def test_known_artists_have_heads_of_their_own() -> None:
    tracks = make_tracks([30, 30], n_artists=6, distance=1.0, artist_spread=1.2)
    model = fit(tracks).model
    assert len(model.familiar_heads) == 3  # each view alone, and both
    asked = tracks.raw[:5] + np.float32(0.3)
    as_known, as_new = (model.score(asked, artists=[artist] * 5) for artist in (tracks.artists[0], "nobody"))
    assert as_known.share_known.tolist() == [1.0] * 5
    assert as_new.share_known.tolist() == [0.0] * 5
    assert np.abs(as_known.classifier - as_new.classifier).max() > 0.01
    nameless = model.score(asked)
    assert set(nameless.familiarity.tolist()) == {Familiarity.UNNAMED}
    assert ((nameless.share_known > 0) & (nameless.share_known < 1)).all()


def test_the_same_playlist_twice_is_named_twice() -> None:
    tracks = make_tracks([40, 40], n_artists=10)
    membership = tracks.membership[:, [0, 0, 1]]
    model = fit(replace(tracks, membership=membership)).model
    asked = make_tracks([40, 40], n_artists=10, seed=5)
    _, fits, p_value = name(model, replace(asked, artists=("somebody",) * 80))
    kept = p_value > DEFAULT_PROMISE.alpha_none
    assert kept.mean() > 0.7
    first = np.arange(80) < 40
    assert (fits[kept & first].tolist()) == [[True, True, False]] * int((kept & first).sum())
    assert (fits[kept & ~first].tolist()) == [[False, False, True]] * int((kept & ~first).sum())


def test_a_library_of_strangers_to_each_other_names_nothing_below_chance() -> None:
    """No two tracks by one artist, and playlists that have nothing to do with the sound."""
    tracks = make_tracks([30, 30, 30], n_artists=30, distance=0.0, artist_spread=0.0, noise=1.0)
    model = fit(tracks).model
    asked = make_tracks([30, 30, 30], n_artists=30, distance=0.0, artist_spread=0.0, noise=1.0, seed=6)
    scores, fits, p_value = name(model, replace(asked, artists=tuple(f"new {n}" for n in range(90))))
    kept = p_value > DEFAULT_PROMISE.alpha_none
    assert (~kept).mean() < 0.15
    assert fits[kept].any(axis=1).all() and not fits[~kept].any()
    below = scores.probability < 1 / 3 - 1e-3
    most = scores.probability >= scores.probability.max(axis=1, keepdims=True) - 1e-3
    assert not (fits & below & ~most).any()


def test_tracks_that_are_all_the_same_are_answered_with_both_playlists() -> None:
    tracks = make_tracks([12, 12], n_artists=6)
    model = fit(replace(tracks, raw=np.ones_like(tracks.raw))).model
    scores, fits, p_value = name(model, replace(tracks, raw=np.ones_like(tracks.raw)))
    assert np.isfinite(scores.probability).all() and np.isfinite(p_value).all()
    np.testing.assert_allclose(scores.probability, 0.5, atol=0.02)
    assert fits.all()


@pytest.mark.parametrize("artists", [("",), ("the only one",)])
def test_where_artists_say_nothing_all_are_treated_alike(artists: tuple[str, ...]) -> None:
    tracks = make_tracks([20, 20], n_artists=5)
    model = fit(replace(tracks, artists=artists * 40)).model
    scores, fits, _ = name(model, replace(make_tracks([20, 20], n_artists=5, seed=3), artists=("",) * 40))
    assert set(scores.familiarity.tolist()) == {Familiarity.UNNAMED}
    assert np.isfinite(scores.probability).all()
    assert fits.sum(axis=1).max() <= 2
    assert model.calibration.named_sets.basis(Familiarity.UNNAMED) == "own"


def test_three_tracks_promise_nothing_and_are_answered() -> None:
    model = fit(make_tracks([2, 1], n_artists=2)).model
    scores, fits, p_value = name(model, make_tracks([2, 1], n_artists=2, seed=9))
    assert model.calibration.named_sets.basis(Familiarity.KNOWN) == "none"
    assert np.isfinite(scores.probability).all() and (p_value > 0).all()
    assert fits.any(axis=1).all()
