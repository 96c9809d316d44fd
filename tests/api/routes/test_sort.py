"""Sorting over HTTP: what is dropped is placed, decided, learnt, and taken back."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from recommender.catalogue.playlists import delete_playlist, playlist_tracks, set_members
from recommender.catalogue.tracks import delete_track
from recommender.model.scorecards import write_scorecard
from recommender.playlists.feedback import REASON
from tests.api.conftest import Filled, write_notes
from tests.api.problems import assert_problem

Send = Callable[..., dict[str, Any]]


@pytest.fixture
def batch(client: FlaskClient, filled: Filled) -> int:
    """An open batch."""
    response = client.post("/sort", json={"name": "dropped"})
    assert response.status_code == 201
    assert response.headers["Location"] == f"/sort/{response.get_json()['id']}"
    feed_id: int = response.get_json()["id"]
    return feed_id


@pytest.fixture
def send(client: FlaskClient, batch: int, tmp_path: Path) -> Send:
    """Put a file of made sound, or given bytes, into the batch."""

    def post(name: str, *, pitch_hz: float = 210.0, seed: int = 70, data: bytes | None = None) -> Any:
        content = data or write_notes(tmp_path / "x.wav", pitch_hz=pitch_hz, seed=seed).read_bytes()
        response = client.post(f"/sort/{batch}/files", data={"file": (BytesIO(content), name)})
        assert response.status_code == 201
        return response.get_json()

    return post


@pytest.fixture
def decide(client: FlaskClient, batch: int) -> Send:
    """Decide of one song of the batch."""

    def put(row: dict[str, Any], kind: str, **more: Any) -> Any:
        stamp = row["decision"]["stamp"] if row["decision"] else None
        wish = {"item": row["item"], "kind": kind, "stamp": stamp} | more
        response = client.put(f"/sort/{batch}/decisions", json={"decisions": [wish]})
        assert response.status_code == 200
        return response.get_json()

    return put


def _members(filled: Filled, place: int) -> list[int]:
    with filled.database.read_session() as session:
        return playlist_tracks(session, filled.playlist_ids[place])


def test_each_file_is_placed_as_it_arrives(client: FlaskClient, batch: int, send: Send) -> None:
    low, high = send("Ada - Low.wav"), send("Ben - High.wav", pitch_hz=2900.0, seed=71)
    assert (low["is_new"], high["is_new"]) == (True, True)
    assert [row["row"]["places"][0]["name"] for row in (low, high)] == ["low", "high"]
    shown = client.get(f"/sort/{batch}").get_json()
    assert [row["title"] for row in shown["rows"]] == ["Low", "High"]
    assert shown["rows"][0] == low["row"]
    assert [playlist["name"] for playlist in shown["playlists"]] == ["high", "low"]
    listed = client.get("/sort").get_json()
    assert listed["n_waiting"] == listed["batches"][0]["n_waiting"] == 2


def test_a_broken_file_is_a_row_and_a_second_copy_none(client: FlaskClient, batch: int, send: Send) -> None:
    broken = send("broken.mp3", data=b"no audio at all")["row"]
    assert (broken["state"], broken["title"], broken["track"]) == ("failed", "broken.mp3", None)
    assert broken["sentence"]
    first, again = send("Ada - Low.wav"), send("copy.wav")
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["row"]["item"] == again["row"]["item"]
    assert len(client.get(f"/sort/{batch}").get_json()["rows"]) == 2
    assert client.get("/sort").get_json()["n_waiting"] == 1


def test_what_a_playlist_holds_already_does_not_wait(
    client: FlaskClient, batch: int, send: Send, filled: Filled
) -> None:
    known = filled.sounds.heard[0].path
    row = send(known.name, data=known.read_bytes())["row"]
    assert row["sureness"] == "already_in"
    assert [playlist["name"] for playlist in row["member_of"]] == ["low"]
    assert client.get("/sort").get_json()["n_waiting"] == 0


def test_accepting_is_a_word_that_outlasts_imports_and_is_taken_back_without_a_trace(
    client: FlaskClient, send: Send, decide: Send, filled: Filled
) -> None:
    row = send("Ada - Low.wav")["row"]
    low = filled.playlist_ids[0]
    before = _members(filled, 0)
    done = decide(row, "accepted", playlist_id=low)
    assert (done["job"]["kind"], done["job"]["payload"]) == ("refit", {"reason": REASON})
    [accepted] = done["rows"]
    assert (accepted["decision"]["kind"], accepted["decision"]["playlist"]["name"]) == ("accepted", "low")
    assert _members(filled, 0) == [*before, row["track"]]
    with filled.database.session() as session:
        set_members(session, low, before)  # as a scan of its folder does
    assert _members(filled, 0) == [*before, row["track"]]
    assert client.get("/sort").get_json()["n_waiting"] == 0
    [opened] = decide(accepted, "open")["rows"]
    assert opened["decision"] is None
    assert _members(filled, 0) == before
    assert client.get(f"/tracks/{row['track']}/feedback").get_json()["feedback"] == []


def test_another_playlist_replaces_the_first_and_undoing_restores_an_earlier_word(
    client: FlaskClient, send: Send, decide: Send, filled: Filled
) -> None:
    row = send("Ada - Low.wav")["row"]
    low, high = filled.playlist_ids
    client.put(f"/tracks/{row['track']}/feedback", json={"verdict": "wrong", "playlist_id": high})
    [first] = decide(row, "accepted", playlist_id=low)["rows"]
    [second] = decide(first, "accepted", playlist_id=high)["rows"]
    assert (row["track"] in _members(filled, 0), row["track"] in _members(filled, 1)) == (False, True)
    decide(second, "open")
    said = client.get(f"/tracks/{row['track']}/feedback").get_json()["feedback"]
    assert [(word["playlist"]["name"], word["verdict"]) for word in said] == [("high", "wrong")]


def test_none_rules_out_what_was_proposed(send: Send, decide: Send, filled: Filled) -> None:
    row = send("Ada - Low.wav")["row"]
    [none] = decide(row, "none", ruled_out=[filled.playlist_ids[0]])["rows"]
    assert none["decision"]["kind"] == "none"
    assert "low" not in [place["name"] for place in none["places"]]
    [opened] = decide(none, "open")["rows"]
    assert opened["places"] == row["places"]
    assert decide(opened, "none")["job"] is None  # nothing was proposed that could be wrong


def test_two_tabs_do_not_overrule_each_other(send: Send, decide: Send, filled: Filled) -> None:
    row = send("Ada - Low.wav")["row"]
    low, high = filled.playlist_ids
    decide(row, "accepted", playlist_id=low)
    same = decide(row, "accepted", playlist_id=low)  # both tabs said the same
    assert (same["refused"], same["job"]) == ([], None)
    other = decide(row, "accepted", playlist_id=high)
    assert [refusal["code"] for refusal in other["refused"]] == ["decided_meanwhile"]
    assert "'low'" in other["refused"][0]["sentence"]
    assert row["track"] not in _members(filled, 1)


def test_what_went_meanwhile_is_said_song_by_song(
    client: FlaskClient, batch: int, send: Send, decide: Send, filled: Filled
) -> None:
    stays, goes = send("Ada - Low.wav")["row"], send("Ben - Low.wav", seed=72)["row"]
    low, high = filled.playlist_ids
    [accepted] = decide(stays, "accepted", playlist_id=high)["rows"]
    with filled.database.session() as session:
        delete_playlist(session, high)
        delete_track(session, goes["track"])
    wishes = [
        {"item": goes["item"], "kind": "accepted", "playlist_id": low},
        {"item": 99_999, "kind": "none"},
        {"item": stays["item"], "kind": "accepted", "playlist_id": high + 50, "stamp": "x"},
    ]
    answer = client.put(f"/sort/{batch}/decisions", json={"decisions": wishes}).get_json()
    assert [refusal["code"] for refusal in answer["refused"]] == [
        *("track_gone", "item_gone", "decided_meanwhile")
    ]
    shown = client.get(f"/sort/{batch}").get_json()["rows"]
    assert shown[0]["decision"]["is_gone"]
    assert "does not hold this song any more" in shown[1]["sentence"]
    refused = decide(accepted, "accepted", playlist_id=high + 50)["refused"]
    assert [refusal["code"] for refusal in refused] == ["playlist_not_found"]
    [again] = decide(accepted, "accepted", playlist_id=low)["rows"]
    assert again["decision"]["playlist"]["name"] == "low"


def test_a_promise_is_made_only_where_the_score_card_holds_it(
    client: FlaskClient, batch: int, send: Send, filled: Filled
) -> None:
    send("Ada - Low.wav")
    shown = client.get(f"/sort/{batch}").get_json()
    assert (shown["is_promised"], "cannot be promised" in shown["promise"]) == (False, True)
    held_out = [
        {"label": name, "fits": [name], "probabilities": {name: 0.5, other: 0.4}}
        for name, other in (("low", "high"), ("high", "low"))
        for _ in range(40)
    ]
    card = {"groups": [{"group": "default", "labels": ["low", "high"], "tracks": held_out}]}
    write_scorecard(filled.settings, filled.bundle_ids[0], card, "<p>")
    shown = client.get(f"/sort/{batch}").get_json()
    assert shown["is_promised"]
    assert "At most 1 in 20" in shown["promise"]


def test_songs_wait_for_the_first_playlists(client: FlaskClient, tmp_path: Path) -> None:
    made = client.post("/sort", json={"name": "early"}).get_json()
    content = write_notes(tmp_path / "x.wav", pitch_hz=210.0, seed=70).read_bytes()
    answer = client.post(f"/sort/{made['id']}/files", data={"file": (BytesIO(content), "Ada - Low.wav")})
    assert answer.get_json()["row"]["sureness"] is None
    shown = client.get(f"/sort/{made['id']}").get_json()
    assert (shown["model"], shown["rows"][0]["title"]) == ("", "Low")
    assert "nothing to compare with" in shown["why_unplaced"]


def test_feeds_are_sorted_too_and_take_no_files(client: FlaskClient, filled: Filled) -> None:
    folder = filled.sounds.library / "unscanned"
    feed = client.post("/feeds", json={"source": str(folder)}).get_json()
    assert client.get(f"/sort/{feed['id']}").get_json()["rows"] == []
    sent = client.post(f"/sort/{feed['id']}/files", data={"file": (BytesIO(b"x"), "x.wav")})
    assert_problem(sent, 404, "feed_not_found")
    assert_problem(client.get("/sort/999"), 404, "feed_not_found")
    unnamed = client.put(
        f"/sort/{feed['id']}/decisions", json={"decisions": [{"item": 1, "kind": "accepted"}]}
    )
    assert_problem(unnamed, 422, "invalid_request")
