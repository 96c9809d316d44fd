"""One call to a Subsonic server: logged in one way or another, its answer out of the envelope."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recommender.errors import ForbiddenAddress, SourceUnavailable, UnreadableSource
from recommender.sources.rows.names import clean_text
from recommender.sources.servers.subsonic_log_in import (
    WRONG_PASSWORD,
    LogIn,
    SubsonicServer,
    log_in_params,
    possible_log_ins,
)
from recommender.sources.web.reading import Call, Web, download, get_json

API_VERSION = "1.16.1"
_RATE_PER_S = 20.0  # it is the user's own
_DOWNLOAD = {"max_bytes": 1_000_000_000, "deadline_s": 600.0}


def ask(
    web: Web,
    server: SubsonicServer,
    method: str,
    song_ids: tuple[str, Sequence[str]] | None = None,
    /,
    **params: str,
) -> Mapping[str, Any]:
    """What is in the envelope of an answer; the log-in that works is found and remembered.

    ``song_ids`` is a parameter that stands as often as it has values.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource, ForbiddenAddress
        There is no answer, or it says no: failures come with status 200 here.
    """
    repeated = tuple((song_ids[0], track_id) for track_id in song_ids[1]) if song_ids else ()
    repeatable = not method.startswith(("create", "update"))
    refused = ""
    for log_in, go_on in possible_log_ins(server):
        call = _call(server, log_in, params, repeated, repeatable=repeatable)
        envelope = _envelope(_get(web, server, method, call), method)
        if envelope.get("status") == "ok":
            if server.memory.recall(server.who) is not log_in:
                server.memory.keep(server.who, log_in)
            return envelope
        refused = _read_failure(envelope, server, log_in)
        if _code(envelope) not in go_on:
            break
    raise SourceUnavailable(f"the Subsonic server refuses {method}: {refused}")


def check_log_in(web: Web, server: SubsonicServer) -> LogIn:
    """The way to log in that works now, asked of the server.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource, ForbiddenAddress
        None does.
    """
    ask(web, server, "ping")
    worked = server.memory.recall(server.who)
    assert worked is not None  # what the server took was remembered
    return worked


def fetch_file(web: Web, server: SubsonicServer, track_id: str, to: Path) -> None:
    """Put the original file of a track into a place.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource, ForbiddenAddress
        It does not come; an error that the server sends as a success is one of the third kind.
    """
    log_in = server.log_in or server.memory.recall(server.who) or check_log_in(web, server)
    call = _call(server, log_in, {"id": track_id}, (), **_DOWNLOAD)
    download(web, f"{server.url}/rest/download.view", to, call=call)


def entries(parent: object, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; old servers write a list of one as the one alone, and leave out empty ones."""
    found = parent.get(name) if isinstance(parent, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [entry for entry in listed if isinstance(entry, dict)]


def _call(
    server: SubsonicServer,
    log_in: LogIn,
    params: Mapping[str, str],
    repeated: tuple[tuple[str, str], ...],
    **how: Any,
) -> Call:
    own = log_in_params(server, log_in) | {"v": API_VERSION, "c": "whichlist", "f": "json"}
    is_secret = log_in is not LogIn.TOKEN and not server.plain_http
    return Call(
        params=tuple((own | dict(params)).items()) + repeated,
        rate_per_s=_RATE_PER_S,
        confidential=is_secret,
        **how,
    )


def _get(web: Web, server: SubsonicServer, method: str, call: Call) -> Any:
    try:
        return get_json(web, f"{server.url}/rest/{method}.view", call=call)
    except ForbiddenAddress as error:
        if not call.confidential:
            raise
        hint = "let it be https, or set WHICHLIST_SUBSONIC_PLAIN_HTTP=on"
        raise ForbiddenAddress(f"{error}: {hint}") from None


def _envelope(answer: object, method: str) -> Mapping[str, Any]:
    envelope = answer.get("subsonic-response") if isinstance(answer, dict) else None
    if not isinstance(envelope, dict):
        raise UnreadableSource(f"the Subsonic server's answer to {method} has not the form of one")
    return envelope


def _failure(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    error = envelope.get("error")
    return error if isinstance(error, dict) else {}


def _code(envelope: Mapping[str, Any]) -> int | None:
    """Some servers write the number as a text."""
    text = clean_text(_failure(envelope).get("code"))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None


def _read_failure(envelope: Mapping[str, Any], server: SubsonicServer, log_in: LogIn) -> str:
    error = _failure(envelope)
    message = clean_text(error.get("message"))
    for secret in server.secrets:
        message = message.replace(secret, "...")
    said = f"{message[:200] or 'it does not say why'} (code {clean_text(error.get('code')) or 'unknown'})"
    if _code(envelope) == WRONG_PASSWORD and log_in is LogIn.TOKEN:
        said += "; some servers that cannot check a token say so too: WHICHLIST_SUBSONIC_AUTH=password"
    return said
