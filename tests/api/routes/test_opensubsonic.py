"""``/rest``: what a player of the user's own server asks, and how it may log in."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.services import find_services
from recommender.catalogue.identities import remember_server_ids, server_ids
from recommender.records.rows import SUBSONIC
from recommender.settings import Settings
from tests.api.conftest import N_PER_PLAYLIST, N_TRACKS, Filled, Sounds
from tests.databases import sqlite_only

TOKEN = "sesame street"


def ask(client: FlaskClient, method: str, **params: Any) -> dict[str, Any]:
    response = client.get(f"/rest/{method}", query_string={"f": "json"} | params)
    assert response.status_code == 200
    envelope: dict[str, Any] = response.get_json()["subsonic-response"]
    assert (envelope["version"], envelope["openSubsonic"]) == ("1.16.1", True)
    return envelope


def code(envelope: dict[str, Any]) -> int | None:
    return envelope["error"]["code"] if envelope["status"] == "failed" else None


def ids(envelope: dict[str, Any]) -> list[str]:
    return [match["entry"]["id"] for match in envelope["sonicMatch"]]


@pytest.fixture
def linked(filled: Filled) -> Filled:
    """Every second track is on the server too, as ``nd-<our id>``."""
    with filled.database.session() as session:
        remember_server_ids(session, SUBSONIC, [(i, f"nd-{i}") for i in filled.track_ids[::2]])
    return filled


@pytest.fixture
def guarded(make_settings: Callable[..., Settings], sounds: Sounds, linked: Filled) -> Iterator[FlaskClient]:
    app = create_app(make_settings(library_roots=[sounds.library], api_token=TOKEN))
    yield app.test_client()
    find_services(app).database.close()


@sqlite_only
def test_similar_tracks_by_our_own_ids(client: FlaskClient, filled: Filled) -> None:
    envelope = ask(client, "getSonicSimilarTracks.view", id=filled.track_ids[0], count=5)
    low = {str(track_id) for track_id in filled.track_ids[1:N_PER_PLAYLIST]}
    assert set(ids(envelope)) == low
    similarities = [match["similarity"] for match in envelope["sonicMatch"]]
    assert (
        similarities == sorted(similarities, reverse=True) and 0 <= similarities[-1] <= similarities[0] <= 1
    )
    entry = envelope["sonicMatch"][0]["entry"]
    assert (entry["isDir"], entry["type"], entry["duration"]) == (False, "music", 4)
    assert entry["title"].startswith("Piece") and entry["artist"].startswith("Artist 0")


def test_a_servers_player_only_gets_what_is_there(client: FlaskClient, linked: Filled) -> None:
    envelope = ask(client, "getSonicSimilarTracks", id=f"nd-{linked.track_ids[0]}", count=N_TRACKS)
    assert sorted(ids(envelope)) == sorted(f"nd-{i}" for i in linked.track_ids[2::2])
    two = ask(client, "getSonicSimilarTracks", id=f"nd-{linked.track_ids[0]}", count=2)
    assert ids(two) == ids(envelope)[:2]


def test_a_path_has_both_ends(client: FlaskClient, linked: Filled) -> None:
    start, end = linked.track_ids[0], linked.track_ids[-2]
    envelope = ask(client, "findSonicPath", startSongId=f"nd-{start}", endSongId=f"nd-{end}", count=4)
    found = ids(envelope)
    assert (found[0], found[-1], len(found), len(set(found))) == (f"nd-{start}", f"nd-{end}", 4, 4)
    assert envelope["sonicMatch"][0]["similarity"] == 1.0
    assert envelope["sonicMatch"][-1]["similarity"] < envelope["sonicMatch"][1]["similarity"]
    assert all(track_id.startswith("nd-") for track_id in found)
    own = ask(client, "findSonicPath", startSongId=start, endSongId=linked.track_ids[-1])
    assert len(ids(own)) == N_TRACKS  # as many as there are


@sqlite_only
def test_what_cannot_be_answered_is_a_success_with_a_code(client: FlaskClient, linked: Filled) -> None:
    start = linked.track_ids[0]
    assert code(ask(client, "getSonicSimilarTracks")) == 10
    assert code(ask(client, "getSonicSimilarTracks", id="nd-none")) == 70
    assert code(ask(client, "getSonicSimilarTracks", id="9" * 30)) == 70
    assert code(ask(client, "getSonicSimilarTracks", id=start, count="many")) == 0
    assert code(ask(client, "findSonicPath", startSongId=start)) == 10
    assert code(ask(client, "findSonicPath", startSongId=start, endSongId=start)) == 70
    assert code(ask(client, "getAlbumList2")) == 0
    assert len(ids(ask(client, "getSonicSimilarTracks", id=start, count=-3))) == 1


@sqlite_only
def test_without_a_model(client: FlaskClient) -> None:
    assert code(ask(client, "ping")) is None
    assert code(ask(client, "getSonicSimilarTracks", id=1)) == 0


@sqlite_only
def test_a_form_and_xml(client: FlaskClient, linked: Filled) -> None:
    form = {"id": f"nd-{linked.track_ids[0]}", "count": "2"}
    response = client.post("/rest/getSonicSimilarTracks.view", data=form)
    assert response.mimetype == "text/xml"
    root = ElementTree.fromstring(response.data)
    space = "{http://subsonic.org/restapi}"
    assert (root.tag, root.get("status"), root.get("openSubsonic")) == (
        f"{space}subsonic-response",
        "ok",
        "true",
    )
    matches = root.findall(f"{space}sonicMatch")
    assert len(matches) == 2 and 0 <= float(matches[0].get("similarity", "x")) <= 1
    entry = matches[0].find(f"{space}entry")
    assert entry is not None and entry.get("id", "").startswith("nd-") and entry.get("isDir") == "false"


@sqlite_only
def test_extensions_are_told_to_anybody(guarded: FlaskClient) -> None:
    named = ask(guarded, "getOpenSubsonicExtensions")["openSubsonicExtensions"]
    assert {"name": "sonicSimilarity", "versions": [1]} in named
    root = ElementTree.fromstring(guarded.get("/rest/getOpenSubsonicExtensions").data)
    assert [entry[0].text for entry in root] == ["1"] * len(named)


@sqlite_only
def test_every_way_to_log_in(guarded: FlaskClient) -> None:
    digest = hashlib.md5(f"{TOKEN}pepper".encode()).hexdigest()
    assert code(ask(guarded, "ping", u="ada", t=digest, s="pepper")) is None
    assert code(ask(guarded, "ping", u="ada", p=TOKEN)) is None
    assert code(ask(guarded, "ping", u="ada", p=f"enc:{TOKEN.encode().hex()}")) is None
    assert code(ask(guarded, "ping", apiKey=TOKEN)) is None
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/rest/ping?f=json", headers=headers).get_json()["subsonic-response"]["status"] == "ok"


@sqlite_only
def test_no_other_way_to_log_in(guarded: FlaskClient) -> None:
    digest = hashlib.md5(f"{TOKEN}pepper".encode()).hexdigest()
    wrong = [
        ({}, 10),
        ({"u": "ada"}, 10),
        ({"u": "ada", "t": digest}, 40),
        ({"u": "ada", "t": digest, "s": "salt"}, 40),
        ({"u": "ada", "t": "ü"}, 40),
        ({"u": "ada", "p": "guess"}, 40),
        ({"u": "ada", "p": "enc:zz"}, 40),
        ({"apiKey": "guess"}, 44),
        ({"apiKey": ""}, 44),
        ({"u": "ada", "apiKey": TOKEN}, 43),
    ]
    for params, expected in wrong:
        for method in ("ping", "getSonicSimilarTracks", "findSonicPath"):
            envelope = ask(guarded, method, id=1, **params)
            assert (code(envelope), "sonicMatch" in envelope) == (expected, False), params
    assert guarded.get("/tracks").status_code == 401
    assert guarded.get("/restaurant").status_code == 401


def test_ids_of_a_server_name_one_track(filled: Filled) -> None:
    first, second = filled.track_ids[:2]
    with filled.database.session() as session:
        assert remember_server_ids(session, SUBSONIC, [(first, "b"), (first, "a"), (second, "c")]) == 3
        assert server_ids(session, SUBSONIC, filled.track_ids) == {first: "a", second: "c"}
        remember_server_ids(session, SUBSONIC, [(second, "a")])
        assert server_ids(session, SUBSONIC, [first, second, first]) == {first: "b", second: "a"}
