"""Libraries on which honest learning is impossible: answered and judged all the same, and said to be so."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from recommender.answering.answer import AskedTrack, Recommendation, Verdict
from recommender.answering.ranking import Query, RankingOptions, recommend_many
from recommender.catalogue.database import Database
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import set_members
from recommender.catalogue.tracks import tracks_by_id, upsert_track
from recommender.model.bundle import read_bundle
from recommender.model.scorecards import read_scorecard_page
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import DIM, TINY_ENCODER
from tests.training.groups.test_refit import add_playlist, store
from tests.training.report.html_check import Page
from training.groups.refit import refit
from training.judging.scorecard import judge_champion


@dataclass(frozen=True, eq=False)
class Fitted:
    """What became of a library: an answer for each of its tracks, the card of its one group, and its page."""

    answers: tuple[Recommendation, ...]
    card: dict[str, Any]
    page: Page

    @property
    def notes(self) -> list[str]:
        """What the first answer says of each playlist, by rank."""
        return [playlist.note for playlist in self.answers[0].playlists]

    @property
    def warnings(self) -> str:
        """What the card warns of."""
        return "; ".join(self.card["warnings"])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP and the choosing have tests of their own."""
    monkeypatch.setattr("training.groups.head_choice.N_REPEATS", 1)
    monkeypatch.setattr(
        "training.judging.findings.flatten_by_umap", lambda embeddings, *, seed: embeddings[:, :2]
    )


def add(database: Database, places: Sequence[int], artists: Sequence[str], *, seed: int = 0) -> list[int]:
    """Tracks at the given places (columns of the space), by the given artists."""
    rng = np.random.default_rng(seed)
    ids = []
    with database.session() as session:
        for number, (place, artist) in enumerate(zip(places, artists, strict=True)):
            facts = TrackFacts(
                f"t{seed}-{number}", artist, duration_s=100.0 + number, content_sha256=f"{seed} {number}"
            )
            ids.append(upsert_track(session, facts))
            store(session, ids[-1], rng.normal(size=DIM) + 4.0 * np.eye(DIM)[place])
    return ids


def fit_and_judge(database: Database, settings: Settings) -> Fitted:
    refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    card = judge_champion(database, settings)
    with database.read_session() as session:
        info = current_bundle(session)
        assert info is not None
    bundle = read_bundle(info.directory)
    page = read_scorecard_page(settings, bundle.bundle_id)
    assert page is not None
    [group] = card["groups"]
    json.dumps(card, allow_nan=False)
    found = Fitted(ask_all(database, bundle), group, Page(page))
    assert found.page.faults == []
    return found


def ask_all(database: Database, bundle: Any) -> tuple[Recommendation, ...]:
    from recommender.catalogue.embeddings import load_embeddings

    with database.read_session() as session:
        ids, raw = load_embeddings(session, bundle.config.fingerprint)
    queries = [
        Query(AskedTrack(track_id, "", "", 1.0), vector, vector[None], np.zeros(1), 3.0, {})
        for track_id, vector in zip(ids.tolist(), raw, strict=True)
    ]

    def describe(track_ids: Sequence[int]) -> Any:
        with database.read_session() as session:
            return tracks_by_id(session, list(track_ids))

    answers = recommend_many(queries, bundle, options=RankingOptions(), describe=describe)
    for answer in answers:
        probabilities = [playlist.probability for playlist in answer.playlists]
        assert sum(probabilities) == pytest.approx(1, abs=1e-3)
        assert all(np.isfinite(probabilities))
    return tuple(answers)


def names(n: int, n_artists: int, prefix: str) -> list[str]:
    return [f"{prefix} {number % n_artists}" for number in range(n)]


@sqlite_only
def test_a_group_with_one_playlist(database: Database, settings: Settings, quick: None) -> None:
    add_playlist(database, "only", add(database, [0] * 20, names(20, 10, "a")))
    add(database, [1] * 10, names(10, 5, "b"), seed=1)  # in no playlist
    found = fit_and_judge(database, settings)
    assert "the only playlist of its group" in found.notes[0]
    inside, outside = found.answers[:20], found.answers[20:]
    assert sum(answer.verdict == Verdict.FITS for answer in inside) >= 17
    assert sum(answer.verdict == Verdict.NONE_FITS for answer in outside) >= 9
    assert found.card["error"] == "It has one playlist: there is nothing to tell it apart from."
    assert "nothing to tell it apart from" in found.page.text


@sqlite_only
def test_a_playlist_with_one_artist_is_judged_by_track_and_marked(
    database: Database, settings: Settings, quick: None
) -> None:
    for place, n_artists in enumerate((4, 4, 1)):
        ids = add(database, [place] * 12, names(12, n_artists, f"p{place}"), seed=place)
        add_playlist(database, f"playlist {place}", ids)
    found = fit_and_judge(database, settings)
    judged_by = {p["name"]: p["judged_by"] for p in found.card["playlists"]}
    assert judged_by == {"playlist 0": "artist", "playlist 1": "artist", "playlist 2": "track"}
    assert "'playlist 2' has no two known artists" in found.warnings
    own = next(answer for answer in found.answers if answer.member_of[0].name == "playlist 2")
    [note] = [p.note for p in own.playlists if p.name == "playlist 2"]
    assert "surer than they are" in note
    assert "no two known artists" in found.page.text


@sqlite_only
def test_one_artist_made_everything(database: Database, settings: Settings, quick: None) -> None:
    for place in (0, 1):
        ids = add(database, [place] * 10, ["the only one"] * 10, seed=place)
        add_playlist(database, f"playlist {place}", ids)
    found = fit_and_judge(database, settings)
    assert {p["judged_by"] for p in found.card["playlists"]} == {"track"}
    assert found.warnings.count("has no two known artists") == 2


@sqlite_only
def test_all_tracks_in_both_playlists(database: Database, settings: Settings, quick: None) -> None:
    ids = add(database, [0, 1] * 12, names(24, 8, "a"))
    for name in ("this", "that"):
        add_playlist(database, name, ids)
    found = fit_and_judge(database, settings)
    for answer in found.answers:
        assert [p.probability for p in answer.playlists] == pytest.approx([0.5, 0.5], abs=0.1)
    assert not found.card["beats_chance"]
    assert "they can hardly be told apart" in found.warnings
    assert "Merge them?" in found.page.text


@sqlite_only
def test_tracks_in_every_playlist_prove_nothing(database: Database, settings: Settings, quick: None) -> None:
    """Beside random ones; whatever is said of a track that is in both is right."""
    both = add(database, [0] * 60, names(60, 20, "a"))
    rest = add(database, [0] * 30, names(30, 15, "b"), seed=1)
    is_first = np.random.default_rng(4).random(30) < 0.5
    for name, chosen in (("heads", is_first), ("tails", ~is_first)):
        add_playlist(database, name, [*both, *np.array(rest)[chosen].tolist()])
    found = fit_and_judge(database, settings)
    assert found.card["balanced_accuracy_ci"][0] > 0.5
    assert not found.card["beats_chance"]


@sqlite_only
def test_five_hundred_tracks_against_three(database: Database, settings: Settings, quick: None) -> None:
    large = add_playlist(database, "large", add(database, [0] * 500, names(500, 60, "a")))
    small = add_playlist(database, "small", add(database, [1] * 3, names(3, 3, "b"), seed=1))
    found = fit_and_judge(database, settings)
    first = [answer.playlists[0].id for answer in found.answers]
    assert first[500:] == [small] * 3
    assert np.mean([playlist_id == large for playlist_id in first[:500]]) > 0.9
    [note] = {p.note for p in found.answers[0].playlists if p.id == small}
    assert "3 tracks: too few to turn a track away" in note
    # Balanced: always naming the large one would be right 99 times in 100, and is worth a half.
    assert found.card["baselines"]["popularity"] == 0.5
    assert "500" in found.warnings


@sqlite_only
def test_random_playlists(database: Database, settings: Settings, quick: None) -> None:
    ids = add(database, [0] * 60, names(60, 20, "a"))
    rng = np.random.default_rng(3)
    is_first = rng.random(60) < 0.5
    for name, chosen in (("heads", is_first), ("tails", ~is_first)):
        add_playlist(database, name, [i for i, taken in zip(ids, chosen, strict=True) if taken])
    found = fit_and_judge(database, settings)
    assert not found.card["beats_chance"]
    assert "no better than chance" in found.warnings
    assert "That is no better than chance" in found.page.text
    assert "Do not rely on its answers" in found.page.text


@sqlite_only
@pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (1, 1, 1), (3, 0)])
def test_a_handful(database: Database, settings: Settings, quick: None, sizes: tuple[int, ...]) -> None:
    for place, n_tracks in enumerate(sizes):
        ids = add(database, [place] * n_tracks, names(n_tracks, 5, f"p{place}"), seed=place)
        playlist_id = add_playlist(database, f"playlist {place}", ids)
        with database.session() as session:
            set_members(session, playlist_id, ids)
    found = fit_and_judge(database, settings)
    assert len(found.answers) == sum(sizes)
    assert all(playlist.note for answer in found.answers for playlist in answer.playlists)
    assert "error" in found.card or found.card["warnings"]
