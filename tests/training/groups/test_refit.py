"""From the catalogue to a bundle in service, on both databases: what is learnt from, and what is left out."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.models import current_bundle, list_bundles, promote_bundle
from recommender.catalogue.playlists import create_playlist, rename_playlist, set_members
from recommender.catalogue.tracks import delete_track, update_track, upsert_track
from recommender.errors import ChampionChanged
from recommender.model.bundle import LoadedBundle
from recommender.model.in_service import load_model
from recommender.model.library_index import LibraryIndexes
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import CONFIG, DIM, TINY_ENCODER
from training.groups import refit as refitting
from training.groups.fit import fit_group, group_by_artist
from training.groups.fitting import default_choice
from training.groups.refit import NothingToLearn, describe_group, fit_groups, read_learning_set, refit
from training.groups.unchanged import KnownGroup

# Where the tracks of each playlist lie, in the first view.
PLACES = {"calm": 0, "loud": 1, "odd": 2, "nowhere": 3}


def add_tracks(
    database: Database,
    place: str,
    n_tracks: int,
    *,
    n_artists: int = 4,
    heard: bool = True,
    source: str = "file",
) -> list[int]:
    """Tracks of a place, by artists of their own, heard or not yet."""
    rng = np.random.default_rng(PLACES[place] + 10 * n_tracks)
    ids = []
    with database.session() as session:
        for number in range(n_tracks):
            facts = TrackFacts(
                title=f"{place} {number} of {n_tracks}",
                artist=f"{place} artist {number % n_artists}",
                album=f"album {number % 2}",
                duration_s=100.0 + 10 * number,
                source=source,
            )
            ids.append(upsert_track(session, facts))
            if heard:
                vector = rng.normal(size=DIM) + 4.0 * np.eye(DIM)[PLACES[place]]
                store(session, ids[-1], vector)
    return ids


def store(
    session: Session, track_id: int, vector: np.ndarray, *, fingerprint: str = CONFIG.fingerprint
) -> None:
    raw = vector.astype(np.float32)
    store_embedding(
        session,
        track_id,
        fingerprint=fingerprint,
        vector=raw,
        patches=raw[None],
        start_s=np.zeros(1),
        patch_s=3.0,
    )


def add_playlist(database: Database, name: str, track_ids: list[int], *, group: str = "default") -> int:
    with database.session() as session:
        playlist_id = create_playlist(session, name=name, group=group).id
        set_members(session, playlist_id, track_ids)
    return playlist_id


def fit_and_read(database: Database, settings: Settings) -> LoadedBundle:
    """Refit, and read the bundle in service as a web process does."""
    bundle_id = refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    with database.read_session() as session:
        bundle = current_bundle(session)
    assert bundle is not None
    assert bundle.id == bundle_id
    return load_model(database, bundle, indexes=LibraryIndexes(), encoder_threads=1).bundle


def ask(bundle: LoadedBundle, place: str, *, group: int = 0) -> tuple[str, float]:
    """Name and probability of the first playlist for a track in the middle of a place."""
    model = bundle.groups[group]
    probability = model.score(4.0 * np.eye(DIM, dtype=np.float32)[[PLACES[place]]]).probability[0]
    return model.playlist_names[int(probability.argmax())], float(probability.max())


def test_playlists_of_the_catalogue_are_answers_after_a_refit(database: Database, settings: Settings) -> None:
    members = {place: add_tracks(database, place, 16) for place in ("loud", "calm")}
    playlist_ids = {place: add_playlist(database, place, ids) for place, ids in members.items()}
    rest = add_tracks(database, "nowhere", 7)
    bundle = fit_and_read(database, settings)
    (group,) = bundle.groups
    assert (group.group_name, group.playlist_names) == ("default", ("calm", "loud"))
    assert group.playlist_ids.tolist() == [playlist_ids["calm"], playlist_ids["loud"]]
    for label, name in enumerate(group.playlist_names):
        assert sorted(group.member_ids[group.membership[:, label]].tolist()) == sorted(members[name])
    for place in ("calm", "loud"):
        name, probability = ask(bundle, place)
        assert (name, probability > 0.8) == (place, True)
    # The index is of the whole library, and its vectors are those of the group.
    assert bundle.index is not None
    assert len(bundle.index) == 32 + 7
    embeddings = bundle.standardisation.apply(4.0 * np.eye(DIM, dtype=np.float32)[[PLACES["nowhere"]]])
    assert set(bundle.index.search(embeddings, 7)[0][0].tolist()) == set(rest)
    assert bundle.report["reason"] == "a test"
    assert [playlist["n_tracks"] for playlist in bundle.report["groups"][0]["playlists"]] == [16, 16]
    assert bundle.report["groups"][0]["balanced_accuracy_of_choosing"] > 0.9


def test_a_new_playlist_of_one_track_is_known_at_once(database: Database, settings: Settings) -> None:
    for place in ("calm", "loud"):
        add_playlist(database, place, add_tracks(database, place, 16))
    first = fit_and_read(database, settings)
    add_playlist(database, "odd", add_tracks(database, "odd", 1))
    second = fit_and_read(database, settings)
    assert second.bundle_id != first.bundle_id
    assert second.groups[0].playlist_names == ("calm", "loud", "odd")
    assert [ask(second, place)[0] for place in ("calm", "loud", "odd")] == ["calm", "loud", "odd"]
    assert second.groups[0].notes[2].startswith("one track")
    with database.read_session() as session:
        states = {bundle.id: bundle.state for bundle in list_bundles(session)}
    assert states == {first.bundle_id: "retired", second.bundle_id: "champion"}


def test_groups_are_questions_of_their_own(database: Database, settings: Settings) -> None:
    """A track may be in a playlist of each; what one group does not label is its unlabelled library."""
    calm, loud, odd = (add_tracks(database, place, 12) for place in ("calm", "loud", "odd"))
    add_playlist(database, "calm", calm)
    add_playlist(database, "loud", loud)
    add_playlist(database, "liked", calm[:6] + loud[:6], group="a taste")
    add_playlist(database, "disliked", odd, group="a taste")
    bundle = fit_and_read(database, settings)
    assert [group.group_name for group in bundle.groups] == ["a taste", "default"]
    assert ask(bundle, "odd", group=0)[0] == "disliked"
    assert ask(bundle, "loud", group=0)[0] == "liked"
    assert ask(bundle, "loud", group=1)[0] == "loud"
    np.testing.assert_array_equal(bundle.standardisation.mean, bundle.groups[1].standardisation.mean)
    learning_set = read_learning_set(database, settings, CONFIG)
    taste = next(tracks for labels, tracks in learning_set.groups if labels.group_name == "a taste")
    assert len(learning_set.context(taste).unlabelled) == 36 - 24


def test_without_anything_to_learn_nothing_is_published(database: Database, settings: Settings) -> None:
    with pytest.raises(NothingToLearn, match="may be learnt from"):
        refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    add_tracks(database, "calm", 3)
    add_playlist(database, "empty", [])
    add_playlist(database, "not heard yet", add_tracks(database, "loud", 3, heard=False))
    with pytest.raises(NothingToLearn):
        refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    with database.read_session() as session:
        assert list_bundles(session) == []
    assert not settings.bundles_directory.exists()


def test_what_was_not_heard_is_left_out(database: Database, settings: Settings) -> None:
    heard, not_heard = add_tracks(database, "calm", 4), add_tracks(database, "calm", 2, heard=False)
    add_playlist(database, "calm", heard + not_heard)
    add_playlist(database, "loud", add_tracks(database, "loud", 4))
    add_playlist(database, "silent", add_tracks(database, "odd", 3, heard=False))
    (group,) = fit_and_read(database, settings).groups
    assert group.playlist_names == ("calm", "loud")
    assert not set(not_heard) & set(group.member_ids.tolist())


@sqlite_only
def test_what_another_encoder_heard_is_left_out(database: Database, settings: Settings) -> None:
    add_playlist(database, "loud", add_tracks(database, "loud", 4))
    calm = add_tracks(database, "calm", 4)
    others = add_tracks(database, "calm", 3, heard=False)
    add_playlist(database, "calm", calm + others)
    with database.session() as session:
        for track_id in others:
            store(session, track_id, np.ones(DIM + 5), fingerprint="0123456789ab")
    (group,) = fit_and_read(database, settings).groups
    assert not set(others) & set(group.member_ids.tolist())


@sqlite_only
def test_what_came_from_spotify_is_learnt_from_only_when_the_operator_says_so(
    database: Database, settings: Settings
) -> None:
    add_playlist(database, "loud", add_tracks(database, "loud", 4))
    mine, theirs = add_tracks(database, "calm", 4), add_tracks(database, "calm", 3, source="spotify")
    add_playlist(database, "calm", mine + theirs)
    (group,) = fit_and_read(database, settings).groups
    assert not set(theirs) & set(group.member_ids.tolist())
    (group,) = fit_and_read(database, replace(settings, spotify_training="allow")).groups
    assert set(theirs) <= set(group.member_ids.tolist())


@sqlite_only
def test_a_deleted_track_is_forgotten(database: Database, settings: Settings) -> None:
    calm = add_tracks(database, "calm", 5)
    add_playlist(database, "calm", calm)
    add_playlist(database, "loud", add_tracks(database, "loud", 5))
    with database.session() as session:
        delete_track(session, calm[2])
    bundle = fit_and_read(database, settings)
    assert calm[2] not in bundle.groups[0].member_ids.tolist()
    assert bundle.index is not None and len(bundle.index) == 9


@sqlite_only
def test_a_track_in_two_playlists_is_a_member_of_both(database: Database, settings: Settings) -> None:
    calm, loud = add_tracks(database, "calm", 6), add_tracks(database, "loud", 6)
    add_playlist(database, "calm", [*calm, loud[0]])
    add_playlist(database, "loud", loud)
    (group,) = fit_and_read(database, settings).groups
    assert group.membership[group.member_ids.tolist().index(loud[0])].tolist() == [True, True]
    assert group.membership.sum(axis=0).tolist() == [7, 6]


def test_a_fit_is_not_put_over_one_it_did_not_know_of(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("calm", "loud"):
        add_playlist(database, place, add_tracks(database, place, 5))
    first = refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    other = refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")

    def promote_meanwhile(*args: Any, **options: Any) -> tuple[KnownGroup, ...]:
        with database.session() as session:
            promote_bundle(session, first)
        return fit_groups(*args, **options)

    monkeypatch.setattr("training.groups.refit.fit_groups", promote_meanwhile)
    with pytest.raises(ChampionChanged):
        refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    with database.read_session() as session:
        bundle = current_bundle(session)
    assert bundle is not None and bundle.id == first
    assert other != first


@sqlite_only
def test_progress_names_the_groups(database: Database, settings: Settings) -> None:
    told: list[tuple[int, int, str]] = []
    add_playlist(database, "calm", add_tracks(database, "calm", 4))
    add_playlist(database, "loud", add_tracks(database, "loud", 4), group="other")
    refit(
        database,
        settings,
        encoder_directory=TINY_ENCODER,
        reason="a test",
        progress=lambda *step: told.append(step),
    )
    assert [(done, total) for done, total, _ in told] == [(0, 2), (1, 2)]
    assert ["'default'" in told[0][2], "'other'" in told[1][2]] == [True, True]


@sqlite_only
@pytest.mark.parametrize("sizes", [(1, 1), (1,), (5, 1), (12, 12)])
def test_what_a_fit_knows_of_itself_is_json(
    database: Database, settings: Settings, sizes: tuple[int, ...]
) -> None:
    for place, n_tracks in zip(PLACES, sizes, strict=False):
        add_playlist(database, place, add_tracks(database, place, n_tracks))
    ((labels, tracks),) = (learning_set := read_learning_set(database, settings, CONFIG)).groups
    context = learning_set.context(tracks)
    grouping = group_by_artist(tracks, context, default_choice(context.views))
    fitted = fit_group(labels, tracks, context, grouping)
    described = describe_group(fitted)
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert [playlist["n_tracks"] for playlist in described["playlists"]] == list(sizes)
    assert sum(described["view_weights"].values()) == pytest.approx(1)
    # Of a single playlist, and of single tracks, nothing can be said.
    if len(sizes) == 1:
        assert described["balanced_accuracy_of_choosing"] is None
    right = fitted.held_out.logits.argmax(axis=1) == fitted.model.membership.argmax(axis=1)
    if sizes == (12, 12):
        assert described["balanced_accuracy_of_choosing"] == pytest.approx(right.mean(), abs=1e-4)


@sqlite_only
def test_bundles_lie_where_the_settings_say(database: Database, settings: Settings) -> None:
    add_playlist(database, "calm", add_tracks(database, "calm", 2))
    bundle_id = refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    assert [path.name for path in Path(settings.bundles_directory).iterdir()] == [bundle_id]


@sqlite_only
def test_quick_fits_do_not_fill_the_disk(database: Database, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(keep_models=1)
    for place in ("calm", "loud"):
        add_playlist(database, place, add_tracks(database, place, 8))
    fitted = [
        refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test") for _number in range(4)
    ]
    with database.read_session() as session:
        assert {bundle.id for bundle in list_bundles(session)} == set(fitted[-2:])
    assert {path.name for path in settings.bundles_directory.iterdir()} == set(fitted[-2:])


@pytest.fixture
def fitted_groups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the groups that were really fitted, as they are."""
    names: list[str] = []

    def note(labels: Any, *rest: Any) -> Any:
        names.append(labels.group_name)
        return really(labels, *rest)

    really = refitting.fit_group
    monkeypatch.setattr(refitting, "fit_group", note)
    return names


def test_a_group_that_did_not_change_is_not_fitted_again(
    database: Database, settings: Settings, fitted_groups: list[str]
) -> None:
    members = {place: add_tracks(database, place, 16) for place in ("calm", "loud", "odd")}
    calm = add_playlist(database, "calm", members["calm"])
    add_playlist(database, "loud", members["loud"])
    first = fit_and_read(database, settings)
    add_playlist(database, "liked", members["odd"][:7], group="a taste")
    second = fit_and_read(database, settings)
    assert fitted_groups == ["default", "a taste"]
    assert [group.group_name for group in second.groups] == ["a taste", "default"]
    asked = 4.0 * np.eye(DIM, dtype=np.float32)[[0, 1, 2]]
    for name, values in vars(first.groups[0].score(asked)).items():
        np.testing.assert_array_equal(values, getattr(second.groups[1].score(asked), name))
    assert second.report["groups"][1] == first.report["groups"][0]
    with database.session() as session:
        rename_playlist(session, calm, "cool")
    third = fit_and_read(database, settings)
    assert fitted_groups == ["default", "a taste"]
    assert third.groups[1].playlist_names == ("cool", "loud")
    assert ask(third, "calm", group=1)[0] == "cool"


@sqlite_only
@pytest.mark.parametrize("change", ["member", "embedding", "artist", "library", "damage", "program"])
def test_whatever_a_fit_rests_on_has_it_fitted_again(
    database: Database,
    settings: Settings,
    fitted_groups: list[str],
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calm, loud = add_tracks(database, "calm", 8), add_tracks(database, "loud", 8)
    add_playlist(database, "calm", calm)
    loud_id = add_playlist(database, "loud", loud)
    directory = fit_and_read(database, settings).directory
    fit_and_read(database, settings)
    assert fitted_groups == ["default"]
    with database.session() as session:
        if change == "member":
            set_members(session, loud_id, loud[:-1])
        elif change == "embedding":
            store(session, calm[0], np.ones(DIM))
        elif change == "artist":
            update_track(session, calm[0], TrackFacts(title="calm 0 of 8", artist="loud artist 1"))
    if change == "library":
        add_tracks(database, "nowhere", 40)
    elif change == "damage":
        directory = settings.bundles_directory / max(path.name for path in directory.parent.iterdir())
        (directory / "report.json").write_text("{")
    elif change == "program":
        monkeypatch.setattr("training.groups.unchanged._program", lambda: "another")
    fit_and_read(database, settings)
    assert fitted_groups == ["default", "default"]


@sqlite_only
def test_of_a_large_library_a_sample_is_read(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refitting, "MAX_STATISTICS_TRACKS", 10)
    calm, loud = add_tracks(database, "calm", 6), add_tracks(database, "loud", 6)
    add_playlist(database, "calm", calm)
    add_playlist(database, "loud", loud)
    rest = add_tracks(database, "nowhere", 30)
    learning_set = read_learning_set(database, settings, CONFIG)
    ((_, tracks),) = learning_set.groups
    assert tracks.track_ids.tolist() == sorted(calm + loud)
    sample = learning_set.track_ids[learning_set.is_sample].tolist()
    assert sample == sorted(calm + loud + rest)[::5]
    unlabelled = learning_set.context(tracks).unlabelled
    assert len(unlabelled) == len(set(sample) - set(calm + loud))
    assert len(learning_set.track_ids) == len({*sample, *calm, *loud})
