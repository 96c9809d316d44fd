"""The user's own Subsonic server (Navidrome, gonic): playlists, liked tracks, new albums, files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from recommender.errors import SourceUnavailable, UnreadableSource
from recommender.records.rows import ISRC, MBID, SUBSONIC, SkippedRow, SourcePlaylist, SourceRow
from recommender.sources.rows.names import clean_text, read_isrc, read_mbid, read_seconds
from recommender.sources.servers.subsonic_calls import ask, entries, fetch_file
from recommender.sources.servers.subsonic_log_in import SubsonicServer
from recommender.sources.web.reading import Web

SOURCE = "subsonic"
MAX_ALBUMS = 500
PAGE_SIZE = 500
MAX_TRACKS = 1_000_000
_BATCH = 100  # ids in one URL; servers and proxies refuse long ones


def list_subsonic_playlists(web: Web, server: SubsonicServer) -> dict[str, str]:
    """id -> name of the playlists that the user may read."""
    listed = ask(web, server, "getPlaylists").get("playlists")
    return {str(p["id"]): clean_text(p.get("name")) for p in entries(listed, "playlist") if "id" in p}


def read_subsonic_playlist(web: Web, server: SubsonicServer, name: str) -> SourcePlaylist:
    """A playlist by its name (in any case, when only one has it) or its id.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It cannot be read, or there is none, or several.
    """
    playlist_id = find_playlist_id(list_subsonic_playlists(web, server), name, place="the Subsonic server")
    playlist = ask(web, server, "getPlaylist", id=playlist_id).get("playlist")
    found = clean_text(playlist.get("name")) if isinstance(playlist, dict) else ""
    return _read_children(found or name, entries(playlist, "entry"))


def read_subsonic_starred(web: Web, server: SubsonicServer) -> SourcePlaylist:
    """What the user starred, as the playlist ``liked``."""
    return _read_children("liked", entries(ask(web, server, "getStarred2").get("starred2"), "song"))


def read_subsonic_newest(web: Web, server: SubsonicServer, *, n_albums: int = 50) -> SourcePlaylist:
    """The tracks of the albums that came into the library last."""
    n_asked = str(min(max(n_albums, 1), MAX_ALBUMS))
    listed = ask(web, server, "getAlbumList2", type="newest", size=n_asked, offset="0").get("albumList2")
    tracks = [track for album in entries(listed, "album") for track in _album_tracks(web, server, album)]
    return _read_children("newest albums", tracks)


def read_subsonic_library(web: Web, server: SubsonicServer) -> SourcePlaylist:
    """Every track of the server; only servers that find all of them for an empty question list them.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It cannot be read, or does not come to an end.
    """
    rows: list[SourceRow] = []
    skipped: list[SkippedRow] = []
    known, n_read = set[str](), 0
    while n_read < MAX_TRACKS:
        page_of = {"songCount": str(PAGE_SIZE), "songOffset": str(n_read)}
        answer = ask(web, server, "search3", None, query="", artistCount="0", albumCount="0", **page_of)
        page = entries(answer.get("searchResult3"), "song")
        new = [child for child in page if clean_text(child.get("id")) not in known]
        known.update(clean_text(child.get("id")) for child in new)
        read = _read_children("library", new, start=len(rows) + len(skipped))
        rows += read.rows
        skipped += read.skipped
        n_read += len(page)
        if not new:  # the end, or a server that begins again
            return SourcePlaylist("library", SOURCE, tuple(rows), tuple(skipped))
    raise UnreadableSource(f"the Subsonic server lists more than {MAX_TRACKS:,} tracks")


def download_subsonic(web: Web, server: SubsonicServer, track_id: str, to: Path) -> None:
    """Put the original file of a track into a place.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
        It does not come; an error that the server sends as a success is one of the last kind.
    """
    try:
        fetch_file(web, server, track_id, to)
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
    created = ask(web, server, "createPlaylist", ("songId", track_ids[:_BATCH]), **target).get("playlist")
    # Servers older than 1.14 do not say which one they made.
    made = created.get("id") if isinstance(created, dict) else None
    playlist_id = str(made) if made else same[0] if same else _id_of(web, server, name)
    for start in range(_BATCH, len(track_ids), _BATCH):
        batch = track_ids[start : start + _BATCH]
        ask(web, server, "updatePlaylist", ("songIdToAdd", batch), playlistId=playlist_id)
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
    return entries(ask(web, server, "getAlbum", id=str(album["id"])).get("album"), "song")


def _read_children(name: str, children: Sequence[Mapping[str, Any]], *, start: int = 0) -> SourcePlaylist:
    rows: list[SourceRow] = []
    skipped: list[SkippedRow] = []
    for position, child in enumerate(children, start):
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
