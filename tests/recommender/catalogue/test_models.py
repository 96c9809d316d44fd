"""Embeddings and bundles in the catalogue."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy.exc import IntegrityError

from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import (
    embedded_tracks,
    has_embedding,
    load_embeddings,
    load_patches,
    store_embedding,
    tracks_without_embedding,
)
from recommender.catalogue.files import record_file
from recommender.catalogue.models import (
    add_bundle,
    catalogue_counts,
    current_bundle,
    get_bundle,
    list_bundles,
    promote_bundle,
    retire_champion,
)
from recommender.catalogue.tracks import delete_track, upsert_track
from recommender.errors import ChampionChanged, NoSuchBundle, NoSuchEmbedding, RecommenderError
from recommender.records.tracks import TrackFacts

DIM, N_PATCHES = 5, 3


@pytest.fixture
def track_ids(database: Database) -> list[int]:
    with database.session() as session:
        return [
            record_file(
                session,
                Path(f"/m/{n}.mp3"),
                size=1,
                mtime_ns=1,
                facts=TrackFacts(title=str(n), artist="a", content_sha256=str(n)),
            )
            for n in range(3)
        ]


def store(
    database: Database, track_id: int, rng: np.random.Generator, *, fingerprint: str = "fp"
) -> NDArray[np.float32]:
    """Store chance patches and their mean; the patches come back."""
    patches = rng.normal(size=(N_PATCHES, DIM)).astype(np.float32)
    with database.session() as session:
        store_embedding(
            session,
            track_id,
            fingerprint=fingerprint,
            vector=patches.mean(axis=0),
            patches=patches,
            start_s=np.array([0.25, 10.0, 20.5]),
            patch_s=2.976,
        )
    return patches


def test_vectors_come_back_exactly_and_by_track_id(
    database: Database, track_ids: list[int], rng: np.random.Generator
) -> None:
    stored = {track_id: store(database, track_id, rng) for track_id in reversed(track_ids)}
    with database.read_session() as session:
        ids, vectors = load_embeddings(session, "fp")
        some_ids, some = load_embeddings(session, "fp", [track_ids[2], 999, track_ids[0]])
    assert ids.dtype == np.int64
    assert ids.tolist() == track_ids
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, [stored[track_id].mean(axis=0) for track_id in track_ids])
    assert some_ids.tolist() == [track_ids[0], track_ids[2]]
    np.testing.assert_array_equal(some, vectors[[0, 2]])


def test_patches_come_back_to_half_precision_with_their_times(
    database: Database, track_ids: list[int], rng: np.random.Generator
) -> None:
    patches = store(database, track_ids[0], rng)
    with database.read_session() as session:
        stored = load_patches(session, track_ids[0], "fp")
    np.testing.assert_array_equal(stored.patches, patches.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(stored.start_s, [0.25, 10.0, 20.5])
    assert (stored.patches.dtype, stored.patch_s) == (np.float32, 2.976)


def test_encoders_are_kept_apart_and_storing_again_replaces(
    database: Database, track_ids: list[int], rng: np.random.Generator
) -> None:
    store(database, track_ids[0], rng)
    newer = store(database, track_ids[0], rng)
    store(database, track_ids[1], rng, fingerprint="other")
    with database.read_session() as session:
        ids, vectors = load_embeddings(session, "fp")
        assert ids.tolist() == [track_ids[0]]
        np.testing.assert_array_equal(vectors[0], newer.mean(axis=0))
        assert has_embedding(session, track_ids[0], "fp")
        assert not has_embedding(session, track_ids[1], "fp")
        assert embedded_tracks(session, "other") == {track_ids[1]}
        assert tracks_without_embedding(session, "fp") == track_ids[1:]
        assert catalogue_counts(session).n_embeddings == {"fp": 1, "other": 1}


def test_a_track_without_a_file_is_not_waited_for(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        upsert_track(session, TrackFacts(title="only known by name", artist="a"))
        assert tracks_without_embedding(session, "fp") == track_ids


def test_nothing_heard_yet(database: Database, track_ids: list[int]) -> None:
    with database.read_session() as session:
        ids, vectors = load_embeddings(session, "fp")
        assert (ids.shape, vectors.shape) == ((0,), (0, 0))
        with pytest.raises(NoSuchEmbedding, match=f"track {track_ids[0]} has no embedding of encoder fp"):
            load_patches(session, track_ids[0], "fp")


def test_shapes_that_do_not_belong_together_are_refused(database: Database, track_ids: list[int]) -> None:
    with database.session() as session, pytest.raises(RecommenderError, match=r"\(2, 5\), got \(3, 5\)"):
        store_embedding(
            session,
            track_ids[0],
            fingerprint="fp",
            vector=np.zeros(5, np.float32),
            patches=np.zeros((3, 5), np.float32),
            start_s=np.zeros(2),
            patch_s=3.0,
        )


def test_embeddings_go_with_their_track(
    database: Database, track_ids: list[int], rng: np.random.Generator
) -> None:
    store(database, track_ids[0], rng)
    with database.session() as session:
        delete_track(session, track_ids[0])
        assert embedded_tracks(session, "fp") == set()


def add(database: Database, bundle_id: str, **summary: object) -> None:
    with database.session() as session:
        add_bundle(session, bundle_id, directory=Path("/d") / bundle_id, fingerprint="fp", summary=summary)


def test_a_bundle_begins_as_challenger_and_one_is_champion(database: Database) -> None:
    add(database, "a", groups=[{"name": "default"}])
    add(database, "b")
    with database.session() as session:
        assert current_bundle(session) is None
        champion = promote_bundle(session, "a")
        assert current_bundle(session) == champion
        assert (champion.state, champion.directory, champion.fingerprint) == ("champion", Path("/d/a"), "fp")
        assert champion.summary == {"groups": [{"name": "default"}]}
        promote_bundle(session, "b")
        states = {bundle.id: bundle.state for bundle in list_bundles(session)}
        assert states == {"b": "champion", "a": "retired"}
    with database.session() as session:
        assert promote_bundle(session, "a").promoted_at is not None
        assert promote_bundle(session, "a").state == "champion"
        assert get_bundle(session, "b").state == "retired"
        retire_champion(session)
        assert current_bundle(session) is None
        assert promote_bundle(session, "b").state == "champion"


def test_bundles_are_listed_newest_first(database: Database) -> None:
    for bundle_id in ("a", "c", "b"):
        add(database, bundle_id)
    with database.read_session() as session:
        assert [bundle.id for bundle in list_bundles(session)] == ["b", "c", "a"]


def test_a_challenger_to_a_champion_that_has_gone_is_refused(database: Database) -> None:
    for bundle_id in ("a", "b", "c"):
        add(database, bundle_id)
    with database.session() as session:
        promote_bundle(session, "a")
        assert promote_bundle(session, "b", replacing="a").state == "champion"
    with database.session() as session:
        with pytest.raises(ChampionChanged, match="bundle c was to replace a, but b is in service"):
            promote_bundle(session, "c", replacing="a")
        current = current_bundle(session)
    assert current is not None
    assert current.id == "b"


def test_bundles_that_are_not_there_or_there_already(database: Database) -> None:
    add(database, "a")
    with database.session() as session:
        for use in (get_bundle, promote_bundle):
            with pytest.raises(NoSuchBundle, match="no bundle has the id 'x'"):
                use(session, "x")
    with pytest.raises(IntegrityError):
        add(database, "a")
