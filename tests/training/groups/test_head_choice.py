"""What is chosen on inner folds, and where nothing may be chosen."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tests.training.worlds import DIM, VIEWS, group_of, make_context, make_tracks, with_random_labels
from training.groups.fitting import FitContext, HeadChoice, default_choice
from training.groups.head_choice import MAX_TRACKS, choose_head, list_candidates
from training.groups.labels import LabelledTracks

ALONE = {"trunk": (("trunk", 1.0), ("timbre", 0.0)), "timbre": (("trunk", 0.0), ("timbre", 1.0))}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As fit_group has it."""
    with threadpool_limits(limits=1):
        yield


def choose(tracks: LabelledTracks, *, seed: int = 0) -> HeadChoice:
    return choose_head(tracks, group_of(tracks).keys, make_context(tracks, seed=seed))


def with_views_swapped(tracks: LabelledTracks) -> LabelledTracks:
    """What the first view knew, the second knows, as far as there are columns; the first knows nothing."""
    raw = np.roll(tracks.raw, VIEWS["trunk"].stop, axis=1)
    columns = VIEWS["trunk"]
    raw[:, columns] = np.random.default_rng(1).permutation(raw[:, columns], axis=0)
    return replace(tracks, raw=raw)


@pytest.mark.parametrize("seed", range(3))
def test_the_view_that_knows_the_playlists_is_chosen(seed: int) -> None:
    tracks = make_tracks([20, 20, 20], n_artists=6, distance=2.5, noise=1.5, seed=seed)
    assert dict(choose(tracks).view_weights)["trunk"] >= 0.5
    swapped = dict(choose(with_views_swapped(tracks)).view_weights)
    assert swapped["timbre"] >= 0.5
    assert default_choice(VIEWS).view_weights == ALONE["trunk"]


def test_two_views_that_know_different_things_are_taken_together() -> None:
    """The first tells one playlist from the others, the second another one: neither can do it alone."""
    rng = np.random.default_rng(440)
    tracks = make_tracks([30, 30, 30], n_artists=10, distance=0, artist_spread=0.1)
    raw = rng.normal(size=tracks.raw.shape)
    raw[tracks.membership[:, 0], 0:4] += 2
    raw[tracks.membership[:, 1], 16:20] += 2
    assert choose(replace(tracks, raw=raw.astype(np.float32))).view_weights == (
        ("trunk", 0.5),
        ("timbre", 0.5),
    )


def test_only_what_was_tried_is_chosen_and_always_the_same() -> None:
    for seed in range(3):
        tracks = with_random_labels(make_tracks([15, 15], n_artists=5), seed=seed)
        choice = choose(tracks, seed=seed)
        assert choice in list_candidates(VIEWS)
        assert choice == choose(tracks, seed=seed)


@pytest.mark.parametrize(("n_better", "is_clear"), [(2, False), (3, True)])
def test_only_what_is_clearly_better_takes_the_place_of_the_plain_choice(
    monkeypatch: pytest.MonkeyPatch, n_better: int, is_clear: bool
) -> None:
    """With n artists gained alike, the gain is the root of n in standard errors: 1.4 of two, 1.7 of three."""
    tracks = make_tracks([12, 12], n_artists=6)
    plain, *_, last = candidates = list(list_candidates(VIEWS))

    def answer(*_: object) -> dict[HeadChoice, np.ndarray]:
        tables = {choice: tracks.membership.astype(np.float32) for choice in candidates}
        for choice in candidates:
            if choice != last:
                wrong = np.isin(tracks.artist_numbers, np.unique(tracks.artist_numbers)[:n_better])
                tables[choice][wrong] = 1 - tables[choice][wrong]
        return tables

    monkeypatch.setattr("training.groups.head_choice._out_of_fold_logits", answer)
    assert choose(tracks) == (last if is_clear else plain)


@pytest.mark.parametrize(
    "tracks",
    [
        pytest.param(make_tracks([1, 1]), id="one track each"),
        pytest.param(make_tracks([40, 1]), id="one playlist that could have a linear head"),
        pytest.param(make_tracks([40]), id="one playlist"),
        pytest.param(make_tracks([40, 40], n_artists=1), id="one artist each"),
        pytest.param(make_tracks([4, 5, 3]), id="a handful of tracks"),
    ],
)
def test_nothing_is_chosen_by_too_little(tracks: LabelledTracks) -> None:
    assert choose_head(tracks, tracks.artist_numbers, make_context(tracks)) == default_choice(VIEWS)


def test_of_a_large_group_a_part_is_enough_and_small_playlists_stay_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[LabelledTracks] = []

    def look(
        tracks: LabelledTracks, folds: np.ndarray, context: FitContext, candidates: list[HeadChoice]
    ) -> dict[HeadChoice, np.ndarray]:
        seen.append(tracks)
        return {choice: np.zeros(tracks.membership.shape, np.float32) for choice in candidates}

    monkeypatch.setattr("training.groups.head_choice._out_of_fold_logits", look)
    tracks = make_tracks([3000, 5, 300, 0], n_artists=30)  # in one fold, a playlist may have no track at all
    choose_head(tracks, np.arange(len(tracks)), make_context(tracks))
    assert len(seen) == 1
    assert len(seen[0]) == MAX_TRACKS
    sizes = seen[0].membership.sum(axis=0)
    assert (sizes[1], sizes[3]) == (5, 0)
    assert 150 < sizes[2] < 300  # as likely as not, where one in five of the largest is
    assert len(np.unique(seen[0].track_ids)) == MAX_TRACKS


@pytest.mark.filterwarnings("error")
def test_playlists_that_a_fold_leaves_without_tracks_do_no_harm() -> None:
    tracks = make_tracks([30, 30, 1, 2], n_artists=[10, 10, 1, 1])
    assert dict(choose(tracks).view_weights)["trunk"] >= 0.5


def test_the_rest_of_the_library_takes_part_in_the_statistics_only() -> None:
    """However much of it there is, its statistics are all that counts."""
    tracks = make_tracks([20, 20], n_artists=6, distance=2.5, noise=1.5)
    rng = np.random.default_rng(0)
    library = rng.normal(scale=[5] * 16 + [0.01] * 8, size=(500, DIM)).astype(np.float32)
    keys = group_of(tracks).keys
    one = choose_head(tracks, keys, FitContext(VIEWS, library))
    other = choose_head(tracks, keys, FitContext(VIEWS, library[::-1].copy()))
    assert one == other


def test_arguments_are_only_read() -> None:
    tracks = make_tracks([15, 15], n_artists=5)
    grouping, context = group_of(tracks), make_context(tracks)
    before = [array.copy() for array in (tracks.raw, tracks.membership, grouping.keys)]
    choose_head(tracks, grouping.keys, context)
    for array, copy in zip((tracks.raw, tracks.membership, grouping.keys), before, strict=True):
        np.testing.assert_array_equal(array, copy)
