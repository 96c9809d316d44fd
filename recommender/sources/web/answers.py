"""What a server's status and first bytes mean: an answer, a reason to try again, or an end."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from recommender.errors import RateLimited, SourceError, SourceUnavailable, UnreadableSource

_AGAIN = frozenset({500, 502, 503, 504})


class Retry(Exception):
    """The call may be made again after ``wait_s`` (None: unsaid, inf: better not); ``error`` if nobody does.

    ``unheard``: the server said that it did nothing, so even a call that changes something is safe to repeat.
    """

    def __init__(self, error: SourceError, *, wait_s: float | None = None, unheard: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s
        self.unheard = unheard


def check_status(status: int, retry_after: str | None, place: str) -> None:
    """Pass an answer with a body, or one that nothing changed.

    Raises
    ------
    Retry
        The server is busy or broken.
    SourceUnavailable
        It refuses, and would again.
    """
    if 200 <= status < 300 or status == 304:
        return
    wait_s = read_retry_after(retry_after)
    if status == 429 or (status == 503 and wait_s):
        said = f"{wait_s:.0f} s" if wait_s else "an unnamed time"
        error = RateLimited(f"{place} asks to wait {said}", retry_after_s=wait_s)
        raise Retry(error, wait_s=wait_s, unheard=True)
    if status in _AGAIN:
        raise Retry(
            SourceUnavailable(f"{place} answers with an error of its own ({status})"), unheard=status == 503
        )
    if status in (401, 403):
        raise SourceUnavailable(
            f"{place} does not let us in ({status}): check the name, the password or the token"
        )
    raise SourceUnavailable(f"{place} answers {status}")


def read_retry_after(value: str | None) -> float | None:
    """Seconds from now, from a number or a date; None when there is neither."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if isfinite(seconds) else None


def looks_like_text(beginning: bytes) -> str:
    """ "html" or "text" when a body begins like markup or JSON, which no audio format does; else nothing."""
    start = beginning[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    return "text" if start[:1] in (b"<", b"{", b"[") else ""


def parse_json(body: bytes | None, place: str) -> Any:
    """What a body says.

    Raises
    ------
    UnreadableSource
        It is no JSON, or not all of it.
    """
    try:
        return json.loads(body or b"")
    except (ValueError, RecursionError):  # the latter of thousands of brackets
        kind = "a page" if looks_like_text(body or b"") == "html" else "something else, or not all of it"
        raise UnreadableSource(f"{place} was asked for JSON and sent {kind}") from None


def refuse_pages(place: str, content_type: str, beginning: bytes) -> None:
    """Pass what may be audio.

    Raises
    ------
    UnreadableSource
        It says that it is a page, or begins like one, or like another text.
    """
    kind = looks_like_text(beginning) or ("html" if content_type == "text/html" else "")
    if kind:
        what = "a page" if kind == "html" else "text"
        raise UnreadableSource(f"{place} sent {what} where audio was expected")


def media_type(headers: Mapping[str, str]) -> str:
    """The type that an answer says it has, without its parameters."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()
