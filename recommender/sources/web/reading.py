"""Reading from other servers: checked addresses, capped size and time, patience with busy ones.

Messages name a server and never the rest of its URL or a header: those may hold what is secret.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import metadata
from math import inf
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import requests

from recommender.disk import flush
from recommender.errors import ForbiddenAddress, RateLimited, SourceError, SourceUnavailable, UnreadableSource
from recommender.settings import Settings
from recommender.sources.web.addresses import name_place, split_url
from recommender.sources.web.answers import Retry, check_status, media_type, parse_json, refuse_pages
from recommender.sources.web.connections import CheckedAdapter, Deadline, Network, open_checked
from recommender.sources.web.politeness import Manners

MAX_REDIRECTS = 5
MAX_TRIES = 4
_CONNECT_S, _IDLE_S = 10.0, 30.0
_CHUNK = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class Web:
    """How this process talks to other servers; keep one for as long as it runs, its manners remember."""

    user_agent: str
    allow_private: bool = False
    manners: Manners = field(default_factory=Manners)
    network: Network = field(default_factory=Network)


@dataclass(frozen=True)
class Call:
    """How one address is called.

    ``guarded`` is for addresses that the operator did not choose: they must be public, and may send
    on to others that are. The others may hold credentials and are followed on the same host only;
    ``confidential`` ones hold what whoever listens could use, and without TLS stay in private networks.
    ``repeatable`` calls may be made again when nobody knows whether they were heard; no wait before
    another try is longer than ``patience_s``. A ``form`` is posted; the answers with a status among
    ``explained`` say in their body what is wrong. ``burst`` is how many calls may be made at once.
    """

    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    explained: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    guarded: bool = False
    confidential: bool = False
    max_bytes: int = 64_000_000
    deadline_s: float = 60.0
    rate_per_s: float = 2.0
    burst: float | None = None
    repeatable: bool = True
    patience_s: float = 30.0


@dataclass(frozen=True)
class Validators:
    """What a server said of the version it sent, to be shown to it the next time."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Fetched:
    """An answer; ``body`` is None when nothing changed since the validators that were sent."""

    body: bytes | None
    content_type: str
    validators: Validators


@dataclass(frozen=True)
class Downloaded:
    """A file that came whole."""

    path: Path
    n_bytes: int
    content_type: str


def open_web(settings: Settings) -> Web:
    """The operator's way of talking to other servers."""
    # It writes whole URLs, and the tokens in them, into the log.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    contact = settings.contact or "self-hosted, no contact given"
    try:
        version = metadata.version("whichlist")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        version = "0"
    return Web(
        user_agent=f"Whichlist/{version} ({contact})", allow_private=settings.allow_private_addresses == "on"
    )


def get_bytes(
    web: Web, url: str, *, call: Call | None = None, validators: Validators | None = None
) -> Fetched:
    """What an address answers.

    Raises
    ------
    ForbiddenAddress, RateLimited, SourceUnavailable, UnreadableSource
        There is no answer that could be used.
    """
    call = call or Call()
    conditions = (
        {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
        if validators
        else {}
    )
    sent = replace(call, headers={**{k: v for k, v in conditions.items() if v}, **call.headers})
    return patiently(web, url, call, lambda: _get_once(web, url, sent))


def get_json(web: Web, url: str, *, call: Call | None = None) -> Any:
    """The JSON that an address answers; an object that only reports an error is one, whatever its status.

    Raises
    ------
    ForbiddenAddress, RateLimited, SourceUnavailable, UnreadableSource
        There is no answer that could be used.
    """
    answer = parse_json(get_bytes(web, url, call=call).body, name_place(url))
    if isinstance(answer, dict) and answer.get("error"):
        raise SourceUnavailable(f"{name_place(url)} reports an error: {str(answer['error'])[:200]}")
    return answer


def download(web: Web, url: str, to: Path, *, call: Call | None = None) -> Downloaded:
    """Put the audio at an address into a file, whole or not at all; untrusted unless ``call`` says otherwise.

    Raises
    ------
    ForbiddenAddress, RateLimited, SourceUnavailable, UnreadableSource
        It may not be visited, does not come, comes too slowly or too large, or is no audio but a page.
    """
    call = call or Call(guarded=True, deadline_s=120.0)
    sent = replace(call, headers={"Accept-Encoding": "identity", **call.headers})
    return patiently(web, url, call, lambda: _download_once(web, url, sent, to))


def patiently(web: Web, url: str, call: Call, once: Callable[[], _Result]) -> _Result:
    """Call until there is an answer, waiting as the server asks, but not for ever."""
    server = split_url(url).netloc.rpartition("@")[2].lower()
    for n_tries in range(1, MAX_TRIES + 1):
        web.manners.wait_turn(server, rate_per_s=call.rate_per_s, burst=call.burst)
        try:
            result = once()
        except Retry as retry:
            wait_s = retry.wait_s or 2.0 ** (n_tries - 1)
            last = n_tries == MAX_TRIES or wait_s > call.patience_s
            if not isinstance(retry.error, RateLimited):
                web.manners.record(server, answered=False)
            if last or not (retry.unheard or call.repeatable):
                raise retry.error from None
            web.manners.sleep(wait_s)
        except SourceError:
            web.manners.record(server, answered=True)  # it does answer, if not as we would like
            raise
        else:
            web.manners.record(server, answered=True)
            return result
    raise AssertionError("the last try returns or raises")


def _get_once(web: Web, url: str, call: Call) -> Fetched:
    with _open(web, url, call) as (response, chunks):
        headers = response.headers
        seen = Validators(headers.get("ETag", ""), headers.get("Last-Modified", ""))
        body = None if response.status_code == 304 else b"".join(chunks)
        return Fetched(body, media_type(response.headers), seen)


def _download_once(web: Web, url: str, call: Call, to: Path) -> Downloaded:
    place, part = name_place(url), to.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with _open(web, url, call) as (response, chunks):
            refuse_pages(place, media_type(response.headers), b"")
            n_bytes = 0
            with part.open("wb") as file:
                for chunk in chunks:
                    if n_bytes == 0:
                        refuse_pages(place, media_type(response.headers), chunk)
                    file.write(chunk)
                    n_bytes += len(chunk)
            if n_bytes == 0:
                raise UnreadableSource(f"{place} sent an empty file")
            flush(part)
            part.replace(to)
            return Downloaded(to, n_bytes, media_type(response.headers))
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _open(web: Web, url: str, call: Call) -> Iterator[tuple[requests.Response, Iterator[bytes]]]:
    """The answer with a good status, and its body in capped pieces; a failure is a :class:`Retry`."""
    place = name_place(url)
    with Deadline(call.deadline_s) as deadline, requests.Session() as session:
        session.trust_env = False  # no proxy that would look names up again, no passwords from ~/.netrc
        session.headers["User-Agent"] = web.user_agent
        opener = partial(
            open_checked,
            network=web.network,
            deadline=deadline,
            guarded=call.guarded,
            allow_private=web.allow_private,
        )
        adapter = CheckedAdapter(opener, partial(opener, stay_private=call.confidential))
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        try:
            response = _follow(session, url, call)
        except ValueError:  # the library finds no host, or none that could be, in it
            raise ForbiddenAddress(f"{place} is no address that can be visited") from None
        except (requests.RequestException, OSError) as error:
            raise _lost(place, error, deadline) from None
        said = response.headers.get("Retry-After") or response.headers.get("X-RateLimit-Reset-In")
        if response.status_code not in call.explained:
            check_status(response.status_code, said, place)
        yield response, _read(response, place, call, deadline)


def _follow(session: requests.Session, url: str, call: Call) -> requests.Response:
    """The answer at the end of the redirects; every address on the way is checked when it is dialled."""
    params: tuple[tuple[str, str], ...] | None = call.params
    form = call.form
    for _ in range(MAX_REDIRECTS + 1):
        response = session.request(
            "POST" if form else "GET",
            url,
            params=params,
            data=form,
            headers=dict(call.headers),
            allow_redirects=False,
            stream=True,
            timeout=(_CONNECT_S, _IDLE_S),
        )
        target = response.headers.get("Location")
        if response.status_code not in _REDIRECTS or not target:
            return response
        response.close()
        url, before, params, form = urljoin(url, target), split_url(url), None, ()
        after = split_url(url)
        downgraded = before.scheme == "https" and after.scheme == "http"
        if not call.guarded and (after.hostname != before.hostname or downgraded):
            raise ForbiddenAddress(
                f"{name_place(before.geturl())} sends its callers elsewhere, to {after.hostname}"
            )
    raise SourceUnavailable(f"{name_place(url)} sends its callers on more than {MAX_REDIRECTS} times")


def _read(response: requests.Response, place: str, call: Call, deadline: Deadline) -> Iterator[bytes]:
    n_bytes = 0
    chunks = response.iter_content(_CHUNK)
    while True:
        try:
            chunk = next(chunks, b"")
        except (requests.RequestException, OSError) as error:
            raise _lost(place, error, deadline) from None
        if deadline.expired:
            raise _lost(place, TimeoutError(), deadline)
        if not chunk:
            return
        n_bytes += len(chunk)
        if n_bytes > call.max_bytes:
            raise UnreadableSource(f"{place} sends more than {call.max_bytes / 1e6:g} MB")
        yield chunk


def _lost(place: str, error: Exception, deadline: Deadline) -> Retry:
    """Why there is no answer, without the words of the library, which repeat the URL with its query."""
    if deadline.expired:
        return Retry(SourceUnavailable(f"{place} took longer than {deadline.seconds:g} s"), wait_s=inf)
    if isinstance(error, requests.exceptions.SSLError):
        return Retry(SourceUnavailable(f"{place} cannot prove that it is who it says (SSLError)"), wait_s=inf)
    return Retry(SourceUnavailable(f"{place} cannot be read ({type(error).__name__})"))
