"""What was tried, in a world of known answers: nothing looks at what it is asked, and easy is easy."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.benchmarks import tried_networks
from tests.benchmarks.bench_tried import judge
from tests.benchmarks.tried_heads import HEADS
from tests.benchmarks.tried_networks import NETWORKS
from tests.benchmarks.tried_tasks import N_LABELS, FourGenres, Task, few_tasks, fold_tasks

N_ARTISTS = 12
CANDIDATES = HEADS | NETWORKS


@cache
def world() -> FourGenres:
    """Four playlists of twelve artists with two tracks each, far apart in every layer."""
    rng = np.random.default_rng(440)
    label = np.repeat(np.arange(N_LABELS), 2 * N_ARTISTS)
    artist = np.arange(len(label)) // 2

    def layer(dim: int) -> np.ndarray:
        centres = rng.normal(size=(N_LABELS, dim))
        tracks = centres[label] + 0.5 * rng.normal(size=(len(label), dim))
        return (tracks[:, None] + 0.2 * rng.normal(size=(len(label), 8, dim))).astype(np.float32)

    tags = 1 / (1 + np.exp(-layer(50)))
    timbre = layer(60).mean(axis=1)
    return FourGenres(label, artist, layer(200), np.maximum(layer(1506), 0), tags, timbre)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried_networks, "N_STEPS", 8)


def tasks_of(data: FourGenres) -> list[Task]:
    """One fold with all tracks, and one half of a draw of five."""
    return [next(fold_tasks(data, 0)), next(few_tasks(data, 1))[0]]


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_candidate_places_easy_tracks_and_never_reads_their_labels(name: str) -> None:
    data = world()
    for task in tasks_of(data):
        logits = np.asarray(CANDIDATES[name](task))
        assert logits.shape == (len(task.asked), N_LABELS)
        assert (logits.argmax(axis=1) == data.label[task.asked]).mean() > 0.9
        label = data.label.copy()
        label[np.setdiff1d(np.arange(len(label)), task.known)] = 0
        blind = replace(task, set=replace(data, label=label))
        np.testing.assert_allclose(CANDIDATES[name](blind), logits, rtol=1e-3, atol=1e-3)


def test_no_artist_is_on_two_sides() -> None:
    data = world()
    draws = [task for pair in few_tasks(data, 3) for task in pair]
    for task in [*fold_tasks(data, 0), *draws]:
        sides = [set(data.artist[rows].tolist()) for rows in (task.known, task.asked, task.library)]
        assert not sides[0] & sides[1]
        assert not sides[1] & sides[2]
    assert all(np.bincount(task.label).tolist() == [5] * N_LABELS for task in draws)


def test_every_track_is_asked_about_once() -> None:
    data = world()
    asked = np.concatenate([task.asked for task in fold_tasks(data, 0)])
    assert sorted(asked.tolist()) == list(range(len(data.label)))
    one, other = next(few_tasks(data, 1))
    np.testing.assert_array_equal(np.sort(one.library), np.sort(other.asked))


def test_the_table_counts_every_playlist_alike() -> None:
    """All of the first playlist right, nothing else: a quarter, however many tracks were asked about."""
    data = world()
    found = judge(lambda task: np.eye(N_LABELS)[[0] * len(task.asked)], [list(fold_tasks(data, 0))] * 2)
    np.testing.assert_allclose(found, [0.25, 0.25])
