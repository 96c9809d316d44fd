"""How sources spell what names a track: text, registered names, "Artist - Title", durations."""

import math
import re
from pathlib import PurePosixPath

from recommender.records.rows import GUID, ISRC, JELLYFIN, MBID, RELEASE_GROUP, SPOTIFY, SUBSONIC

MAX_TEXT = 1000  # characters; no title is longer, and a damaged file must not fill the catalogue
MAX_DURATION_S = 7 * 86_400.0
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_MUSICBRAINZ = re.compile(
    rf"https?://(?:www\.|beta\.)?musicbrainz\.org/(recording|release-group)/({_UUID})/?"
)
_SPOTIFY = re.compile(
    r"(?:spotify:track:|https?://open\.spotify\.com/(?:intl-[a-z]+/)?track/)([A-Za-z0-9]{10,40})"
)
_OURS = "urn:whichlist:"
_KEPT = frozenset((SUBSONIC, JELLYFIN, GUID))
_ARTIST_TITLE = re.compile(r"\s+[-\N{EN DASH}\N{EM DASH}]\s+")
_TRACK_NUMBER = re.compile(r"^\d{1,3}[\s._-]+(?=\S)")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)")


def clean_text(value: object) -> str:
    """Text without control characters, without space at its ends; empty for what is no text or number."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    text = str(value)[: 2 * MAX_TEXT]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:MAX_TEXT].rstrip()


def read_isrc(value: object) -> str | None:
    """An ISRC in its one spelling, or None where the text is none."""
    isrc = re.sub(r"[\s-]", "", clean_text(value)).upper()
    return isrc if _ISRC.fullmatch(isrc) else None


def read_mbid(value: object) -> str | None:
    """A MusicBrainz id in its one spelling, or None where the text is none."""
    text = clean_text(value)
    return text.lower() if re.fullmatch(_UUID, text) else None


def read_spotify(value: object) -> str | None:
    """The Spotify track URI in a URI or an address, or None."""
    found = _SPOTIFY.match(clean_text(value))
    return f"spotify:track:{found[1]}" if found else None


def identity_of_uri(value: object) -> tuple[str, str] | None:
    """(scheme, value) of what an identifier names, or None; :func:`uri_of_identity` is the way back."""
    text = clean_text(value)
    if found := _MUSICBRAINZ.match(text):
        return (MBID if found[1] == "recording" else RELEASE_GROUP), found[2].lower()
    if spotify := read_spotify(text):
        return SPOTIFY, spotify
    kind, _, rest = text.partition(":")
    if kind.lower() in ("isrc", "urn") and (isrc := read_isrc(rest.lower().removeprefix("isrc:"))):
        return ISRC, isrc
    if text.startswith(_OURS):
        scheme, _, named = text.removeprefix(_OURS).partition(":")
        return (scheme, named) if scheme in _KEPT and named else None
    return None


def uri_of_identity(scheme: str, value: str) -> str:
    """An identity as a URI, for the formats whose identifiers are URIs."""
    if scheme == MBID:
        return f"https://musicbrainz.org/recording/{value}"
    if scheme == RELEASE_GROUP:
        return f"https://musicbrainz.org/release-group/{value}"
    if scheme == ISRC:
        return f"urn:isrc:{value}"
    if scheme == SPOTIFY:
        return value if value.startswith("spotify:") else f"spotify:track:{value}"
    return f"{_OURS}{scheme}:{value}"


def split_artist_title(text: str) -> tuple[str, str]:
    """("artist", "title") of "artist - title"; without a dash between spaces it is all title."""
    parts = _ARTIST_TITLE.split(text, maxsplit=1)
    if len(parts) == 2 and all(parts):
        return parts[0], parts[1]
    return "", text


def names_of_path(path: str) -> tuple[str, str]:
    """(artist, title) as a file's name has them."""
    name = clean_text(PurePosixPath(path).stem)
    return split_artist_title(_TRACK_NUMBER.sub("", name))


def read_seconds(value: object, *, per_second: float = 1.0) -> float | None:
    """A duration in seconds from a number, of which a second has ``per_second``, or from "m:ss"; or None."""
    text = clean_text(value)
    if clock := _CLOCK.fullmatch(text):
        return _plausible(3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3]))
    try:
        return _plausible(float(text) / per_second)
    except ValueError:
        return None


def _plausible(duration_s: float) -> float | None:
    """The formats write 0 or -1 where they do not know."""
    return duration_s if math.isfinite(duration_s) and 0 < duration_s <= MAX_DURATION_S else None
