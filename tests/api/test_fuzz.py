"""Whatever a caller sends, the answer is an answer or a problem, never a mistake of ours."""

import io
import re
from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Filled
from tests.databases import sqlite_only

# The library is only read, so that one of it serves every example.
fuzzing = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCHEMES = st.sampled_from(
    ["", "isrc:", "mbid:", "spotify:track:", "https://open.spotify.com/track/", "/", "../"]
)


def assert_answered(response: Any) -> None:
    assert response.status_code < 500, response.get_data(as_text=True)
    if response.status_code >= 400:
        assert response.mimetype == "application/problem+json"


@sqlite_only
@fuzzing
@given(scheme=SCHEMES, rest=st.text(max_size=300))
@example(scheme="", rest="9" * 300)
@example(scheme="", rest="-1")
@example(scheme="", rest="٣")  # a digit, but not of ours
@example(scheme="/", rest="a\0b")
@example(scheme="", rest="a/" * 150)
def test_any_reference(client: FlaskClient, filled: Filled, scheme: str, rest: str) -> None:
    assert_answered(client.get("/recommend", query_string={"track": scheme + rest}))


@sqlite_only
@fuzzing
@given(query=st.text(st.characters(codec="utf-8"), max_size=100))
@example(query="%' OR 1=1 --")
def test_any_search(client: FlaskClient, filled: Filled, query: str) -> None:
    assert_answered(client.get("/tracks", query_string={"query": query}))


@sqlite_only
@fuzzing
@given(
    content=st.binary(max_size=400),
    prefix=st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"ID3", b"\xff\xfb"]),
)
def test_any_upload(client: FlaskClient, filled: Filled, content: bytes, prefix: bytes) -> None:
    assert_answered(client.post("/recommend", data={"file": (io.BytesIO(prefix + content), "x.mp3")}))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(["name", "folder", "group", "path", "track_ids"]), JSON, max_size=4)


@sqlite_only
@fuzzing
@given(body=FIELDS | JSON, address=st.sampled_from(["/playlists", "/tracks", "/playlists/1"]))
def test_any_body(client: FlaskClient, filled: Filled, body: Any, address: str) -> None:
    call = client.put if re.search(r"\d", address) else client.post
    assert_answered(call(address, json=body))
