"""The whole card of a judged group: every figure in its place, and equal to what it is made from."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recommender.records.tracks import FileFormat
from tests.training.judging.judged import judge_world
from tests.training.worlds import make_tracks
from training.judging.figures import build_scorecard
from training.judging.findings import complete_scorecard
from training.judging.judged_group import JudgedGroup, TrackSource
from training.metrics import expected_calibration_error, wilson_interval


@pytest.fixture(scope="module")
def group() -> JudgedGroup:
    tracks = make_tracks([24, 24, 24], n_artists=12, distance=1.5)
    return judge_world(tracks, names=("calm", "loud", "odd"))


def test_the_figures_stay_as_they_are(group: JudgedGroup) -> None:
    card = complete_scorecard(group, with_maps=False)
    figures = build_scorecard(group.labels, group.tracks, group.context, group.judged, promise=group.promise)
    added = {"tracks", "playlists", "warnings"}
    assert {name: card[name] for name in figures.keys() - added} == {
        name: value for name, value in figures.items() if name not in added
    }
    for complete, plain in zip(card["tracks"], figures["tracks"], strict=True):
        assert complete.items() >= plain.items()
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_bins_add_up_to_the_calibration_error(group: JudgedGroup) -> None:
    bins = complete_scorecard(group, with_maps=False)["reliability"]
    error = sum(abs(found["right"] - found["confidence"]) * found["n_tracks"] for found in bins) / 72
    right = group.answers.predicted == group.answers.own
    assert error == pytest.approx(
        expected_calibration_error(group.judged.probability.max(axis=1), right), abs=1e-4
    )


def test_coverage_of_each_playlist(group: JudgedGroup) -> None:
    """Of its own tracks that are not called strangers, the share for which it is named."""
    card = complete_scorecard(group, with_maps=False)
    kept = group.judged.stranger_p_value > group.promise.alpha_none
    for label, playlist in enumerate(card["playlists"]):
        own = group.judged.fits[group.tracks.membership[:, label] & kept, label]
        assert playlist["coverage"] == pytest.approx(own.mean(), abs=1e-4)
        assert playlist["coverage_ci"] == pytest.approx(wilson_interval(int(own.sum()), len(own)), abs=1e-4)


def test_misplaced_tracks_are_the_off_diagonal_ones(group: JudgedGroup) -> None:
    card = complete_scorecard(group, with_maps=False)
    confusion = np.array(card["confusion"])
    assert card["n_misclassified"] == confusion.sum() - np.trace(confusion) > 0
    by_file = {track["file"]: track for track in card["tracks"]}
    for found in card["misclassified"]:
        track = by_file[found["file"]]
        assert found["label"] == track["label"] != found["predicted"]
        assert found["predicted"] == max(track["probabilities"], key=track["probabilities"].get)
        assert found["p_value"] == track["p_values"][found["label"]]
        similarities = [near["similarity"] for near in found["nearest"]]
        assert similarities == sorted(similarities, reverse=True)
        assert all(by_file[near["file"]]["artist"] != found["artist"] for near in found["nearest"])


def test_warnings_of_a_playlist_are_warnings_of_the_card(group: JudgedGroup) -> None:
    wav = FileFormat("wav", 22_050, 352.0)
    mixed = replace(
        group,
        sources=[
            TrackSource(source.title, source.file, wav if row < 24 else source.format)
            for row, source in enumerate(group.sources)
        ],
    )
    card = complete_scorecard(mixed, with_maps=False)
    calm, loud, _ = card["playlists"]
    assert any("100% of the tracks of 'calm' are wav files" in warning for warning in calm["warnings"])
    assert loud["warnings"] == []
    assert set(calm["warnings"]) <= set(card["warnings"])


def test_a_playlist_of_one_artist_is_marked() -> None:
    card = complete_scorecard(judge_world(make_tracks([12, 12, 12], n_artists=[4, 4, 1])), with_maps=False)
    assert [playlist["judged_by"] for playlist in card["playlists"]] == ["artist", "artist", "track"]
    assert "no two known artists" in card["playlists"][2]["warnings"][0]
    assert card["warnings"].count(card["playlists"][2]["warnings"][0]) == 1


@pytest.mark.parametrize(("n_right", "n"), [(0, 10), (9, 10), (10, 10), (250, 400)])
def test_wilson_interval_is_where_the_share_is_1_96_errors_away(n_right: int, n: int) -> None:
    for bound in wilson_interval(n_right, n):
        assert abs(n_right / n - bound) == pytest.approx(1.96 * np.sqrt(bound * (1 - bound) / n), abs=1e-9)
