"""Which tracks a list holds that is to be sent somewhere: a playlist's own, or what a feed has for it."""

from dataclasses import replace

from sqlalchemy.orm import Session

from recommender.catalogue import find_playlist, list_feeds, playlist_tracks, track_identities
from recommender.errors import NoSuchFeed
from recommender.feed_results import ResultOptions, read_results
from recommender.playlist_exchange import playlist_for_export
from recommender.settings import Settings
from recommender.sources.feeds import find_source
from recommender.sources.rows import SourceRow


def playlist_to_send(session: Session, name: str, *, group: str) -> dict[int, SourceRow]:
    """Track id -> what names it, for the tracks of a playlist in their order.

    Raises
    ------
    NoSuchPlaylist
    """
    playlist = find_playlist(session, name, group=group)
    rows = playlist_for_export(session, playlist.id).rows
    return dict(zip(playlist_tracks(session, playlist.id), rows, strict=True))


def recommendations_to_send(
    session: Session, settings: Settings, name: str, *, feed: str
) -> dict[int, SourceRow]:
    """The same for what a feed has for a playlist, the most probable first.

    ``feed`` is the feed's id, or its source as it was given when it was scored.

    Raises
    ------
    NoSuchFeed, NoSuchPlaylist, UnknownFeed
    """
    results = read_results(session, settings, _find_feed(session, feed), ResultOptions(settings.alpha, name))
    listed = {track.track: track.row for playlist in results.playlists for track in playlist.tracks}
    known = track_identities(session, listed)
    return {
        track_id: replace(row, identities=tuple(dict.fromkeys((*row.identities, *known.get(track_id, ())))))
        for track_id, row in listed.items()
    }


def _find_feed(session: Session, feed: str) -> int:
    if feed.isascii() and feed.isdecimal() and len(feed) < 10:
        return int(feed)
    reference = find_source(feed).reference
    for found in list_feeds(session):
        if found.reference == reference:
            return found.id
    raise NoSuchFeed(f"{feed[:200]!r} was never scored: `whichlist score-feed` does it")
