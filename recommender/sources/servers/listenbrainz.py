"""ListenBrainz: the releases of the last days, of everybody or for one listener; names, no audio."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

from recommender.errors import UnreadableSource
from recommender.records.rows import RELEASE_GROUP, SkippedRow, SourcePlaylist, SourceRow
from recommender.settings import Settings
from recommender.sources.rows.names import clean_text, read_mbid
from recommender.sources.web.reading import Call, Web, get_json

SOURCE = "listenbrainz"
MAX_DAYS = 90
NOT_MUSIC = frozenset(("audiobook", "spokenword", "interview", "audio drama", "dj-mix", "field recording"))
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


@dataclass(frozen=True)
class ListenBrainz:
    """Where releases are read; a token raises the rate limit."""

    url: str
    token: str | None = field(default=None, repr=False)


def find_listenbrainz(settings: Settings) -> ListenBrainz:
    """The server of the settings."""
    return ListenBrainz(settings.listenbrainz_url, settings.listenbrainz_token)


def read_fresh_releases(
    web: Web, server: ListenBrainz, *, today: date, user: str | None = None, days: int = 14
) -> SourcePlaylist:
    """The release groups that came out in the ``days`` up to ``today``, of artists that ``user`` listens to.

    A single's row has the release's name as its title too; of an album no track is named.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        There is no list.
    """
    path = f"user/{quote(user, safe='')}/fresh_releases" if user else "explore/fresh-releases/"
    asked = {
        "days": str(min(max(days, 1), MAX_DAYS)),
        "sort": "release_date",
        "past": "true",
        "future": "false",
    }
    if not user:
        asked["release_date"] = today.isoformat()
    headers = {"Authorization": f"Token {server.token}"} if server.token else {}
    answer = get_json(web, f"{server.url}/1/{path}", call=Call(params=tuple(asked.items()), headers=headers))
    payload = answer.get("payload") if isinstance(answer, dict) else None
    releases = payload.get("releases") if isinstance(payload, dict) else None
    if not isinstance(releases, list):
        raise UnreadableSource("ListenBrainz's answer has no list of releases")
    name = f"fresh releases for {user}" if user else "fresh releases"
    return _read_releases(name, releases, today)


def read_release_date(value: object) -> str:
    """YYYY, YYYY-MM or YYYY-MM-DD, padded; empty for what is no date."""
    found = _DATE.fullmatch(clean_text(value))
    if not found:
        return ""
    year, month, day = found.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return ""
    return "-".join([year, *(f"{int(part):02d}" for part in (month, day) if part)])


def _read_releases(name: str, releases: list[Any], today: date) -> SourcePlaylist:
    rows: list[SourceRow] = []
    skipped: list[SkippedRow] = []
    seen: set[str] = set()
    for position, release in enumerate(releases):
        values = release if isinstance(release, dict) else {}
        row = _read_release(values)
        group = row.identity(RELEASE_GROUP) or ""
        reason = _why_not(values, row, today, is_known=bool(group) and group in seen)
        if reason:
            skipped.append(SkippedRow(position, *reason, text=f"{row.artist} - {row.album}"))
        else:
            rows.append(row)
        seen.add(group)
    return SourcePlaylist(name, SOURCE, tuple(rows), tuple(skipped))


def _read_release(values: Mapping[str, Any]) -> SourceRow:
    album = clean_text(values.get("release_name"))
    is_single = clean_text(values.get("release_group_primary_type")).lower() == "single"
    group = read_mbid(values.get("release_group_mbid"))
    return SourceRow(
        title=album if is_single else "",
        artist=clean_text(values.get("artist_credit_name")),
        album=album,
        identities=((RELEASE_GROUP, group),) if group else (),
        released=read_release_date(values.get("release_date")),
    )


def _why_not(
    values: Mapping[str, Any], row: SourceRow, today: date, *, is_known: bool
) -> tuple[str, str] | None:
    """(code, reason) of a release that no track can come of, or None."""
    kinds = [
        clean_text(values.get(f"release_group_{which}_type")).lower() for which in ("primary", "secondary")
    ]
    if not (row.artist and row.album):
        return "no_name", "the release has no artist or no name"
    if is_known:
        return "duplicate", "another release of the same group stands before it"
    if NOT_MUSIC & set(kinds):
        return "not_music", f"it is of the kind {kinds[1] or kinds[0]}"
    if row.released > today.isoformat():
        return "not_out_yet", f"it comes out on {row.released}"
    return None
