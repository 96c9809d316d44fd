"""The contract of a group's scores, its file format, and what it refuses."""

import io
import json
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import EmbeddingError
from recommender.model.calibration import Calibration, sorted_closeness
from recommender.model.group import GroupModel, GroupScores
from recommender.model.group_file import from_arrays, to_arrays
from tests.recommender.model.tiny_bundles import DIM, World, make_world

N_PER_PLAYLIST = 12
N_MEMBERS = 2 * N_PER_PLAYLIST


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(n_per_playlist=N_PER_PLAYLIST)


@pytest.fixture(scope="module")
def model(world: World) -> GroupModel:
    return world.groups[0]


def assert_same_scores(ours: GroupScores, theirs: GroupScores, *, atol: float) -> None:
    """Equal figures; ids may change places only where the similarities are equal."""
    for item in fields(GroupScores):
        mine, other = getattr(ours, item.name), getattr(theirs, item.name)
        if item.name != "nearest_ids":
            np.testing.assert_allclose(mine, other, atol=atol, err_msg=item.name)
    np.testing.assert_array_equal(ours.nearest_ids, theirs.nearest_ids)


def rows_of(scores: GroupScores, rows: slice) -> GroupScores:
    return GroupScores(**{item.name: getattr(scores, item.name)[rows] for item in fields(GroupScores)})


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.integers(0, N_MEMBERS + 5), min_size=1, max_size=6),
    n_nearest=st.integers(0, 30),
    exclude_itself=st.booleans(),
)
def test_the_contract_of_scores(
    world: World, model: GroupModel, *, rows: list[int], n_nearest: int, exclude_itself: bool
) -> None:
    exclude = [[int(world.track_ids[row])] for row in rows] if exclude_itself else None
    scores = model.score(world.raw[rows], exclude_ids=exclude, n_nearest=n_nearest)
    for table in (scores.classifier, scores.neighbours, scores.probability):
        assert (table.shape, table.dtype) == ((len(rows), 2), np.float32)
        np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-5)
        assert (table >= 0).all()
    assert (scores.p_value > 0).all() and (scores.p_value <= 1).all()
    assert scores.nearest_ids.shape == scores.nearest_similarity.shape == (len(rows), 2, n_nearest)
    np.testing.assert_array_equal(scores.nearest_ids == -1, np.isnan(scores.nearest_similarity))
    for query, row in enumerate(rows):
        for label in range(2):
            ids = scores.nearest_ids[query, label]
            ids = ids[ids >= 0].tolist()
            assert set(ids) <= set(model.member_ids[model.membership[:, label]].tolist())
            assert len(set(ids)) == len(ids)
            assert not (exclude_itself and world.track_ids[row] in ids)
            assert (np.diff(scores.nearest_similarity[query, label, : len(ids)]) <= 0).all()
    alone = [
        model.score(world.raw[[row]], exclude_ids=exclude and [exclude[query]], n_nearest=n_nearest)
        for query, row in enumerate(rows)
    ]
    for query, scored in enumerate(alone):
        assert_same_scores(scored, rows_of(scores, slice(query, query + 1)), atol=1e-5)


def test_every_neighbour_is_named_when_as_many_are_asked_for(world: World, model: GroupModel) -> None:
    scores = model.score(world.raw[:1], n_nearest=50)
    ids = scores.nearest_ids[0]
    assert sorted(ids[ids >= 0].tolist()) == sorted(model.member_ids.tolist())
    assert scores.nearest_ids[0, 0, 0] == world.track_ids[0]
    assert scores.nearest_similarity[0, 0, 0] == pytest.approx(1)


def test_how_many_are_named_changes_no_score(world: World, model: GroupModel) -> None:
    one, many = model.score(world.raw, n_nearest=1), model.score(world.raw, n_nearest=40)
    for name in ("classifier", "neighbours", "probability", "closeness", "p_value"):
        np.testing.assert_allclose(getattr(one, name), getattr(many, name), atol=1e-6, err_msg=name)


def test_a_feed_longer_than_the_memory_is_scored_in_parts(
    world: World, model: GroupModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    exclude = [[track_id] for track_id in world.track_ids.tolist()]
    whole = model.score(world.raw, exclude_ids=exclude)
    monkeypatch.setattr("recommender.model.group.MAX_QUERIES", 7)
    assert_same_scores(model.score(world.raw, exclude_ids=exclude), whole, atol=1e-5)


def test_no_track_has_no_scores(model: GroupModel) -> None:
    scores = model.score(np.empty((0, DIM), np.float32), exclude_ids=[])
    assert scores.probability.shape == (0, 2)
    assert scores.nearest_ids.shape == (0, 2, 3)


def test_the_parts_agree_with_what_the_group_is_made_of(world: World, model: GroupModel) -> None:
    """Each figure from its definition, track by track."""
    scores = model.score(world.raw)
    embeddings = model.standardisation.apply(world.raw)
    np.testing.assert_allclose(model.classify(world.raw, scores.share_known), scores.classifier, atol=1e-6)
    logits = embeddings @ model.head.weights.T + model.head.bias
    np.testing.assert_allclose(
        scores.classifier, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), atol=1e-5
    )
    product = np.sqrt(scores.classifier * scores.neighbours)  # a blend weight of one half, temperature 1
    np.testing.assert_allclose(scores.probability, product / product.sum(axis=1, keepdims=True), atol=1e-5)
    standardised = model.standardisation.standardise(world.raw)
    for row in range(len(world.raw)):
        for label in range(2):
            own = world.raw[:N_MEMBERS][world.membership[:N_MEMBERS, label]]
            apart = np.linalg.norm(model.standardisation.standardise(own) - standardised[row], axis=1)
            cosine = embeddings[row] @ model.neighbourhood.prototypes[label]
            # All twelve are among the nearest fifteen.
            expected = cosine - np.log(max(apart.mean(), 1e-3))
            assert scores.closeness[row, label] == pytest.approx(expected, abs=1e-3)


def test_an_excluded_member_is_scored_as_if_it_had_never_been_there(world: World, model: GroupModel) -> None:
    """Votes and closeness of a member, itself left out, are those of a group without it."""
    rows = np.arange(1, N_MEMBERS)
    members = model.neighbourhood
    weights = members.weights[rows] / members.weights[rows].sum(axis=0)
    smaller = replace(
        model,
        neighbourhood=replace(
            members,
            track_ids=members.track_ids[rows],
            embeddings=members.embeddings[rows],
            lengths=members.lengths[rows],
            weights=weights,
        ),
    )
    left_out = model.score(world.raw[:1], exclude_ids=[[int(world.track_ids[0])]])
    never = smaller.score(world.raw[:1])
    np.testing.assert_allclose(left_out.closeness, never.closeness, atol=1e-5)
    np.testing.assert_array_equal(left_out.nearest_ids, never.nearest_ids)


def test_exclusions_may_be_of_different_lengths_and_name_strangers(world: World, model: GroupModel) -> None:
    ids = world.track_ids.tolist()
    scores = model.score(
        world.raw[:3], exclude_ids=[[], ids[:5], [999_999, ids[2]]], n_nearest=N_PER_PLAYLIST
    )
    n_named = (scores.nearest_ids[:, 0] >= 0).sum(axis=1)
    assert n_named.tolist() == [N_PER_PLAYLIST, N_PER_PLAYLIST - 5, N_PER_PLAYLIST - 1]
    nobody = model.score(world.raw[:1], exclude_ids=[ids])
    assert (nobody.nearest_ids == -1).all()
    assert np.isnan(nobody.closeness).all() and np.isnan(nobody.p_value).all()
    np.testing.assert_allclose(nobody.neighbours, 0.5, atol=1e-6)  # nobody is left to vote


def through_files(model: GroupModel) -> GroupModel:
    """As a bundle writes and reads it."""
    arrays, described = to_arrays(model)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        return from_arrays(dict(stored), json.loads(json.dumps(described, allow_nan=False)))


@pytest.mark.parametrize("closeness", [[[0.5, -1.0], []], [[], []], [[], [0.25]]])
def test_a_stored_group_is_the_same_group(
    world: World, model: GroupModel, closeness: Sequence[Sequence[float]]
) -> None:
    kept = sorted_closeness([np.array(column, dtype=np.float32) for column in closeness])
    model = replace(
        model,
        notes=("", "one track"),
        playlist_names=("hip hop", "électro ♫"),
        calibration=replace(model.calibration, closeness=kept, temperature=1 / 3, n_neighbours=10),
    )
    again = through_files(model)
    assert_same_scores(again.score(world.raw), model.score(world.raw), atol=0)
    for name in ("group_id", "group_name", "playlist_names", "notes"):
        assert getattr(again, name) == getattr(model, name)
    np.testing.assert_array_equal(again.playlist_ids, model.playlist_ids)
    np.testing.assert_array_equal(again.member_ids, model.member_ids)
    np.testing.assert_array_equal(again.membership, model.membership)
    for ours, theirs in zip(again.calibration.closeness, kept, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    numbers = [replace(group.calibration, closeness=()) for group in (again, model)]
    for item in fields(Calibration):
        if item.name != "named_sets":
            assert getattr(numbers[0], item.name) == getattr(numbers[1], item.name)
    kinds = [group.calibration.named_sets.held_out for group in (again, model)]
    assert kinds[0].keys() == kinds[1].keys() != set()
    for kind, held_out in kinds[1].items():
        for item in fields(held_out):
            np.testing.assert_array_equal(getattr(kinds[0][kind], item.name), getattr(held_out, item.name))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_vectors_that_are_no_vectors_are_refused(world: World, model: GroupModel, wrong: float) -> None:
    raw = world.raw[:3].copy()
    raw[1, 4] = wrong
    with pytest.raises(EmbeddingError, match="row"):
        model.score(raw)
    with pytest.raises(EmbeddingError, match=r"\(3, 5\)"):
        model.score(world.raw[:3, :5])


def test_arguments_are_only_read(world: World, model: GroupModel) -> None:
    arrays, described = to_arrays(model)
    before = {name: array.copy() for name, array in arrays.items()}
    text, raw = json.dumps(described), world.raw.copy()
    exclude = [[track_id] for track_id in world.track_ids.tolist()]
    model.score(world.raw, exclude_ids=exclude)
    model.classify(world.raw, np.zeros(len(world.raw)))
    from_arrays(arrays, described).score(world.raw)
    np.testing.assert_array_equal(world.raw, raw)
    assert exclude == [[track_id] for track_id in world.track_ids.tolist()]
    for name, array in to_arrays(model)[0].items():
        np.testing.assert_array_equal(array, before[name])
    assert json.dumps(described) == text
