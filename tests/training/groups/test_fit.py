"""Groups fitted in worlds with an answer, in odd libraries, and without a look at what is held back."""

from dataclasses import replace

import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from recommender.model.calibration import MIN_CALIBRATION_TRACKS, fit_temperature
from recommender.model.group import GroupModel
from recommender.model.group_file import from_arrays, to_arrays
from tests.training.worlds import (
    DIM,
    DIRECTIONS,
    VIEWS,
    fit,
    group_of,
    make_context,
    make_labels,
    make_tracks,
    with_random_labels,
)
from training.groups.calibrating import UNFITTED, HeldOutScores, fit_calibration
from training.groups.fit import FittedGroup, fit_group, group_by_artist
from training.groups.fitting import FitContext, default_choice, fit_head, fit_standardisation
from training.groups.labels import LabelledTracks

N_NEW = 40


def new_tracks(n_labels: int = 3, **options: float) -> LabelledTracks:
    """Tracks of the same playlists by artists that no group was fitted on."""
    return make_tracks([N_NEW] * n_labels, n_artists=10, seed=7, **options)


def accuracy(fitted: FittedGroup, tracks: LabelledTracks) -> float:
    return float((fitted.model.score(tracks.raw).probability.argmax(1) == tracks.membership.argmax(1)).mean())


def turned_away(fitted: FittedGroup, tracks: LabelledTracks, *, alpha: float = 0.1) -> float:
    """Share of tracks that do not fit their own playlist."""
    return float((fitted.model.score(tracks.raw).p_value[tracks.membership] <= alpha).mean())


@pytest.fixture(scope="module")
def large() -> FittedGroup:
    return fit(make_tracks([60, 60, 60], n_artists=20))


def test_new_artists_are_placed_and_members_not_turned_away_more_often_than_promised(
    large: FittedGroup,
) -> None:
    assert accuracy(large, new_tracks()) > 0.98
    probability = large.model.score(new_tracks().raw).probability
    assert probability[new_tracks().membership].mean() > 0.9
    assert turned_away(large, new_tracks()) == pytest.approx(0.1, abs=0.07)


def test_what_belongs_nowhere_is_turned_away_by_all(large: FittedGroup) -> None:
    elsewhere = make_tracks([0, 0, 0, 0, 40], n_artists=10, seed=3)
    p_values = large.model.score(elsewhere.raw).p_value
    assert (p_values.max(axis=1) <= 0.1).mean() > 0.9


def test_confidence_is_as_high_as_it_is_deserved() -> None:
    """In a hard world the calibrated probabilities of new artists match how often they are right."""
    hard = {"distance": 1.6, "noise": 1.2}
    fitted = fit(make_tracks([80, 80, 80], n_artists=40, **hard))
    asked = make_tracks([400, 400, 400], n_artists=200, seed=5, **hard)
    probability = fitted.model.score(asked.raw).probability
    right = probability.argmax(axis=1) == asked.membership.argmax(axis=1)
    assert 0.5 < right.mean() < 0.95
    assert probability.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.06)


def test_random_playlists_leave_the_probabilities_even() -> None:
    tracks = with_random_labels(make_tracks([40, 40], n_artists=20, distance=0, artist_spread=0.1))
    fitted = fit(tracks)
    assert fitted.model.score(new_tracks().raw).probability.max() < 0.75


def test_a_group_is_fitted_the_same_again_and_with_another_seed_otherwise() -> None:
    tracks = make_tracks([20, 20], n_artists=8, distance=2)
    once, again, other = fit(tracks), fit(tracks), fit(tracks, seed=1)
    np.testing.assert_array_equal(once.folds, again.folds)
    raw = new_tracks(2).raw
    np.testing.assert_array_equal(once.model.score(raw).p_value, again.model.score(raw).p_value)
    np.testing.assert_array_equal(once.model.score(raw).probability, again.model.score(raw).probability)
    assert (once.folds != other.folds).any()


@pytest.mark.parametrize("n_few", [1, 3, 5])
def test_a_small_playlist_among_large_ones_is_found_and_takes_nothing_from_them(n_few: int) -> None:
    fitted = fit(make_tracks([40, 40, n_few], n_artists=8))
    assert accuracy(fitted, new_tracks()) > 0.9
    assert turned_away(fitted, new_tracks()) < 0.25
    note = fitted.model.notes[2]
    assert ("one track" in note) == (n_few == 1)
    assert ("too few to turn a track away" in note) == (n_few > 1)
    assert fitted.model.notes[0] == ""


@pytest.mark.parametrize("sizes", [(1, 1), (1, 1, 1, 1), (2, 1), (3, 3), (5, 5, 5)])
def test_playlists_of_a_few_tracks_alone_are_usable_at_once(sizes: tuple[int, ...]) -> None:
    tracks, library = make_tracks(sizes, n_artists=5), make_tracks([20] * 8, seed=9).raw
    fitted = fit_group(make_labels(len(sizes)), tracks, FitContext(VIEWS, library), group_of(tracks))
    new = make_tracks([10] * len(sizes), n_artists=5, seed=3)
    assert accuracy(fitted, new) > 0.85
    scores = fitted.model.score(new.raw)
    np.testing.assert_allclose(scores.probability.sum(axis=1), 1, atol=1e-5)
    if max(sizes) == 1:
        # Nothing could be held out, so nothing speaks against any playlist.
        np.testing.assert_array_equal(scores.p_value, 1)
        assert fitted.model.calibration.temperature == UNFITTED.temperature
    for note, n_tracks in zip(fitted.model.notes, sizes, strict=True):
        assert note.startswith("one track" if n_tracks == 1 else f"{n_tracks} tracks")


def test_five_hundred_tracks_do_not_bury_three() -> None:
    fitted = fit(make_tracks([500, 3], n_artists=[50, 3]))
    new = make_tracks([30, 30], n_artists=10, seed=3)
    predicted = fitted.model.score(new.raw, artists=["somebody new"] * 60).probability.argmax(axis=1)
    assert (predicted[:30] == 0).mean() > 0.9
    assert (predicted[30:] == 1).mean() > 0.9
    own = [len(column) for column in fitted.model.calibration.closeness]
    assert own == [500, 3] and own[1] < MIN_CALIBRATION_TRACKS


def test_a_group_with_one_playlist_says_who_fits_and_nothing_by_probability() -> None:
    fitted = fit(make_tracks([40], n_artists=20))
    scores = fitted.model.score(new_tracks().raw)
    np.testing.assert_array_equal(scores.probability, 1)
    assert "the only playlist of its group" in fitted.model.notes[0]
    assert (scores.p_value[:N_NEW] > 0.1).mean() > 0.8
    assert (scores.p_value[N_NEW:] <= 0.1).mean() > 0.9


def test_a_playlist_of_one_artist_is_held_out_by_track_and_says_so() -> None:
    fitted = fit(make_tracks([20, 20], n_artists=[5, 1]))
    assert fitted.grouping.judged_by == ("artist", "track")
    assert fitted.model.notes[0] == ""
    assert "no two known artists: held out by track" in fitted.model.notes[1]
    assert len(set(fitted.folds[20:].tolist())) > 1
    assert [len(column) for column in fitted.model.calibration.closeness] == [20, 20]


def test_all_tracks_in_both_playlists() -> None:
    tracks = make_tracks([30], n_artists=6)
    both = replace(tracks, membership=np.ones((30, 2), dtype=bool))
    fitted = fit(both)
    scores = fitted.model.score(new_tracks(1).raw)
    np.testing.assert_allclose(scores.probability, 0.5, atol=0.01)
    np.testing.assert_allclose(scores.p_value[:, 0], scores.p_value[:, 1], atol=1e-6)
    assert (scores.p_value > 0.1).mean() > 0.7


def test_tracks_in_two_playlists_lie_between_them() -> None:
    rng = np.random.default_rng(2)
    tracks = make_tracks([40, 40, 40], n_artists=10)
    shared = np.arange(120) % 40 < 10
    shared[80:] = False
    middle = 4 * (DIRECTIONS[0] + DIRECTIONS[1]) / 2
    raw, membership = tracks.raw.copy(), tracks.membership.copy()
    raw[shared, :16] = rng.normal(scale=0.6, size=(20, 16)) + middle
    membership[shared, :2] = True
    fitted = fit(replace(tracks, raw=raw, membership=membership))
    asked = np.zeros((3, DIM), np.float32)
    asked[:, :16] = [4 * DIRECTIONS[0], middle, 4 * DIRECTIONS[1]]
    probability = fitted.model.score(asked).probability
    assert probability[0, 0] > 0.75 and probability[2, 1] > 0.75
    assert probability[1, :2].min() > 0.2 and probability[1, 2] < 0.01


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_labels", [1, 2])
def test_a_library_of_copies(n_labels: int) -> None:
    """Files of one recording: nothing can be held out, nothing is told apart, nothing breaks."""
    tracks = make_tracks([5] * n_labels)
    copies = replace(
        tracks, raw=tracks.raw[:1].repeat(5 * n_labels, axis=0), durations_s=np.full(len(tracks), 9.0)
    )
    fitted = fit(copies)
    assert len(np.unique(fitted.grouping.keys)) == 1
    scores = fitted.model.score(copies.raw)
    np.testing.assert_allclose(scores.probability, 1 / n_labels, atol=1e-3)
    np.testing.assert_array_equal(scores.p_value, 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("jitter", [1e-8, 1e-7, 1e-5])
def test_a_library_of_near_copies_can_be_fitted(jitter: float) -> None:
    """Some columns differ by a rounding error, some not at all: there is no spread worth the name."""
    tracks = make_tracks([4, 4])
    factor = 1 + jitter * np.random.default_rng(0).normal(size=tracks.raw.shape)
    fitted = fit(replace(tracks, raw=(tracks.raw[:1] * factor).astype(np.float32)))
    np.testing.assert_allclose(fitted.model.score(new_tracks(2).raw).probability.sum(axis=1), 1, atol=1e-5)


@pytest.mark.filterwarnings("error")
def test_two_playlists_each_of_copies_of_one_recording() -> None:
    """While one is held out, the other is all there is: neither can say how far its own tracks lie."""
    tracks = make_tracks([4, 4])
    copies = replace(tracks, raw=tracks.raw[np.repeat([0, 4], 4)], durations_s=np.repeat([100.0, 200.0], 4))
    fitted = fit(copies)
    assert len(np.unique(fitted.grouping.keys)) == 2
    assert accuracy(fitted, copies) == 1
    np.testing.assert_array_equal(fitted.model.score(copies.raw).p_value, 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sizes", [(1, 1), (2,), (2, 0), (1, 0)])
def test_a_library_of_two_tracks_or_of_one(sizes: tuple[int, ...]) -> None:
    """In one fold of a larger library a playlist may have no track at all, as the second one here."""
    tracks = make_tracks(sizes, n_artists=2)
    fitted = fit(tracks)
    scores = fitted.model.score(tracks.raw)
    if sizes[-1]:
        assert accuracy(fitted, tracks) == 1
    else:
        assert scores.probability[:, 1].max() < 0.05
        assert np.isnan(scores.p_value[:, 1]).all()
    assert (scores.p_value[:, 0] > 0.1).all()


def test_an_absent_playlist_is_never_the_answer() -> None:
    """Its prototype is nowhere, which must not make it the nearest of all to what is far from the others."""
    tracks = make_tracks([20, 20, 0, 2], n_artists=5)
    context = make_context(tracks)
    standardisation = fit_standardisation(tracks.raw, context, default_choice(VIEWS).view_weights)
    far = standardisation.apply(-tracks.raw)
    for linear in (np.ones(4, bool), np.array([True, True, False, False]), np.zeros(4, bool)):
        head = fit_head(standardisation.apply(tracks.raw), tracks, default_choice(VIEWS), linear=linear)
        assert (head.logits(far).argmax(axis=1) != 2).all()


def test_a_playlist_without_a_linear_row_competes_on_the_scale_of_the_others() -> None:
    """Two playlists of two among three of twenty, at several penalties: everybody keeps their own."""
    tracks = make_tracks([20, 20, 20, 2, 2], n_artists=5)
    new = make_tracks([20] * 5, n_artists=10, seed=3)
    choice = default_choice(VIEWS)
    standardisation = fit_standardisation(tracks.raw, make_context(tracks), choice.view_weights)
    for l2 in (0.3, 0.03, 0.003):
        head = fit_head(
            standardisation.apply(tracks.raw),
            tracks,
            replace(choice, heads=((l2, 0.2),)),
            linear=np.array([True, True, True, False, False]),
        )
        right = head.logits(standardisation.apply(new.raw)).argmax(1) == new.membership.argmax(1)
        per_playlist = right.reshape(5, 20).mean(axis=1)
        assert (per_playlist > 0.85).all(), (l2, per_playlist)


def test_several_heads_answer_with_the_mean_of_their_logits() -> None:
    tracks = make_tracks([20, 20, 20, 2], n_artists=5)
    embeddings = fit_standardisation(
        tracks.raw, make_context(tracks), default_choice(VIEWS).view_weights
    ).apply(tracks.raw)
    linear = np.array([True, True, True, False])
    heads = ((0.01, 0.0), (0.1, 1.0), (0.003, 0.2))
    several = replace(default_choice(VIEWS), heads=heads)
    assert several.artist_correlation == 1.0
    together = fit_head(embeddings, tracks, several, linear=linear).logits(embeddings)[:, :3]
    alone = [
        fit_head(embeddings, tracks, replace(several, heads=(head,)), linear=linear).logits(embeddings)[:, :3]
        for head in heads
    ]
    # Logits mean something beside each other only; the fourth playlist shifts them all alike.
    centred = [table - table.mean(axis=1, keepdims=True) for table in (together, np.mean(alone, axis=0))]
    np.testing.assert_allclose(centred[0], centred[1], atol=2e-2)
    assert np.abs(alone[0] - alone[1]).max() > 0.5


def test_unknown_tracks_sharpen_the_statistics_and_nothing_else() -> None:
    tracks = make_tracks([5, 5], n_artists=5)
    rng = np.random.default_rng(0)
    library = rng.normal(loc=3, scale=2, size=(400, DIM)).astype(np.float32)
    context = FitContext(VIEWS, library)
    fitted = fit_group(make_labels(2), tracks, context, group_of(tracks))
    everything = np.concatenate([tracks.raw, library])
    np.testing.assert_allclose(fitted.model.standardisation.mean, everything.mean(axis=0), atol=1e-4)
    assert set(fitted.model.member_ids.tolist()) == set(tracks.track_ids.tolist())


def test_the_statistics_of_a_huge_library_are_those_of_an_even_part_of_it() -> None:
    tracks = make_tracks([3, 3])
    library = np.linspace(0, 1, 30_001, dtype=np.float32)[:, None].repeat(DIM, axis=1)
    fitted = fit_standardisation(tracks.raw, FitContext(VIEWS, library), (("trunk", 1.0), ("timbre", 0.0)))
    assert fitted.mean[20] == pytest.approx(0.5, abs=0.01)  # neither only its beginning nor only its end


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_refused(wrong: float) -> None:
    tracks = make_tracks([5, 5])
    raw = tracks.raw.copy()
    raw[3, 3] = wrong
    with pytest.raises(EmbeddingError, match="finite"):
        fit(replace(tracks, raw=raw))


def arrays_of(model: GroupModel) -> dict[str, np.ndarray]:
    arrays, described = to_arrays(model)
    return arrays | {
        name: np.array(value) for name, value in described["calibration"].items() if name != "familiar"
    }


def test_what_is_held_back_changes_nothing_that_is_fitted() -> None:
    """A whole library with one fold held back, and the same with that fold's tracks exchanged for others."""
    tracks = make_tracks([20, 20, 20], n_artists=5, distance=2)
    grouping = group_of(tracks)
    test = np.isin(tracks.artists, [f"artist 1 of {label}" for label in range(3)])
    rng = np.random.default_rng(9)
    raw, membership = tracks.raw.copy(), tracks.membership.copy()
    raw[test] = rng.normal(scale=100, size=raw[test].shape)
    membership[test] = np.roll(membership[test], 1, axis=1)
    exchanged = replace(
        tracks, raw=raw, membership=membership, track_ids=np.where(test, 9999, tracks.track_ids)
    )
    train = np.flatnonzero(~test)
    keys = grouping.rows(train)
    models = [
        fit_group(make_labels(3), library.rows(train), make_context(library), keys).model
        for library in (tracks, exchanged)
    ]
    ours, theirs = (arrays_of(model) for model in models)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    # So whatever is said of the tracks held back cannot depend on their labels.
    scores = [model.score(tracks.raw[test]).probability for model in models]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_calibration_rests_on_models_without_the_fold() -> None:
    """Each held-out score comes from the other folds alone: moving one fold moves only its own scores."""
    tracks = make_tracks([20, 20], n_artists=5, distance=2)
    grouping, context = group_of(tracks), make_context(tracks)
    choice = default_choice(VIEWS)
    before = fit_group(make_labels(2), tracks, context, grouping, choice=choice)
    first = before.folds == 0
    raw = np.where(first[:, None], tracks.raw[::-1], tracks.raw)
    after = fit_group(make_labels(2), replace(tracks, raw=raw), context, grouping, choice=choice)
    np.testing.assert_array_equal(before.folds, after.folds)
    # What the first fold's tracks were asked of was fitted without them: the same tracks get the same scores.
    known = replace(tracks, raw=raw).rows(np.flatnonzero(~first))
    standardisation = fit_standardisation(known.raw, context, choice.view_weights)
    head = fit_head(standardisation.apply(known.raw), known, choice, linear=np.ones(2, bool))
    for fitted, asked in ((before, tracks.raw[first]), (after, raw[first])):
        expected = head.logits(standardisation.apply(asked))
        np.testing.assert_allclose(fitted.held_out.logits[first], expected, atol=1e-4)


def test_calibration_is_empty_when_nothing_was_held_out() -> None:
    calibration = fit_calibration(HeldOutScores.empty((4, 2)), np.eye(2, dtype=bool)[[0, 0, 1, 1]])
    assert [len(column) for column in calibration.closeness] == [0, 0]
    assert calibration.temperature == 1


def test_what_was_asked_of_nobody_does_not_spoil_the_temperature() -> None:
    """While a playlist's only track is held out nobody knows the playlist: no evidence of certainty."""
    fitted = fit(make_tracks([30, 30, *[1] * 8], n_artists=10))
    membership = fitted.model.membership.astype(float)
    spoilt, _ = fit_temperature(fitted.held_out.logits, membership)
    assert fitted.model.calibration.classifier_temperature < spoilt / 3
    assert accuracy(fitted, make_tracks([10] * 10, n_artists=5, seed=3)) > 0.8


def test_copies_and_artists_are_grouped_before_anything_is_split() -> None:
    tracks = make_tracks([6, 6], n_artists=3)
    raw, durations_s = tracks.raw.copy(), np.linspace(100, 400, 12)
    raw[7], durations_s[7] = raw[0], durations_s[0]  # the second playlist holds a copy of the first's first
    copied = replace(tracks, raw=raw, durations_s=durations_s)
    keys = group_by_artist(copied, make_context(copied), default_choice(VIEWS)).keys
    assert keys[0] == keys[7] == keys[3] == keys[10]  # and so the two artists stay together
    assert len(np.unique(keys)) == 5


def test_arguments_are_only_read() -> None:
    tracks = make_tracks([15, 15, 1], n_artists=5)
    grouping, context = group_of(tracks), FitContext(VIEWS, make_tracks([9]).raw)
    arrays = (
        tracks.raw,
        tracks.membership,
        tracks.track_ids,
        tracks.durations_s,
        grouping.keys,
        context.unlabelled,
    )
    before = [array.copy() for array in arrays]
    fit_group(make_labels(3), tracks, context, grouping).model.score(tracks.raw)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_a_track_that_sounds_like_a_known_artist_is_placed_by_its_neighbours() -> None:
    """Artists far from the middle of their playlist: heads are misled where their own tracks are not."""
    tracks = make_tracks([60, 60], n_artists=6, artist_spread=3.0, distance=1.5, noise=0.2)
    rng = np.random.default_rng(5)
    held = rng.permutation(len(tracks))[:40]
    fitted = fit(tracks.rows(np.setdiff1d(np.arange(len(tracks)), held)))
    familiar = fitted.model.calibration.familiar
    assert familiar is not None
    assert familiar.slope > 0
    assert familiar.classifier_weight < 1
    alone = replace(fitted.model, calibration=replace(fitted.model.calibration, familiar=None))
    asked = tracks.rows(held)
    assert accuracy(fitted, asked) >= float(
        (alone.score(asked.raw).probability.argmax(1) == asked.membership.argmax(1)).mean()
    )
    assert accuracy(fitted, asked) > 0.95


def test_a_handful_of_tracks_has_no_blend_for_familiar_ones() -> None:
    assert fit(make_tracks([5, 5])).model.calibration.familiar is None


def test_the_blend_for_familiar_tracks_is_kept_in_the_bundle(large: FittedGroup) -> None:
    kept = from_arrays(*to_arrays(large.model))
    assert kept.calibration.familiar == large.model.calibration.familiar is not None
