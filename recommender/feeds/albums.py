"""Releases of which a source names no track: the library's own tracks of that album stand for them."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy.orm import Session

from recommender.catalogue.identities import NamedTrack, named_tracks
from recommender.feeds.same_recording import fold
from recommender.records.feeds import ALBUM, FeedRow
from recommender.records.rows import RELEASE_GROUP, SourceRow

_REASON = "a release; each of its tracks that the library has is an item of its own"


def expand_albums(session: Session, rows: Iterable[FeedRow]) -> list[FeedRow]:
    """The rows, and behind each release that the library has a row for every track of it."""
    rows = list(rows)
    if not any(_is_album(row) for row in rows):
        return rows
    by_album: dict[tuple[str, str], list[NamedTrack]] = defaultdict(list)
    for track in named_tracks(session):
        if track.album:
            by_album[fold(track.artist), fold(track.album)].append(track)
    expanded = []
    for row in rows:
        known = by_album.get((fold(row.row.artist), fold(row.row.album)), []) if _is_album(row) else []
        expanded.append(FeedRow(row.row, row.stamp, ALBUM, _REASON) if known else row)
        expanded += [FeedRow(_track_row(row.row, track)) for track in known]
    return expanded


def _is_album(row: FeedRow) -> bool:
    named = row.row
    return not (row.code or named.title or named.path or named.url) and bool(named.artist and named.album)


def _track_row(release: SourceRow, track: NamedTrack) -> SourceRow:
    return SourceRow(
        title=track.title,
        artist=track.artist,
        album=track.album,
        duration_s=track.duration_s,
        identities=tuple(pair for pair in release.identities if pair[0] == RELEASE_GROUP),
        released=release.released,
    )
