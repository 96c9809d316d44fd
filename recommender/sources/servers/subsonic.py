"""The user's own Subsonic server (Navidrome, gonic): playlists, liked tracks, new albums, files."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.errors import SettingsError, SourceUnavailable, UnreadableSource
from recommender.records.rows import ISRC, MBID, SUBSONIC, SkippedRow, SourcePlaylist, SourceRow
from recommender.settings import Settings
from recommender.sources.rows.names import clean_text, read_isrc, read_mbid, read_seconds
from recommender.sources.web.reading import Call, Web, download, get_json

SOURCE = "subsonic"
API_VERSION = "1.16.1"
MAX_ALBUMS = 500
PAGE_SIZE = 500
_MAX_PAGES = 4_000
_BATCH = 100  # ids in one URL; servers and proxies refuse long ones
_RATE_PER_S = 20.0  # it is the user's own


@dataclass(frozen=True)
class SubsonicServer:
    """Address and log-in; the password itself is never sent."""

    url: str
    user: str
    password: str = field(repr=False)


def find_subsonic(settings: Settings) -> SubsonicServer:
    """The server of the settings.

    Raises
    ------
    SettingsError
        They name none.
    """
    if not (settings.subsonic_url and settings.subsonic_user and settings.subsonic_password):
        needed = "WHICHLIST_SUBSONIC_URL, WHICHLIST_SUBSONIC_USER and WHICHLIST_SUBSONIC_PASSWORD"
        raise SettingsError(f"there is no Subsonic server: set {needed}")
    return SubsonicServer(settings.subsonic_url, settings.subsonic_user, settings.subsonic_password)


def list_subsonic_playlists(web: Web, server: SubsonicServer) -> dict[str, str]:
    """id -> name of the playlists that the user may read."""
    listed = _ask(web, server, "getPlaylists").get("playlists")
    return {str(p["id"]): clean_text(p.get("name")) for p in _entries(listed, "playlist") if "id" in p}


def read_subsonic_playlist(web: Web, server: SubsonicServer, name: str) -> SourcePlaylist:
    """A playlist by its name (in any case, when only one has it) or its id.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It cannot be read, or there is none, or several.
    """
    playlist_id = find_playlist_id(list_subsonic_playlists(web, server), name, place="the Subsonic server")
    playlist = _ask(web, server, "getPlaylist", id=playlist_id).get("playlist")
    found = clean_text(playlist.get("name")) if isinstance(playlist, dict) else ""
    return _read_children(found or name, _entries(playlist, "entry"))


def read_subsonic_starred(web: Web, server: SubsonicServer) -> SourcePlaylist:
    """What the user starred, as the playlist ``liked``."""
    return _read_children("liked", _entries(_ask(web, server, "getStarred2").get("starred2"), "song"))


def read_subsonic_newest(web: Web, server: SubsonicServer, *, n_albums: int = 50) -> SourcePlaylist:
    """The tracks of the albums that came into the library last."""
    n_asked = str(min(max(n_albums, 1), MAX_ALBUMS))
    listed = _ask(web, server, "getAlbumList2", type="newest", size=n_asked, offset="0").get("albumList2")
    tracks = [track for album in _entries(listed, "album") for track in _album_tracks(web, server, album)]
    return _read_children("newest albums", tracks)


def read_subsonic_library(web: Web, server: SubsonicServer) -> SourcePlaylist:
    """Every track of the server; only OpenSubsonic servers list them."""
    tracks: list[Mapping[str, Any]] = []
    for _ in range(_MAX_PAGES):
        page_of = {"songCount": str(PAGE_SIZE), "songOffset": str(len(tracks))}
        answer = _ask(web, server, "search3", None, query="", artistCount="0", albumCount="0", **page_of)
        page = _entries(answer.get("searchResult3"), "song")
        tracks += page
        if not page:
            return _read_children("library", tracks)
    raise UnreadableSource(f"the Subsonic server lists more than {len(tracks)} tracks")


def download_subsonic(web: Web, server: SubsonicServer, track_id: str, to: Path) -> None:
    """Put the original file of a track into a place.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It does not come; an error that the server sends as a success is one of the last kind.
    """
    call = Call(
        params=_log_in(server, id=track_id), max_bytes=1_000_000_000, deadline_s=600.0, rate_per_s=_RATE_PER_S
    )
    try:
        download(web, f"{server.url}/rest/download.view", to, call=call)
    except UnreadableSource as error:
        hint = "the track may be gone, or the user may lack the right to download"
        raise UnreadableSource(f"{error}: {hint}") from None


def write_subsonic_playlist(web: Web, server: SubsonicServer, name: str, track_ids: Sequence[str]) -> str:
    """Make a playlist of the server's own tracks, or replace the one of this name; return its id.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It was not written, or not wholly.
    """
    same = [key for key, listed in list_subsonic_playlists(web, server).items() if listed == name]
    if len(same) > 1:
        raise SourceUnavailable(
            f"the Subsonic server has {len(same)} playlists called {name!r}: rename all but one"
        )
    target = {"playlistId": same[0]} if same else {"name": name}
    created = _ask(web, server, "createPlaylist", ("songId", track_ids[:_BATCH]), **target).get("playlist")
    # Servers older than 1.14 do not say which one they made.
    made = created.get("id") if isinstance(created, dict) else None
    playlist_id = str(made) if made else same[0] if same else _id_of(web, server, name)
    for start in range(_BATCH, len(track_ids), _BATCH):
        batch = track_ids[start : start + _BATCH]
        _ask(web, server, "updatePlaylist", ("songIdToAdd", batch), playlistId=playlist_id)
    return playlist_id


def find_playlist_id(playlists: Mapping[str, str], name: str, *, place: str) -> str:
    """The id of the playlist with this name or id.

    Raises
    ------
    SourceUnavailable
        There is none, or there are several.
    """
    if name in playlists:
        return name
    for same in (name.__eq__, lambda listed: listed.casefold() == name.casefold()):
        ids = [playlist_id for playlist_id, listed in playlists.items() if same(listed)]
        if len(ids) == 1:
            return ids[0]
        if ids:
            raise SourceUnavailable(
                f"{place} has {len(ids)} playlists called {name!r}; their ids are {', '.join(ids)}"
            )
    known = ", ".join(sorted(playlists.values())[:20]) or "none"
    raise SourceUnavailable(f"{place} has no playlist called {name!r}; it has: {known}")


def _id_of(web: Web, server: SubsonicServer, name: str) -> str:
    return find_playlist_id(list_subsonic_playlists(web, server), name, place="the Subsonic server")


def _album_tracks(web: Web, server: SubsonicServer, album: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "id" not in album:
        return []
    return _entries(_ask(web, server, "getAlbum", id=str(album["id"])).get("album"), "song")


def _log_in(server: SubsonicServer, **params: str) -> tuple[tuple[str, str], ...]:
    salt = secrets.token_hex(8)
    token = hashlib.md5(f"{server.password}{salt}".encode(), usedforsecurity=False).hexdigest()
    own = {"u": server.user, "t": token, "s": salt, "v": API_VERSION, "c": "whichlist", "f": "json"}
    return tuple((own | params).items())


def _ask(
    web: Web,
    server: SubsonicServer,
    method: str,
    song_ids: tuple[str, Sequence[str]] | None = None,
    /,
    **params: str,
) -> Mapping[str, Any]:
    """The answer inside the envelope; failures come as successes here."""
    repeated = tuple((song_ids[0], track_id) for track_id in song_ids[1]) if song_ids else ()
    call = Call(
        params=_log_in(server, **params) + repeated,
        rate_per_s=_RATE_PER_S,
        repeatable=not method.startswith(("create", "update")),
    )
    answer = get_json(web, f"{server.url}/rest/{method}.view", call=call)
    envelope = answer.get("subsonic-response") if isinstance(answer, dict) else None
    if not isinstance(envelope, dict):
        raise UnreadableSource(f"the Subsonic server's answer to {method} has not the form of one")
    if envelope.get("status") != "ok":
        raise SourceUnavailable(
            f"the Subsonic server refuses {method}: {_read_failure(envelope.get('error'), server)}"
        )
    return envelope


def _read_failure(error: object, server: SubsonicServer) -> str:
    values = error if isinstance(error, dict) else {}
    message = clean_text(values.get("message")).replace(server.password, "...")[:200]
    return f"{message or 'it does not say why'} (code {clean_text(values.get('code')) or 'unknown'})"


def _entries(parent: object, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; old servers write a list of one as the one alone, and leave out empty ones."""
    found = parent.get(name) if isinstance(parent, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [entry for entry in listed if isinstance(entry, dict)]


def _read_children(name: str, children: Sequence[Mapping[str, Any]]) -> SourcePlaylist:
    rows: list[SourceRow] = []
    skipped: list[SkippedRow] = []
    for position, child in enumerate(children):
        kind = clean_text(child.get("type")) or "music"
        if child.get("isDir") or child.get("isVideo") or kind != "music":
            reason = f"it is of the kind {'video' if child.get('isVideo') else kind}"
            skipped.append(SkippedRow(position, "not_music", reason, clean_text(child.get("title"))))
        else:
            rows.append(_read_child(child))
    return SourcePlaylist(name, SOURCE, tuple(rows), tuple(skipped))


def _read_child(child: Mapping[str, Any]) -> SourceRow:
    return SourceRow(
        title=clean_text(child.get("title")),
        artist=clean_text(child.get("displayArtist")) or clean_text(child.get("artist")),
        album=clean_text(child.get("album")),
        duration_s=read_seconds(child.get("duration")),
        identities=tuple(_identities(child)),
        released=clean_text(child.get("year")),
    )


def _identities(child: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if track_id := clean_text(child.get("id")):
        yield SUBSONIC, track_id
    if mbid := read_mbid(child.get("musicBrainzId")):
        yield MBID, mbid
    isrcs = child.get("isrc")
    for value in isrcs if isinstance(isrcs, list) else [isrcs]:
        if isrc := read_isrc(value):
            yield ISRC, isrc
