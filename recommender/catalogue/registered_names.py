"""The registered names in a source's row, each in the one spelling under which the catalogue keeps it."""

import re

from recommender.records.rows import ISRC, MBID, SPOTIFY, SourceRow

_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPOTIFY = re.compile(
    r"(?:(?:spotify:track:|https?://open\.spotify\.com/(?:intl-[a-z-]+/)?track/)([A-Za-z0-9]+)(?:[/?#].*)?"
    r"|([A-Za-z0-9]{22}))"
)


def isrcs_of(row: SourceRow) -> list[str]:
    """The row's ISRCs without hyphens, in capitals; what has another form is no ISRC."""
    spelled = (re.sub(r"[\s-]", "", value).upper() for value in _values(row, ISRC))
    return [value for value in spelled if _ISRC.fullmatch(value)]


def mbids_of(row: SourceRow) -> list[str]:
    """The row's MusicBrainz recording ids, also those written as an address."""
    found = (_UUID.search(value.lower()) for value in _values(row, MBID))
    return [match[0] for match in found if match is not None]


def spotify_ids_of(row: SourceRow) -> list[str]:
    """The row's Spotify track ids, from URIs, links or ids; a local file of Spotify's has none."""
    found = (_SPOTIFY.fullmatch(value.strip()) for value in _values(row, SPOTIFY))
    return [match[1] or match[2] for match in found if match is not None]


def _values(row: SourceRow, scheme: str) -> list[str]:
    return [value for name, value in row.identities if name == scheme]
