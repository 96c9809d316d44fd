"""What encoders trained without an artist heard is kept, and used instead of what the others hear."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.worlds import make_context, make_labels, make_tracks
from training.judging.held_out_hearing import FILE, HeldOutHearing
from training.judging.outer_folds import judge_group


def make_hearing() -> HeldOutHearing:
    return HeldOutHearing(
        track_ids=np.array([3, 5, 9]),
        folds=np.array([0, 1, 0]),
        raw=np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    )


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    make_hearing().save(tmp_path)
    read = HeldOutHearing.load(tmp_path)
    assert read is not None
    assert read.track_ids.tolist() == [3, 5, 9]
    assert read.folds.tolist() == [0, 1, 0]
    assert np.array_equal(read.raw, make_hearing().raw)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_nothing_readable_is_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    assert HeldOutHearing.load(tmp_path) is None


def test_half_of_a_file_is_nothing(tmp_path: Path) -> None:
    make_hearing().save(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    assert HeldOutHearing.load(tmp_path) is None


def test_a_part_of_it() -> None:
    part = make_hearing().of(np.array([9, 3]))
    assert part is not None
    assert part.folds.tolist() == [0, 0]
    assert part.raw[1].tolist() == [[10.0, 11.0], [6.0, 7.0]]
    assert make_hearing().of(np.array([3, 4])) is None  # one was added since


def test_an_encoder_that_knows_its_tracks_by_heart_is_judged_by_its_siblings(
    rng: np.random.Generator,
) -> None:
    tracks = make_tracks([20, 20], n_artists=10, distance=0.0)
    own = tracks.membership.argmax(axis=1)
    by_heart = replace(tracks, raw=tracks.raw + 20 * np.eye(2, tracks.raw.shape[1], dtype=np.float32)[own])
    context, labels = make_context(tracks), make_labels(2)
    flattered = judge_group(labels, by_heart, context, n_folds=4)
    assert (flattered.probability.argmax(axis=1) == own).all()

    folds = np.unique(tracks.artists, return_inverse=True)[1] % 4
    noise = rng.normal(size=(4, *tracks.raw.shape)).astype(np.float32)
    hearing = HeldOutHearing(tracks.track_ids, folds, noise)
    honest = judge_group(labels, by_heart, context, n_folds=4, hearing=hearing)
    assert np.array_equal(honest.folds, folds)
    assert (honest.probability.argmax(axis=1) == own).mean() < 0.8
