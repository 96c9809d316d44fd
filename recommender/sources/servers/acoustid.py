"""AcoustID: which recordings of MusicBrainz sound like a file, by its Chromaprint; nothing else is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from recommender.errors import RateLimited, SettingsError, SourceUnavailable, UnreadableSource
from recommender.settings import Settings
from recommender.sources.rows.names import clean_text, read_mbid
from recommender.sources.servers.fpcalc import Chromaprint, NoChromaprint
from recommender.sources.web.addresses import name_place
from recommender.sources.web.answers import parse_json
from recommender.sources.web.reading import Call, Web, get_bytes

# What it asks its callers to keep to: https://acoustid.org/webservice
_RATE_PER_S = 3.0
_BAD_PRINT, _BAD_KEY, _BAD_DURATION, _TOO_MANY = 3, 4, 8, 14


class ChromaprintRefused(NoChromaprint):
    """AcoustID does not take the Chromaprint of this file."""

    code = "chromaprint_refused"


@dataclass(frozen=True)
class AcoustId:
    """Where to ask, and the key of an application registered there."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Recording:
    """A recording of MusicBrainz, as AcoustID names it; empty where it is silent."""

    mbid: str
    title: str = ""
    artist: str = ""
    duration_s: float | None = None


@dataclass(frozen=True)
class SoundsLike:
    """Recordings that AcoustID keeps under one id; ``score`` in [0, 1] is how much of the print agrees."""

    acoustid: str
    score: float
    recordings: tuple[Recording, ...]


def find_acoustid(settings: Settings) -> AcoustId:
    """The service of the settings.

    Raises
    ------
    SettingsError
        There is no key.
    """
    if settings.acoustid_key is None:
        raise SettingsError(
            "AcoustID wants a key: set WHICHLIST_ACOUSTID_KEY, which is free at https://acoustid.org/new-application"
        )
    return AcoustId(settings.acoustid_url, settings.acoustid_key)


def look_up(web: Web, server: AcoustId, chromaprint: Chromaprint) -> list[SoundsLike]:
    """What sounds like a file, the likest first.

    Raises
    ------
    ChromaprintRefused
        The print is not taken; others may be.
    SettingsError
        The key is not known there.
    RateLimited, SourceUnavailable, UnreadableSource
        There is no answer that could be used.
    """
    asked = {
        "client": server.key,
        "format": "json",
        "meta": "recordings",
        "duration": str(round(chromaprint.duration_s)),
        "fingerprint": chromaprint.text,
    }
    url = f"{server.url}/v2/lookup"
    call = Call(
        form=tuple(asked.items()), explained=(400,), max_bytes=4_000_000, rate_per_s=_RATE_PER_S, burst=1.0
    )
    answer = parse_json(get_bytes(web, url, call=call).body, name_place(url))
    if not isinstance(answer, dict):
        raise UnreadableSource("AcoustID's answer is no object")
    _check_answer(answer)
    results = answer.get("results")
    if not isinstance(results, list):
        raise UnreadableSource("AcoustID's answer has no list of results")
    return sorted(_read_results(results), key=lambda found: -found.score)


def _check_answer(answer: Mapping[str, Any]) -> None:
    """Pass what is no error; AcoustID reports them with their own codes."""
    if answer.get("status") == "ok":
        return
    error = answer.get("error")
    code, said = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
    said = clean_text(said)[:200] or "an error without a name"
    if code in (_BAD_PRINT, _BAD_DURATION):
        raise ChromaprintRefused(f"AcoustID does not take it: {said}")
    if code == _BAD_KEY:
        raise SettingsError(f"AcoustID does not know the key of WHICHLIST_ACOUSTID_KEY: {said}")
    if code == _TOO_MANY:
        raise RateLimited(f"AcoustID is asked too often: {said}")
    raise SourceUnavailable(f"AcoustID reports an error: {said}")


def _read_results(results: list[Any]) -> Iterator[SoundsLike]:
    for result in results:
        values = result if isinstance(result, dict) else {}
        acoustid, score = read_mbid(values.get("id")), _read_number(values.get("score"))
        if acoustid is None or score is None:
            continue
        recordings = values.get("recordings")
        found = _read_recordings(recordings if isinstance(recordings, list) else [])
        yield SoundsLike(acoustid, min(max(score, 0.0), 1.0), tuple(found))


def _read_recordings(recordings: list[Any]) -> Iterator[Recording]:
    for recording in recordings:
        values = recording if isinstance(recording, dict) else {}
        mbid = read_mbid(values.get("id"))
        if mbid is not None:
            artists = values.get("artists")
            yield Recording(
                mbid,
                clean_text(values.get("title")),
                _credit(artists if isinstance(artists, list) else []),
                _read_number(values.get("duration")) or None,
            )


def _credit(artists: list[Any]) -> str:
    """The artists as they are credited, with what joins them."""
    parts = []
    for artist in artists:
        if isinstance(artist, dict):
            joined = artist.get("joinphrase")
            parts += [clean_text(artist.get("name")), joined if isinstance(joined, str) else ""]
    return clean_text("".join(parts))


def _read_number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) and value >= 0 else None  # type: ignore[arg-type, operator]
