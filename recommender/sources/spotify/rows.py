"""What Spotify sends for one place of a playlist, cut down to what names a track, and as a row."""

from typing import Any

from recommender.records.rows import ISRC, SPOTIFY, SourceRow
from recommender.sources.rows.collecting import RowCollector
from recommender.sources.rows.names import clean_text, read_isrc, read_seconds, read_spotify

Slim = dict[str, Any]
GONE, EPISODE, LOCAL, OTHER_KIND = "withdrawn", "episode", "local_file", "not_music"


def slim_entry(entry: object) -> Slim | None:
    """An entry of a page: its track is called ``item`` in playlists, ``track`` elsewhere; None when gone."""
    if not isinstance(entry, dict):
        return None
    track = entry.get("item")
    track = track if isinstance(track, dict) else entry.get("track")
    if not isinstance(track, dict):
        return None
    return slim_track(track) | ({"is_local": True} if entry.get("is_local") is True else {})


def slim_track(track: dict[str, Any]) -> Slim:
    """A track without what Whichlist has no use for."""
    album, external = _members(track.get("album")), _members(track.get("external_ids"))
    artists = track.get("artists")
    named = (
        [clean_text(_members(artist).get("name")) for artist in artists] if isinstance(artists, list) else []
    )
    return {
        "kind": clean_text(track.get("type")) or "track",
        "uri": clean_text(track.get("uri")),
        "title": clean_text(track.get("name")),
        "artist": ", ".join(name for name in named if name),
        "album": clean_text(album.get("name")),
        "released": clean_text(album.get("release_date")),
        "duration_ms": track.get("duration_ms")
        if isinstance(track.get("duration_ms"), int | float)
        else None,
        "isrc": clean_text(external.get("isrc")),
        "is_local": track.get("is_local") is True,
    }


def add_slim(collector: RowCollector, slim: Slim | None) -> None:
    """Take what an entry names, or leave it out with the reason.

    A local file of the user's own that Spotify only lists is looked for by its names, like any other.
    """
    if slim is None:
        collector.skip(GONE, "Spotify says nothing of it: it may have been withdrawn")
    elif slim["kind"] == "episode":
        collector.skip(EPISODE, "it is an episode of a podcast or an audiobook, no track", text=slim["title"])
    elif slim["kind"] != "track":
        collector.skip(OTHER_KIND, f"it is of the kind {slim['kind']}", text=slim["title"])
    elif slim["is_local"] and not (slim["title"] and slim["artist"]):
        collector.skip(LOCAL, "it is a file of your own, of which Spotify knows no names", text=slim["title"])
    else:
        collector.add(row_of(slim))


def row_of(slim: Slim) -> SourceRow:
    """A track as a row."""
    spotify, isrc = read_spotify(slim["uri"]), read_isrc(slim["isrc"])
    identities = ((SPOTIFY, spotify),) if spotify else ()
    return SourceRow(
        title=slim["title"],
        artist=slim["artist"],
        album=slim["album"],
        duration_s=read_seconds(slim["duration_ms"], per_second=1000.0),
        identities=identities + (((ISRC, isrc),) if isrc else ()),
        released=slim["released"],
    )


def _members(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
