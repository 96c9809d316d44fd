"""Playlists in JSON: JSPF, and what Spotify sends who asks for the data of their account."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from recommender.errors import UnreadableSource
from recommender.records.rows import SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.xspf import MAX_TEXTS, VLC_APPLICATION, VLC_OPTION, row_of_members
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.names import clean_text, read_seconds, read_spotify

MAX_VALUES = 2_000_000  # lists and dictionaries: each takes much more memory than text
LIKED_NAME = "Liked Songs"
_JSPF_MEMBERS = ("title", "creator", "album", "duration", "location", "identifier")
_LOCAL = "spotify:local:"


def parse_json(text: str) -> Any:
    """The document in a text.

    Raises
    ------
    UnreadableSource
        It is no JSON.
    """
    if text.count("{") + text.count("[") > MAX_VALUES:
        raise UnreadableSource("the JSON holds far more than a list of tracks")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(f"the JSON is damaged: {error}") from error


def read_json(document: Any, *, name: str, folder: str | None) -> list[SourcePlaylist]:
    """The playlists in a JSON document.

    Raises
    ------
    UnreadableSource
        The document is of no kind that is known; the message names what it holds.
    """
    members = document if isinstance(document, dict) else {}
    playlist = members.get("playlist")
    if isinstance(playlist, dict) and "track" in playlist:
        return [_read_jspf(playlist, name=name, folder=folder)]
    if isinstance(members.get("playlists"), list):
        return [_read_account_playlist(entry) for entry in _playlists(members["playlists"])]
    if isinstance(members.get("tracks"), list):
        return [_read_account_library(members["tracks"])]
    seen = ", ".join(clean_text(key)[:40] for key in list(members)[:10]) or "no names"
    raise UnreadableSource(
        f"the JSON holds {seen}; a JSPF holds `playlist` with `track`, the account data of Spotify holds"
        " `playlists` (Playlist1.json) or `tracks` (YourLibrary.json)"
    )


def _read_jspf(playlist: dict[str, Any], *, name: str, folder: str | None) -> SourcePlaylist:
    collector = RowCollector()
    for track in _dictionaries(playlist["track"]):
        members = {member: _texts(track.get(member)) for member in _JSPF_MEMBERS}
        members[VLC_OPTION] = _vlc_options(track.get("extension"))
        collector.add(row_of_members(members, folder=folder), text=str(track)[:200])
    return collector.playlist(clean_text(playlist.get("title")) or name, "jspf")


def _vlc_options(extension: Any) -> list[str]:
    """What an extension says of the part of a file that is meant."""
    found = extension.get(VLC_APPLICATION) if isinstance(extension, dict) else None
    options = [entry.get("option") for entry in found or () if isinstance(entry, dict)]
    return [option for option in options[:MAX_TEXTS] if isinstance(option, str)]


def _read_account_playlist(entry: dict[str, Any]) -> SourcePlaylist:
    collector = RowCollector()
    for item in _dictionaries(entry.get("items") or entry.get("tracks")):
        track = item.get("track") if "items" in entry else item
        local = item.get("localTrack")
        if isinstance(track, dict):
            collector.add(_account_row(track, ("trackName", "artistName", "albumName", "trackUri")))
        elif isinstance(local, dict | str):
            collector.add(_local_row(local))
        elif item.get("episode") or item.get("audiobook"):
            collector.skip("episode", "it is an episode of a podcast or an audiobook, no track")
        else:
            collector.skip("no_name", "Spotify says nothing of it: it may have been withdrawn")
    return collector.playlist(clean_text(entry.get("name")), SPOTIFY)


def _read_account_library(tracks: list[Any]) -> SourcePlaylist:
    collector = RowCollector()
    for track in _dictionaries(tracks):
        collector.add(_account_row(track, ("track", "artist", "album", "uri")))
    return collector.playlist(LIKED_NAME, SPOTIFY)


def _account_row(track: dict[str, Any], names: tuple[str, str, str, str]) -> SourceRow:
    title, artist, album, uri = (clean_text(track.get(name)) for name in names)
    spotify = read_spotify(uri)
    return SourceRow(
        title=title, artist=artist, album=album, identities=((SPOTIFY, spotify),) if spotify else ()
    )


def _local_row(local: dict[str, Any] | str) -> SourceRow:
    """A file of the user's own: ``spotify:local:Artist:Album:Title:seconds``, each escaped."""
    uri = local if isinstance(local, str) else local.get("uri")
    if not isinstance(uri, str) or not uri.startswith(_LOCAL):
        return SourceRow()
    parts = [clean_text(unquote_plus(part)) for part in uri.removeprefix(_LOCAL).split(":")]
    artist, album, title, seconds = (*parts, "", "", "", "")[:4]
    return SourceRow(title=title, artist=artist, album=album, duration_s=read_seconds(seconds))


def _playlists(entries: list[Any]) -> list[dict[str, Any]]:
    refuse_too_many(0, len(entries))
    return list(_dictionaries(entries))


def _dictionaries(values: object) -> Iterator[dict[str, Any]]:
    """Each entry of a list; one that holds nothing by name is an empty one, so that it is counted."""
    if isinstance(values, list):
        yield from (value if isinstance(value, dict) else {} for value in values)


def _texts(value: object) -> list[str]:
    """A member of JSPF stands once or in a list."""
    values = value[:MAX_TEXTS] if isinstance(value, list) else [value]
    return [
        str(text) for text in values if isinstance(text, str | int | float) and not isinstance(text, bool)
    ]
