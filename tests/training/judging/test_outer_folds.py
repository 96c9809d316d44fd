"""Out-of-fold answers: right where they must be, at a loss where they must be, blind to what they judge."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.model.familiarity import Familiarity
from recommender.model.group_file import to_arrays
from recommender.records.promises import DEFAULT_PROMISE
from tests.training.worlds import fit, group_of, make_context, make_labels, make_tracks, with_random_labels
from training.groups.fit import FittedGroup, GroupLabels, fit_group
from training.groups.labels import LabelledTracks
from training.judging import outer_folds, strangers
from training.judging.outer_folds import Judged, NothingToJudge, judge_group
from training.judging.strangers import CURVE_ALPHAS, standardised_closeness
from training.metrics import auroc, balanced_accuracy, chance_p_value


def judge(tracks: LabelledTracks, *, n_folds: int = 5, seed: int = 0, **options: Any) -> Judged:
    labels = make_labels(tracks.membership.shape[1])
    return judge_group(labels, tracks, make_context(tracks, seed=seed), n_folds=n_folds, **options)


def accuracy(judged: Judged, tracks: LabelledTracks) -> float:
    own, predicted = tracks.membership.argmax(axis=1), judged.probability.argmax(axis=1)
    return balanced_accuracy(own, predicted, tracks.membership.shape[1])


@pytest.fixture(scope="module", autouse=True)
def _choose_once() -> Iterator[None]:
    """Repeating the inner folds steadies choices; here it would only cost time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.groups.head_choice.N_REPEATS", 1)
        yield


@pytest.fixture(scope="module")
def tracks() -> LabelledTracks:
    return make_tracks([40, 40, 40], n_artists=10)


@pytest.fixture(scope="module")
def judged(tracks: LabelledTracks) -> Judged:
    return judge(tracks)


def test_a_world_with_an_answer(tracks: LabelledTracks, judged: Judged) -> None:
    assert accuracy(judged, tracks) > 0.97
    own = judged.p_value[tracks.membership]
    assert (own > 0.1).mean() == pytest.approx(0.9, abs=0.06)
    assert (own > 0.3).mean() == pytest.approx(0.7, abs=0.1)
    assert min(judged.strangers.aurocs) > 0.97
    assert (judged.p_value[~tracks.membership] <= 0.1).mean() > 0.95
    kept = judged.stranger_p_value > 0.05
    assert kept.mean() == pytest.approx(0.95, abs=0.05)
    np.testing.assert_array_equal(judged.fits[kept], tracks.membership[kept])
    assert not judged.fits[~kept].any()
    np.testing.assert_allclose(judged.probability.sum(axis=1), 1, atol=1e-5)
    assert len(judged.choices) == 5


def test_evidence_is_from_other_folds(tracks: LabelledTracks, judged: Judged) -> None:
    fold_of = dict(zip(tracks.track_ids.tolist(), judged.folds.tolist(), strict=True))
    for row, fold in enumerate(judged.folds.tolist()):
        assert {fold_of[track_id] for track_id in judged.nearest_ids[row].ravel().tolist()} <= {
            0,
            1,
            2,
            3,
            4,
        } - {fold}


class Recorder:
    """Stands in for ``fit_group`` and keeps what it was given and what it returned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[LabelledTracks, FittedGroup]] = []
        monkeypatch.setattr(outer_folds, "fit_group", self)
        monkeypatch.setattr(strangers, "fit_group", self)
        # What is said of known artists comes from folds of its own.
        monkeypatch.setattr(outer_folds, "_judge_known", lambda *_, **__: None)

    def __call__(
        self, labels: GroupLabels, tracks: LabelledTracks, *args: Any, **options: Any
    ) -> FittedGroup:
        fitted = fit_group(labels, tracks, *args, **options)
        self.calls.append((tracks, fitted))
        return fitted

    def of_fold(self, judged: Judged, tracks: LabelledTracks, fold: int) -> list[FittedGroup]:
        """Everything fitted while a fold was held out: known by a track of it that was never given."""
        train = set(tracks.track_ids[judged.folds != fold].tolist())
        return [fitted for given, fitted in self.calls if set(given.track_ids.tolist()) <= train]


def arrays_of(fitted: FittedGroup) -> dict[str, np.ndarray]:
    arrays, described = to_arrays(fitted.model)
    return arrays | {name: np.array(value) for name, value in described["calibration"].items()}


def closeness_of(fitted: FittedGroup, asked: LabelledTracks) -> np.ndarray:
    return standardised_closeness(fitted.model, fitted.model.score(asked.raw, n_nearest=0).closeness)


def test_no_artist_is_judged_by_a_model_that_heard_them(monkeypatch: pytest.MonkeyPatch) -> None:
    tracks, recorder = make_tracks([12, 12, 12], n_artists=6), Recorder(monkeypatch)
    judged = judge(tracks, n_folds=3)
    artists = np.array(tracks.artists)
    assert len(recorder.calls) == 3 * (1 + 3)  # a model for each fold, and for each playlist left out of it
    for fold in range(3):
        fitted = recorder.of_fold(judged, tracks, fold)
        assert len(fitted) == 4
        held_back = set(artists[judged.folds == fold].tolist())
        for group in fitted:
            known = artists[np.isin(tracks.track_ids, group.model.member_ids)]
            assert not held_back & set(known.tolist())


def test_what_is_judged_changes_nothing_that_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fold's vectors and labels exchanged: all that was fitted without that fold stays, bit for bit."""
    tracks = make_tracks([16, 16, 16], n_artists=8, distance=2)
    before = Recorder(monkeypatch)
    judged = judge(tracks, n_folds=4)
    inside = judged.folds == 1
    raw, membership = tracks.raw.copy(), tracks.membership.copy()
    raw[inside] = np.random.default_rng(5).normal(scale=50, size=raw[inside].shape)
    membership[inside] = np.roll(membership[inside], 1, axis=1)
    exchanged = replace(tracks, raw=raw, membership=membership)
    # The folds themselves may depend on all labels: an artist is put where the labels are spread evenly.
    monkeypatch.setattr(
        outer_folds,
        "artist_folds",
        lambda *_, **__: judged.folds,
    )
    after = Recorder(monkeypatch)
    again = judge(exchanged, n_folds=4)
    ours, theirs = before.of_fold(judged, tracks, 1), after.of_fold(again, exchanged, 1)
    assert len(ours) == len(theirs) == 4
    for one, other in zip(ours, theirs, strict=True):
        expected = arrays_of(other)
        for name, array in arrays_of(one).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)


def test_labels_of_what_is_held_out_change_no_answer_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = make_tracks([16, 16, 16], n_artists=8, distance=2)
    judged = judge(tracks, n_folds=4)
    inside = judged.folds == 2
    membership = tracks.membership.copy()
    membership[inside] = np.roll(membership[inside], 1, axis=1)
    monkeypatch.setattr(outer_folds, "artist_folds", lambda *_, **__: judged.folds)
    again = judge(replace(tracks, membership=membership), n_folds=4)
    np.testing.assert_array_equal(again.probability[inside], judged.probability[inside])
    np.testing.assert_array_equal(again.p_value[inside], judged.p_value[inside])
    assert (again.probability[~inside] != judged.probability[~inside]).any()  # there they were trained on


def test_random_playlists_are_no_better_than_chance() -> None:
    """Whatever is chosen on inner folds: that the answers could not be dealt out as well is an accident."""
    n_better, accuracies = 0, []
    for seed in range(4):
        tracks = with_random_labels(make_tracks([24, 24], n_artists=12, distance=0, seed=seed), seed=seed)
        judged = judge(tracks, seed=seed)
        own, predicted = tracks.membership.argmax(axis=1), judged.probability.argmax(axis=1)
        rng = np.random.default_rng(0)
        n_better += chance_p_value(own, predicted, judged.grouping.keys, 2, rng) <= 0.01
        accuracies.append(accuracy(judged, tracks))
    assert n_better == 0
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.12)


def test_an_artist_on_both_sides_would_have_looked_better() -> None:
    """Artists that sound like themselves in playlists that mean nothing: splitting by track is fooled."""
    tracks = with_random_labels(make_tracks([60, 60], n_artists=6, distance=0, artist_spread=3), seed=3)
    by_artist = judge(tracks)
    by_track = judge(replace(tracks, artists=tuple(f"artist {row}" for row in range(len(tracks)))))
    assert accuracy(by_track, tracks) > 0.9
    assert accuracy(by_artist, tracks) < 0.7


@pytest.mark.filterwarnings("error")
def test_copies_of_a_track_are_held_out_together() -> None:
    tracks = make_tracks([12, 12], n_artists=12, distance=0)
    raw, durations_s = tracks.raw.copy(), tracks.durations_s.copy()
    for first in range(0, 24, 2):
        raw[first + 1], durations_s[first + 1] = raw[first], durations_s[first]
    judged = judge(replace(tracks, raw=raw, durations_s=durations_s))
    np.testing.assert_array_equal(judged.folds[0::2], judged.folds[1::2])
    np.testing.assert_allclose(judged.probability[0::2], judged.probability[1::2], atol=1e-5)


@pytest.mark.parametrize(
    "tracks",
    [
        pytest.param(make_tracks([1, 1]), id="two tracks"),
        pytest.param(make_tracks([1, 1, 1, 1]), id="one track each"),
        pytest.param(
            replace(
                make_tracks([5, 5]),
                raw=make_tracks([5, 5]).raw[[0] * 10],
                durations_s=np.full(10, 200.0),
            ),
            id="copies of one recording",
        ),
    ],
)
def test_what_cannot_be_judged_says_so(tracks: LabelledTracks) -> None:
    with pytest.raises(NothingToJudge, match="two tracks that are not copies"):
        judge(tracks)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sizes", [(2, 1), (3, 3), (5, 1, 3), (20, 1, 20)])
def test_playlists_too_small_for_the_folds(sizes: tuple[int, ...]) -> None:
    tracks = make_tracks(sizes, n_artists=5)
    judged = judge(tracks)
    np.testing.assert_allclose(judged.probability.sum(axis=1), 1, atol=1e-5)
    single = tracks.membership[:, [n == 1 for n in sizes]].any(axis=1)
    assert np.isnan(judged.p_value[single & tracks.membership.any(axis=1)]).any() == single.any()
    own = judged.p_value[tracks.membership]
    np.testing.assert_array_equal(np.isnan(own), single)  # nothing left to compare a single track with
    # Nobody knew its playlist while it was held out, so it was not named.
    assert judged.probability[tracks.membership][single].max(initial=0) < 0.05


@pytest.mark.filterwarnings("error")
def test_all_tracks_in_both_playlists() -> None:
    tracks = make_tracks([20], n_artists=5)
    judged = judge(replace(tracks, membership=np.ones((20, 2), dtype=bool)))
    np.testing.assert_allclose(judged.probability, 0.5, atol=0.05)
    assert np.isnan(judged.strangers.aurocs).all()


def test_a_playlist_of_one_artist_is_judged_by_track_and_marked() -> None:
    judged = judge(make_tracks([20, 20, 20], n_artists=[5, 5, 1]))
    assert judged.grouping.judged_by == ("artist", "artist", "track")
    assert len(set(judged.folds[40:].tolist())) > 1


def test_none_fits_cannot_be_told_of_two_playlists(tracks: LabelledTracks) -> None:
    judged = judge(make_tracks([20, 20], n_artists=5))
    assert np.isnan(judged.strangers.aurocs).all()


def test_playlists_that_are_alike_look_familiar_to_each_other() -> None:
    """A third playlist in the place of the first: left out, it is as familiar as if it were there."""
    tracks = make_tracks([30, 30, 30], n_artists=10)
    raw = tracks.raw.copy()
    raw[60:] = make_tracks([30], n_artists=10, seed=8).raw
    judged = judge(replace(tracks, raw=raw))
    assert 0.3 < judged.strangers.aurocs[2] < 0.7
    assert judged.strangers.aurocs[1] > 0.95


def test_strangers_are_caught_and_known_artists_judged_apart(tracks: LabelledTracks, judged: Judged) -> None:
    assert [point.alpha_none for point in judged.strangers.curve] == list(CURVE_ALPHAS)
    caught = [point.strangers_caught for point in judged.strangers.curve]
    assert caught == sorted(caught)
    point = judged.strangers.point(DEFAULT_PROMISE)
    assert point is not None
    assert point.alpha_none == DEFAULT_PROMISE.alpha_none
    assert point.strangers_caught > 0.8
    assert point.members_turned_away < 0.15
    assert set(judged.familiarity.tolist()) == {Familiarity.NEW}
    assert judged.to_known is not None
    known = judged.to_known.familiarity == Familiarity.KNOWN
    assert known.mean() > 0.9
    right = judged.to_known.probability[known].argmax(axis=1) == tracks.membership[known].argmax(axis=1)
    assert right.mean() > 0.97


def test_without_an_artist_of_two_tracks_nobody_is_known() -> None:
    tracks = make_tracks([12, 12], n_artists=12)
    assert judge(tracks).to_known is None
    assert judge(replace(tracks, artists=("",) * 24)).to_known is None


def test_closeness_is_high_for_members_and_low_for_strangers() -> None:
    fitted = fit(make_tracks([30, 30], n_artists=10))
    new = make_tracks([20, 20, 20], n_artists=5, seed=8)
    scores = closeness_of(fitted, new)
    assert scores.shape == (60,)
    assert auroc(scores[:40], scores[40:]) > 0.98
    assert abs(scores[:40].mean()) < 1  # on the scale of the group's own held-out tracks


@pytest.mark.filterwarnings("error")
def test_closeness_where_nothing_was_held_out() -> None:
    fitted = fit(make_tracks([1, 1]))
    assert np.isfinite(closeness_of(fitted, make_tracks([3, 3], seed=2))).all()


def test_the_same_seed_judges_the_same_and_another_otherwise(tracks: LabelledTracks, judged: Judged) -> None:
    again = judge(tracks)
    np.testing.assert_array_equal(again.probability, judged.probability)
    np.testing.assert_array_equal(again.p_value, judged.p_value)
    assert (judge(tracks, seed=1).folds != judged.folds).any()


def test_progress_is_told_fold_by_fold() -> None:
    told: list[tuple[int, int, str]] = []
    judge(make_tracks([9, 9], n_artists=3), n_folds=3, progress=lambda *step: told.append(step))
    folds = [f"fold {number} of 3" for number in (1, 2, 3)]
    said = [*folds, *(f"known artists: {fold}" for fold in folds)]
    assert told == [(1 + place % 3, 3, words) for place, words in enumerate(said)]


def test_arguments_are_only_read() -> None:
    tracks = make_tracks([12, 12, 12], n_artists=4)
    arrays = (tracks.raw, tracks.membership, tracks.track_ids, tracks.durations_s)
    before = [array.copy() for array in arrays]
    judge(tracks)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert group_of(tracks).judged_by == ("artist",) * 3
