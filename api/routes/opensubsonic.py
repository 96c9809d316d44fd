"""``/rest``: the OpenSubsonic extension ``sonicSimilarity``, so that players can ask what sounds alike.

Failures have the status 200 and a code inside the envelope, as the players expect.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from apiflask import APIBlueprint
from flask import Response, json, request

from api.services import services
from api.version import VERSION
from recommender.answering.sounds_alike import SonicMatch, similar_tracks, sonic_path
from recommender.answering.walk_steps import WalkError
from recommender.errors import NoSuchEmbedding, NoSuchTrack, RecommenderError

PREFIX = "/rest/"
API_VERSION = "1.16.1"
MAX_COUNT = 500
EXTENSIONS = ("sonicSimilarity", "apiKeyAuthentication", "formPost")
_NAMESPACE = "http://subsonic.org/restapi"
_GENERIC, _MISSING, _WRONG_LOG_IN, _CONFLICTING, _WRONG_KEY, _NOT_FOUND = 0, 10, 40, 43, 44, 70

blueprint = APIBlueprint("opensubsonic", __name__, enable_openapi=False)


class _FailureError(Exception):
    """Answered with one of the protocol's codes."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@blueprint.route("/rest/<method>", methods=["GET", "POST"])
def call(method: str) -> Response:
    """Answer one of the methods; each also under its old name with ``.view``."""
    answer = _METHODS.get(method.removesuffix(".view"))
    if answer is None:
        return _failed(_GENERIC, "Whichlist answers sonicSimilarity only; ask the music server for this")
    try:
        return _answer("ok", answer())
    except _FailureError as error:
        return _failed(error.code, str(error))
    except (NoSuchTrack, NoSuchEmbedding, WalkError) as error:
        return _failed(_NOT_FOUND, str(error))
    except RecommenderError as error:
        return _failed(_GENERIC, str(error))


def _list_extensions() -> dict[str, Any]:
    """Name what is supported; asked before anybody has logged in."""
    return {"openSubsonicExtensions": [{"name": name, "versions": [1]} for name in EXTENSIONS]}


def _ping() -> dict[str, Any]:
    _check_log_in()
    return {}


def _similar() -> dict[str, Any]:
    _check_log_in()
    ours = services()
    found = similar_tracks(ours.database, ours.holder.current(), _required("id"), count=_count(10))
    return {"sonicMatch": _matches(found)}


def _path() -> dict[str, Any]:
    _check_log_in()
    ours = services()
    start, end = _required("startSongId"), _required("endSongId")
    found = sonic_path(ours.database, ours.holder.current(), start, end, count=max(2, _count(25)))
    return {"sonicMatch": _matches(found)}


_METHODS = {
    "ping": _ping,
    "getOpenSubsonicExtensions": _list_extensions,
    "getSonicSimilarTracks": _similar,
    "findSonicPath": _path,
}


def _check_log_in() -> None:
    """Take the API token as a bearer token, as an API key, or as the password of any user.

    Raises
    ------
    _FailureError
    """
    token = services().settings.api_token
    if token is None:
        return
    bearer = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if bearer and hmac.compare_digest(bearer.encode(), token.encode()):
        return
    key = request.values.get("apiKey")
    if key is not None:
        if "u" in request.values:
            raise _FailureError(_CONFLICTING, "give either an API key or a user")
        if not hmac.compare_digest(key.encode(), token.encode()):
            raise _FailureError(_WRONG_KEY, "Invalid API key")
        return
    if not hmac.compare_digest(*_digests(token)):
        raise _FailureError(_WRONG_LOG_IN, "Wrong username or password")


def _digests(token: str) -> tuple[bytes, bytes]:
    """Return what was given and what is expected: a salted digest, else the password itself."""
    given, salt = request.values.get("t"), request.values.get("s", "")
    if given is not None:
        expected = hashlib.md5(f"{token}{salt}".encode(), usedforsecurity=False).hexdigest()
        return given.lower().encode(), expected.encode()
    password = _required("p")
    if password.startswith("enc:"):
        try:
            return bytes.fromhex(password.removeprefix("enc:")), token.encode()
        except ValueError:
            return b"", token.encode()
    return password.encode(), token.encode()


def _required(name: str) -> str:
    value = request.values.get(name)
    if not value:
        raise _FailureError(_MISSING, f"Required parameter is missing: {name}")
    return value


def _count(default: int) -> int:
    try:
        return min(max(int(request.values.get("count", default)), 1), MAX_COUNT)
    except ValueError:
        raise _FailureError(_GENERIC, "count must be a whole number") from None


def _matches(found: Sequence[SonicMatch]) -> list[dict[str, Any]]:
    return [{"entry": _child(match), "similarity": round(match.similarity, 4)} for match in found]


def _child(match: SonicMatch) -> dict[str, Any]:
    track = match.track
    child = {"id": match.id, "isDir": False, "title": track.title, "artist": track.artist, "type": "music"}
    if track.album:
        child["album"] = track.album
    if track.duration_s is not None:
        child["duration"] = round(track.duration_s)
    return child


def _failed(code: int, message: str) -> Response:
    return _answer("failed", {"error": {"code": code, "message": message}})


def _answer(status: str, more: dict[str, Any]) -> Response:
    envelope = {"status": status, "version": API_VERSION, "type": "whichlist", "serverVersion": VERSION}
    body = envelope | {"openSubsonic": True} | more
    if request.values.get("f", "xml") == "json":
        return Response(json.dumps({"subsonic-response": body}), mimetype="application/json")
    root = _element("subsonic-response", body)
    root.set("xmlns", _NAMESPACE)
    return Response(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), mimetype="text/xml")


def _element(name: str, values: dict[str, Any]) -> ElementTree.Element:
    """Return values as attributes, objects and lists of them as elements, other lists as text in them."""
    element = ElementTree.Element(name)
    for key, value in values.items():
        listed = value if isinstance(value, list) else [value]
        for entry in listed:
            if isinstance(entry, dict):
                element.append(_element(key, entry))
            elif isinstance(value, list):
                ElementTree.SubElement(element, key).text = str(entry)
            else:
                element.set(key, _text(entry))
    return element


def _text(value: object) -> str:
    """Return a value as XML holds it: characters that XML cannot hold are left out."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(character for character in text if character.isprintable())
