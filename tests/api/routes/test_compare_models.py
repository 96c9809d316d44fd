"""``/models/compare`` and ``whichlist models compare``: score cards side by side, and going back."""

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from api.terminal import ExitCode
from recommender.model.scorecards import write_scorecard
from tests.api.commands.test_cli import Run, prepared, read_lines, run, with_playlists
from tests.api.conftest import Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only
from tests.recommender.model.test_comparison import answer_with, make_card

__all__ = ["prepared", "run", "with_playlists"]  # fixtures


def keep_card(filled: Filled, model_id: str, share_right: float) -> None:
    card = make_card(answer_with(share_right))
    group = card["groups"][0]
    group |= {
        "balanced_accuracy": share_right,
        "balanced_accuracy_ci": [share_right - 0.1, share_right],
        "beats_chance": share_right > 0.5,
        "n_tracks": len(group["tracks"]),
    }
    write_scorecard(filled.settings, model_id, card, "<!doctype html>")


@sqlite_only
def test_two_judged_models(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    keep_card(filled, first, 0.5)
    keep_card(filled, second, 1.0)
    found = client.get(f"/models/compare?a={first}&b={second}").get_json()
    assert (found["a"]["id"], found["b"]["id"]) == (first, second)
    assert (found["a"]["state"], found["b"]["state"]) == ("champion", "challenger")
    assert found["a"]["is_judged"] and found["b"]["is_judged"]
    [group] = found["groups"]
    assert (group["group"], group["same_folds"]) == ("default", True)
    assert (group["a"]["balanced_accuracy"], group["b"]["balanced_accuracy"]) == (0.5, 1.0)
    assert group["paired"]["better"] == "b"
    low, high = group["paired"]["difference_ci"]
    assert 0 < low < group["paired"]["difference"] < high
    assert [p["name"] for p in group["playlists"]] == ["hip hop", "electro"]
    assert (found["same_encoder"], len(found["notes"])) == (True, 1)  # the same encoder, which is said


@sqlite_only
def test_a_model_that_was_not_judged(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    keep_card(filled, first, 1.0)
    found = client.get(f"/models/compare?a={first}&b={second}").get_json()
    assert (found["a"]["is_judged"], found["b"]["is_judged"]) == (True, False)
    [group] = found["groups"]
    assert (group["b"], group["paired"]) == (None, None)
    assert f"model {second} has not been judged" in found["notes"][0]


@sqlite_only
def test_models_that_do_not_exist(client: FlaskClient, filled: Filled) -> None:
    first, _ = filled.bundle_ids
    assert_problem(client.get(f"/models/compare?a={first}&b=none"), 404, "model_not_found")
    assert_problem(client.get(f"/models/compare?a={first}"), 422, "invalid_request")


def test_there_is_nothing_to_go_back_to(run: Run) -> None:
    result = run("models", "rollback", expect=ExitCode.FAILED)
    assert "no other model has been in service" in result.stderr


def test_judged_by_command_and_put_back(with_playlists: Run, tmp_path: Path) -> None:
    newest, oldest = (str(model["id"]) for model in read_lines(with_playlists("models", "list", "--json")))
    unjudged = with_playlists("models", "compare", oldest, newest).stdout
    assert "has not been judged" in unjudged

    [found] = read_lines(with_playlists("models", "compare", "--judge", "--json", oldest, newest))
    group: Any = found["groups"][0]  # type: ignore[index]
    # Both have the same encoder, and are judged on the same playlists and folds.
    assert (group["same_folds"], group["paired"]["difference"], group["paired"]["better"]) == (
        True,
        0.0,
        None,
    )
    assert group["a"]["balanced_accuracy"] == group["b"]["balanced_accuracy"] > 0.9
    shown = with_playlists("models", "compare", oldest, newest).stdout
    assert "neither is clearly better" in shown
    assert "recall of high" in shown

    with_playlists("models", "promote", oldest)
    assert read_lines(with_playlists("recommend", "--json", 1))[0]["model"] == oldest
    with_playlists("models", "promote", newest)
    assert read_lines(with_playlists("recommend", "--json", 1))[0]["model"] == newest
    for expected in (oldest, newest):  # back, and forward again
        assert f"{expected} is in service" in with_playlists("models", "rollback").stdout
        assert read_lines(with_playlists("recommend", "--json", 1))[0]["model"] == expected
    refused = with_playlists("models", "compare", oldest, "none", expect=ExitCode.FAILED)
    assert "no bundle has the id 'none'" in refused.stderr
