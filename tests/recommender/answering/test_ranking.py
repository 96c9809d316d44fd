"""The contract of every answer, and a world whose right answer is provable."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.answering.answer import AskedTrack, Recommendation, Verdict
from recommender.answering.ranking import (
    GroupNotFitted,
    Query,
    RankingOptions,
    choose_group,
    recommend,
    recommend_many,
)
from recommender.model.bundle import LoadedBundle, read_bundle
from recommender.model.index import TrackIndex
from recommender.records.promises import Promise
from recommender.records.tracks import TrackInfo
from tests.recommender.model.tiny_bundles import World, fit_group, make_world, publish_world

N_PER_PLAYLIST = 12
OPTIONS = RankingOptions(segments=True)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(n_per_playlist=N_PER_PLAYLIST)


@pytest.fixture(scope="module")
def bundle(world: World, tmp_path_factory: pytest.TempPathFactory) -> LoadedBundle:
    read = read_bundle(publish_world(world, tmp_path_factory.mktemp("bundles")))
    embeddings = world.standardisation.apply(world.raw)
    return replace(
        read, index=TrackIndex.build(world.track_ids, embeddings, fingerprint=read.config.fingerprint)
    )


def describe(track_ids: Sequence[int]) -> dict[int, TrackInfo]:
    return {
        track_id: TrackInfo(
            track_id, f"title {track_id}", 1, f"artist {track_id}", "", None, "file", "", True, None
        )
        for track_id in track_ids
    }


def query(raw: np.ndarray, track_id: int | None = None, *, n_patches: int = 4) -> Query:
    """A track whose patches scatter around its vector."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=(n_patches, len(raw)))
    return Query(
        track=AskedTrack(track_id, "asked", "somebody", 201.4),
        vector=raw,
        patches=(raw + noise).astype(np.float32),
        start_s=np.arange(n_patches) * 20.0 + 1.234,
        patch_s=2.976,
        timing_ms={"decode": 21.0},
    )


def ask(
    world: World, bundle: LoadedBundle, row: int, *, known: bool = True, options: RankingOptions = OPTIONS
) -> Recommendation:
    track_id = int(world.track_ids[row]) if known else None
    return recommend(query(world.raw[row], track_id), bundle, options=options, describe=describe)


@pytest.mark.parametrize(("row", "playlist"), [(0, "hip hop"), (N_PER_PLAYLIST, "electro")])
def test_a_new_track_like_a_playlist_fits_it(
    world: World, bundle: LoadedBundle, row: int, playlist: str
) -> None:
    answer = ask(world, bundle, row, known=False)
    assert answer.verdict is Verdict.FITS
    assert (answer.playlists[0].name, answer.playlists[0].fits) == (playlist, True)
    assert not answer.playlists[1].fits
    assert [segment.playlist for segment in answer.segments] == [playlist] * 4
    assert answer.playlists[0].nearest[0].track.id == world.track_ids[row]


def test_a_track_like_nothing_fits_nothing_but_the_nearest_is_named(
    world: World, bundle: LoadedBundle
) -> None:
    answer = recommend(query(-5 * world.raw.mean(axis=0)), bundle, options=OPTIONS, describe=describe)
    assert answer.verdict is Verdict.NONE_FITS
    assert not any(playlist.fits for playlist in answer.playlists)
    assert len(answer.playlists) == 2


@pytest.mark.parametrize("alpha_none", [0.01, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.3, 0.5])
def test_a_stranger_is_one_for_every_promise(
    world: World, bundle: LoadedBundle, alpha: float, alpha_none: float
) -> None:
    """Nothing is named of a stranger; of another track the most probable playlist, and none below chance."""
    for row in range(0, len(world.raw), 5):
        answer = ask(world, bundle, row, options=replace(OPTIONS, promise=Promise(alpha, alpha_none)))
        fitting = [p for p in answer.playlists if p.fits]
        assert (not fitting) == (answer.stranger_p_value <= alpha_none)
        assert fitting == list(answer.playlists[: len(fitting)])
        assert all(p.probability >= 0.5 or p.rank == 1 for p in fitting)
        assert (answer.alpha, answer.alpha_none) == (alpha, alpha_none)
        expected = {0: Verdict.NONE_FITS, 1: Verdict.FITS}.get(len(fitting), Verdict.SEVERAL_FIT)
        assert answer.verdict is expected


def test_a_member_names_its_playlists_and_is_never_its_own_evidence(
    world: World, bundle: LoadedBundle
) -> None:
    for row in (0, N_PER_PLAYLIST + 3):
        answer = ask(world, bundle, row, options=replace(OPTIONS, n_nearest=50))
        assert [p.name for p in answer.member_of] == [answer.playlists[0].name]
        shown = [n.track.id for p in answer.playlists for n in p.nearest]
        similar = [n.track.id for n in answer.similar]
        assert world.track_ids[row] not in shown + similar
        assert len(shown) == 2 * N_PER_PLAYLIST - 1  # every other member is
        assert len(similar) == len(world.track_ids) - 1
    assert ask(world, bundle, 0, known=False).member_of == ()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.integers(0, 29), min_size=1, max_size=6),
    n_nearest=st.integers(0, 40),
    top=st.one_of(st.none(), st.integers(1, 5)),
    known=st.booleans(),
)
def test_the_ranking_contract(
    world: World, bundle: LoadedBundle, *, rows: list[int], n_nearest: int, top: int | None, known: bool
) -> None:
    options = replace(OPTIONS, n_nearest=n_nearest, top=top)
    queries = [query(world.raw[row], int(world.track_ids[row]) if known else None) for row in rows]
    vectors = [asked.vector.copy() for asked in queries]
    answers = recommend_many(queries, bundle, options=options, describe=describe)
    for row, asked, vector, answer in zip(rows, queries, vectors, answers, strict=True):
        np.testing.assert_array_equal(asked.vector, vector)  # arguments are only read
        assert len(answer.playlists) == min(2, top or 2)
        assert [p.rank for p in answer.playlists] == list(range(1, len(answer.playlists) + 1))
        assert falls([p.probability for p in answer.playlists])
        for evidence in (answer.similar, *(p.nearest for p in answer.playlists)):
            ids = [neighbour.track.id for neighbour in evidence]
            assert len(ids) <= n_nearest
            assert len(set(ids)) == len(ids)
            assert not (known and world.track_ids[row] in ids)
            assert falls([neighbour.similarity for neighbour in evidence])
        alone = recommend(asked, bundle, options=options, describe=describe)
        assert_same_answer(alone, answer)


def falls(scores: list[float]) -> bool:
    return all(first >= second for first, second in itertools.pairwise(scores))


def assert_same_answer(ours: Recommendation, theirs: Recommendation) -> None:
    """Equal but for the time it took and the last rounded digit."""
    assert without_numbers(ours.to_dict()) == without_numbers(theirs.to_dict())
    np.testing.assert_allclose(
        [p.probability for p in ours.playlists], [p.probability for p in theirs.playlists], atol=2e-4
    )


def without_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: without_numbers(inner) for name, inner in value.items() if name != "timing_ms"}
    if isinstance(value, list | tuple):
        return [without_numbers(inner) for inner in value]
    return None if isinstance(value, float) else value


def test_all_playlists_share_the_probability(world: World, bundle: LoadedBundle) -> None:
    for row in range(0, len(world.raw), 4):
        answer = ask(world, bundle, row)
        assert sum(p.probability for p in answer.playlists) == pytest.approx(1, abs=1e-3)


def test_segments_say_when(world: World, bundle: LoadedBundle) -> None:
    spans = [(segment.start_s, segment.end_s) for segment in ask(world, bundle, 0).segments]
    assert spans == [(1.23, 4.21), (21.23, 24.21), (41.23, 44.21), (61.23, 64.21)]
    assert ask(world, bundle, 0, options=replace(OPTIONS, segments=False)).segments == ()


def test_segments_of_a_batch_go_to_their_own_tracks(world: World, bundle: LoadedBundle) -> None:
    queries = [query(world.raw[0], n_patches=1), query(world.raw[N_PER_PLAYLIST], n_patches=3)]
    answers = recommend_many(queries, bundle, options=OPTIONS, describe=describe)
    heard = [[segment.playlist for segment in answer.segments] for answer in answers]
    assert heard == [["hip hop"], ["electro"] * 3]


def test_an_answer_is_json_and_names_who_answered(world: World, bundle: LoadedBundle) -> None:
    values = json.loads(json.dumps(ask(world, bundle, 0).to_dict(), allow_nan=False))
    assert (values["model"], values["encoder"], values["group"]) == ("2026-11-20-1", "tiny", "default")
    assert values["track"] == {
        "id": 101,
        "title": "asked",
        "artist": "somebody",
        "duration_s": 201.4,
        "heard_in_part": None,
    }
    assert values["timing_ms"]["decode"] == 21.0
    assert values["timing_ms"]["score"] > 0
    assert values["verdict"] == "fits"


def test_a_track_deleted_since_the_fit_is_left_out(world: World, bundle: LoadedBundle) -> None:
    gone = int(world.track_ids[1])
    answer = recommend(
        query(world.raw[0]),
        bundle,
        options=replace(OPTIONS, n_nearest=50),
        describe=lambda ids: describe([track_id for track_id in ids if track_id != gone]),
    )
    assert gone not in [n.track.id for p in answer.playlists for n in p.nearest]
    assert len(answer.similar) == len(world.track_ids) - 1


def test_without_an_index_only_the_library_wide_evidence_is_missing(
    world: World, bundle: LoadedBundle
) -> None:
    answer = ask(world, replace(bundle, index=None), 0)
    assert answer.similar == ()
    assert len(answer.playlists[0].nearest) == 3


def test_a_playlist_that_cannot_be_compared_has_no_p_value(world: World, bundle: LoadedBundle) -> None:
    """The only track of a playlist is asked about: nothing is left to compare it with."""
    rows = np.array([0, *range(N_PER_PLAYLIST, 2 * N_PER_PLAYLIST)])
    group = fit_group(world.track_ids[rows], world.raw[rows], world.membership[rows], world.standardisation)
    group = replace(group, notes=("one track: neighbours and prototype only", ""))
    answer = ask(world, replace(bundle, groups=(group,)), 0)
    only = next(p for p in answer.playlists if p.name == "hip hop")
    assert only.note == "one track: neighbours and prototype only"
    assert only.nearest == ()
    assert (only.p_value, only.fits) == (None, False)
    json.dumps(answer.to_dict(), allow_nan=False)


def test_groups_are_chosen_by_name_the_default_first(world: World) -> None:
    default, mood = world.groups[0], replace(world.groups[0], group_name="mood")
    empty = replace(mood, group_name="empty", playlist_ids=np.empty(0, np.int64))
    assert choose_group((mood, default, empty), None) is default
    assert choose_group((mood, default, empty), "mood") is mood
    assert choose_group((mood,), None) is mood
    for groups, name in (((), None), ((empty,), None), ((mood, empty), "empty"), ((mood,), "other")):
        with pytest.raises(GroupNotFitted):
            choose_group(groups, name)
