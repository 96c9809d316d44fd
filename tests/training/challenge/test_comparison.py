"""Champion against challenger: a difference counts only when artists drawn again would show it too."""

from dataclasses import replace

import numpy as np

from tests.training.worlds import group_of, make_context, make_labels, make_tracks
from training.challenge.comparison import N_SEEDS, FoldedGroup, Trial, compare
from training.folds import artist_folds


def _confusions(right: list[int], wrong: list[int]) -> np.ndarray:
    """Counts of two labels in turn, one key each: how many of its tracks were right and wrong."""
    counts = np.zeros((len(right), 2, 2), dtype=np.int64)
    for key, (n_right, n_wrong) in enumerate(zip(right, wrong, strict=True)):
        label = key % 2
        counts[key, label, label], counts[key, label, 1 - label] = n_right, n_wrong
    return counts


def test_the_figures_are_the_balanced_accuracies() -> None:
    champion, challenger = _confusions([1, 3], [3, 1]), _confusions([3, 4], [1, 0])
    found = compare([Trial([champion], [challenger])], np.random.default_rng(0))
    assert (found.champion, found.challenger) == (0.5, 0.875)


def test_a_clear_win_over_many_artists_is_better() -> None:
    champion, challenger = _confusions([1] * 40, [1] * 40), _confusions([2] * 40, [0] * 40)
    found = compare([Trial([champion], [challenger])] * N_SEEDS, np.random.default_rng(0))
    assert found.is_better
    assert found.low == found.high == 0.5
    assert (found.n_seeds, found.n_won, found.beats_chance) == (N_SEEDS, N_SEEDS, True)


def test_winning_on_one_way_to_deal_folds_is_not_enough() -> None:
    champion, challenger = _confusions([1] * 40, [1] * 40), _confusions([2] * 40, [0] * 40)
    won = Trial([champion], [challenger])
    once = compare([won], np.random.default_rng(0))
    assert (once.may_win, once.is_better) == (True, False)
    drawn = compare([won, won, Trial([champion], [champion])], np.random.default_rng(0))
    assert drawn.low > 0  # over all of them together it is
    assert (drawn.n_won, drawn.may_win, drawn.is_better) == (2, False, False)


def test_what_may_be_chance_never_wins() -> None:
    """Clearly better than a champion that is always wrong, and no better than guessing."""
    champion, challenger = _confusions([0] * 40, [2] * 40), _confusions([1] * 40, [1] * 40)
    found = compare([Trial([champion], [challenger])] * N_SEEDS, np.random.default_rng(0))
    assert found.low > 0 and found.n_won == N_SEEDS
    assert (found.beats_chance, found.is_better) == (False, False)


def test_a_group_of_a_few_artists_does_not_stand_in_the_way() -> None:
    few, many = _confusions([1, 1], [0, 0]), _confusions([2] * 40, [0] * 40)
    before = _confusions([1] * 40, [1] * 40)
    found = compare([Trial([few, before], [few, many])] * N_SEEDS, np.random.default_rng(0))
    assert found.is_better


def test_a_win_by_one_artist_of_each_playlist_is_not() -> None:
    champion = _confusions([1] * 20, [1] * 20)
    challenger = _confusions([2, 2, *[1] * 9, *[0] * 9], [0, 0, *[1] * 9, *[2] * 9])
    found = compare([Trial([champion], [challenger])], np.random.default_rng(0))
    assert not found.is_better


def test_an_encoder_is_no_better_than_itself() -> None:
    counts = _confusions([3, 1, 2, 4], [1, 3, 2, 0])
    found = compare([Trial([counts], [counts])], np.random.default_rng(0))
    assert not found.is_better
    assert (found.low, found.high) == (0.0, 0.0)


def test_every_group_counts_alike() -> None:
    small, large = _confusions([1, 1], [0, 0]), _confusions([0] * 30, [5] * 30)
    found = compare([Trial([small, large], [small, large])], np.random.default_rng(0))
    assert found.champion == 0.5


def test_each_fold_is_asked_of_the_encoder_that_has_not_heard_it() -> None:
    tracks = make_tracks([60, 60], n_artists=10, noise=0.2, artist_spread=0.2)
    grouping = group_of(tracks)
    folds = artist_folds(tracks.membership, grouping.keys, n_folds=3, seed=0)
    group = FoldedGroup(make_labels(2), tracks, grouping, folds)
    good = dict.fromkeys(range(3), tracks.raw)
    counts = group.confusions(good, make_context(tracks))
    own = tracks.membership.argmax(axis=1)
    assert counts.sum(axis=0).sum() == len(tracks)
    assert counts.sum(axis=(0, 2)).tolist() == np.bincount(own).tolist()
    assert counts.sum(axis=0).trace() == len(tracks)
    # An encoder that hears the same in every track of one fold is wrong there and nowhere else.
    deaf = good | {1: np.where((folds == 1)[:, None], tracks.raw[0], tracks.raw).astype(np.float32)}
    missed = group.confusions(deaf, make_context(tracks)).sum(axis=0)
    assert missed.sum() - missed.trace() == ((folds == 1) & (own != own[0])).sum()


def test_the_group_is_only_read() -> None:
    tracks = make_tracks([6, 6])
    before = replace(tracks, raw=tracks.raw.copy())
    folds = artist_folds(tracks.membership, group_of(tracks).keys, n_folds=2, seed=0)
    group = FoldedGroup(make_labels(2), tracks, group_of(tracks), folds)
    group.confusions({0: tracks.raw * 2, 1: tracks.raw * 3}, make_context(tracks))
    np.testing.assert_array_equal(tracks.raw, before.raw)
