"""The user's own Jellyfin server: playlists, favourites, what came last, and the files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from recommender.errors import SettingsError, SourceUnavailable, UnreadableSource
from recommender.records.rows import JELLYFIN, MBID, RELEASE_GROUP, SkippedRow, SourcePlaylist, SourceRow
from recommender.settings import Settings
from recommender.sources.rows.names import clean_text, read_mbid, read_seconds
from recommender.sources.servers.subsonic import find_playlist_id
from recommender.sources.web.reading import Call, Web, download, get_json

SOURCE = "jellyfin"
PAGE_SIZE = 500
_MAX_PAGES = 4_000
_TICKS_PER_S = 10_000_000.0
_RATE_PER_S = 20.0  # it is the user's own


@dataclass(frozen=True)
class JellyfinServer:
    """Address and API key; ``user`` is whose favourites and playlists are read, None for the only one."""

    url: str
    token: str = field(repr=False)
    user: str | None = None


def find_jellyfin(settings: Settings) -> JellyfinServer:
    """The server of the settings.

    Raises
    ------
    SettingsError
        They name none.
    """
    if not (settings.jellyfin_url and settings.jellyfin_token):
        raise SettingsError(
            "there is no Jellyfin server: set WHICHLIST_JELLYFIN_URL and WHICHLIST_JELLYFIN_TOKEN"
        )
    return JellyfinServer(settings.jellyfin_url, settings.jellyfin_token, settings.jellyfin_user)


def read_jellyfin_playlist(web: Web, server: JellyfinServer, name: str) -> SourcePlaylist:
    """A playlist by its name (in any case, when only one has it) or its id.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It cannot be read, or there is none, or several.
    """
    user_id = _find_user(web, server)
    listed = _read_pages(web, server, userId=user_id, IncludeItemTypes="Playlist", Recursive="true")
    playlists = {str(p["Id"]): clean_text(p.get("Name")) for p in listed if "Id" in p}
    playlist_id = find_playlist_id(playlists, name, place="the Jellyfin server")
    # Not /Playlists/{id}/Items, which fails under an API key.
    items = list(_read_pages(web, server, userId=user_id, ParentId=playlist_id))
    return _read_items(playlists[playlist_id], items)


def read_jellyfin_favourites(web: Web, server: JellyfinServer) -> SourcePlaylist:
    """What the user marked as a favourite, as the playlist ``liked``."""
    asked = {"IncludeItemTypes": "Audio", "Recursive": "true", "IsFavorite": "true"}
    return _read_items("liked", list(_read_pages(web, server, userId=_find_user(web, server), **asked)))


def read_jellyfin_newest(web: Web, server: JellyfinServer, *, n_tracks: int = 500) -> SourcePlaylist:
    """The tracks that came into the library last."""
    asked = {
        "IncludeItemTypes": "Audio",
        "Recursive": "true",
        "SortBy": "DateCreated",
        "SortOrder": "Descending",
    }
    pages = _read_pages(web, server, userId=_find_user(web, server), **asked)
    return _read_items("newest tracks", [item for _, item in zip(range(n_tracks), pages, strict=False)])


def download_jellyfin(web: Web, server: JellyfinServer, track_id: str, to: Path) -> None:
    """Put the original file of a track into a place.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It does not come.
    """
    call = Call(headers=_log_in(server), max_bytes=1_000_000_000, deadline_s=600.0, rate_per_s=_RATE_PER_S)
    download(web, f"{server.url}/Items/{quote(track_id, safe='')}/Download", to, call=call)


def _log_in(server: JellyfinServer) -> dict[str, str]:
    return {"Authorization": f'MediaBrowser Token="{server.token}"'}


def _ask(web: Web, server: JellyfinServer, path: str, **params: str) -> Any:
    call = Call(params=tuple(params.items()), headers=_log_in(server), rate_per_s=_RATE_PER_S)
    return get_json(web, f"{server.url}{path}", call=call)


def _find_user(web: Web, server: JellyfinServer) -> str:
    users = _ask(web, server, "/Users")
    if not users or not isinstance(users, list):
        raise UnreadableSource("the Jellyfin server's answer has no list of users")
    known = {
        clean_text(user.get("Name")): str(user["Id"])
        for user in users
        if isinstance(user, dict) and "Id" in user
    }
    if server.user is None and len(known) == 1:
        return next(iter(known.values()))
    for name, user_id in known.items():
        if server.user is not None and name.casefold() == server.user.casefold():
            return user_id
    asked = "several users" if server.user is None else f"no user {server.user!r}"
    raise SourceUnavailable(
        f"the Jellyfin server has {asked}: set WHICHLIST_JELLYFIN_USER to one of its users"
    )


def _read_pages(web: Web, server: JellyfinServer, **asked: str) -> Iterator[Mapping[str, Any]]:
    """Every item of a list, page by page."""
    n_read = 0
    for _ in range(_MAX_PAGES):
        page = {"StartIndex": str(n_read), "Limit": str(PAGE_SIZE), "Fields": "ProviderIds,Path"}
        answer = _ask(web, server, "/Items", **asked, **page)
        items = answer.get("Items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise UnreadableSource("the Jellyfin server's answer has no list of items")
        yield from (item for item in items if isinstance(item, dict))
        n_read += len(items)
        total = answer.get("TotalRecordCount")
        if not items or (isinstance(total, int) and 0 < total <= n_read):
            return
    raise UnreadableSource(f"the Jellyfin server lists more than {n_read} items")


def _read_items(name: str, items: Sequence[Mapping[str, Any]]) -> SourcePlaylist:
    rows: list[SourceRow] = []
    skipped: list[SkippedRow] = []
    for position, item in enumerate(items):
        kind = clean_text(item.get("Type")) or "Audio"
        if kind == "Audio":
            rows.append(_read_item(item))
        else:
            reason = f"it is of the kind {kind}"
            skipped.append(SkippedRow(position, "not_music", reason, clean_text(item.get("Name"))))
    return SourcePlaylist(name, SOURCE, tuple(rows), tuple(skipped))


def _read_item(item: Mapping[str, Any]) -> SourceRow:
    artists = item.get("Artists")
    named = [clean_text(artist) for artist in artists] if isinstance(artists, list) else []
    path = item.get("Path")
    return SourceRow(
        title=clean_text(item.get("Name")),
        artist=", ".join(filter(None, named)) or clean_text(item.get("AlbumArtist")),
        album=clean_text(item.get("Album")),
        duration_s=read_seconds(item.get("RunTimeTicks"), per_second=_TICKS_PER_S),
        identities=tuple(_identities(item)),
        path=path if isinstance(path, str) and path.startswith("/") else None,
        released=clean_text(item.get("ProductionYear")),
    )


def _identities(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if track_id := clean_text(item.get("Id")):
        yield JELLYFIN, track_id
    registered = item.get("ProviderIds")
    values = registered if isinstance(registered, dict) else {}
    # MusicBrainzTrack is the place on a release, not the recording.
    for key, scheme in (("MusicBrainzRecording", MBID), ("MusicBrainzReleaseGroup", RELEASE_GROUP)):
        if mbid := read_mbid(values.get(key)):
            yield scheme, mbid
