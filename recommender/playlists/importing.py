"""A playlist of a source becomes one of the catalogue: its rows matched, stored, and turned into members."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from recommender.catalogue.identities import remember_spotify_ids
from recommender.catalogue.imported_rows import match_report, store_rows
from recommender.catalogue.origins import keep_origin
from recommender.catalogue.playlists import (
    count_trainable,
    create_playlist,
    find_playlist,
    get_playlist,
    playlist_tracks,
    set_members,
    tracks_from,
)
from recommender.catalogue.registered_names import spotify_ids_of
from recommender.catalogue.tracks import tracks_by_id
from recommender.catalogue.verdicts import FEEDBACK, lay_verdicts_over, with_feedback
from recommender.errors import NoSuchPlaylist, PlaylistExists
from recommender.matching.identity import match_rows
from recommender.playlists.members import IfExists, add_tracks, refuse_taken, would_lose
from recommender.records.matches import ImportReport, Match, Method, ReportRow, RowState, Strength
from recommender.records.playlists import DEFAULT_GROUP, Origin, PlaylistInfo
from recommender.records.rows import SPOTIFY, SkippedRow, SourcePlaylist, SourceRow
from recommender.records.tracks import known_artist

SPOTIFY_REFUSAL = (
    "this playlist came from Spotify, whose Developer Policy (III.14) and Developer Terms (IV.2.1) forbid"
    " training a machine-learning model on what it provides: it is kept and shown, and left out of training"
    " unless the operator sets WHICHLIST_SPOTIFY_TRAINING=allow"
)


def import_playlist(
    session: Session,
    playlist: SourcePlaylist,
    *,
    group: str = DEFAULT_GROUP,
    name: str | None = None,
    matches: Sequence[Match] | None = None,
    allow_spotify: bool = False,
    if_exists: IfExists | None = None,
    origin: Origin | None = None,
    keep_gone: bool = False,
) -> ImportReport:
    """Make the matched rows of a playlist, in their order, the members of one in the catalogue.

    Each track is a member once, however often it is named. A playlist that was imported from the same
    kind of source under this name before is brought up to date. Fitting again is for the caller, when
    ``members_changed`` and ``n_trainable`` say that it is worth it.

    Parameters
    ----------
    name : str, optional
        Stands in for the playlist's own.
    matches : sequence of Match, optional
        What :func:`match_rows` said of ``playlist.rows``; asked here when not given, which keeps the
        transaction open for longer.
    allow_spotify : bool
        Whether the operator lets Whichlist train on what came from Spotify.
    if_exists : IfExists, optional
        What to do with a playlist of this name that would lose songs; without it one that came from the same
        kind of source is brought up to date, as a server's is.
    origin : Origin, optional
        Where it can be read again; :mod:`recommender.playlists.following` does so.
    keep_gone : bool
        Whether what an earlier import brought in stays, at the end, where no row brings it in any more.

    Raises
    ------
    PlaylistExists
        The group has a playlist of this name that came from elsewhere, or would lose songs.
    """
    matches = match_rows(session, playlist.rows) if matches is None else matches
    rows = tuple(_report_rows(playlist, matches))
    used = [row for row in rows if row.is_used and row.match.track_id is not None]
    track_ids = list(dict.fromkeys(row.match.track_id for row in used if row.match.track_id is not None))
    name = name or playlist.name or "imported"
    target = _find_target(session, playlist, group=group, name=name, if_exists=if_exists, becomes=track_ids)
    gone: list[int] = []
    if if_exists is IfExists.ADD and target.n_tracks:
        changed = add_tracks(session, target.id, track_ids) > 0
        store_rows(session, target.id, _behind(match_report(session, target.id).rows, rows))
    else:
        store_rows(session, target.id, rows)
        gone = [t for t in tracks_from(session, target.id, playlist.source) if t not in set(track_ids)]
        given = [*track_ids, *gone] if keep_gone else track_ids
        changed = with_feedback(session, target.id, given) != playlist_tracks(session, target.id)
        if changed:
            set_members(session, target.id, given, source=playlist.source)
        else:  # what the source says of a track is noted below the user's word on it
            lay_verdicts_over(session, target.id, given, source=playlist.source)
        keep_origin(session, target.id, origin)
    remember_spotify_ids(session, _spotify_ids(used))
    refused = playlist.source == SPOTIFY and not allow_spotify
    members = set(playlist_tracks(session, target.id))
    names = _names(session, [t for t in (*track_ids, *gone) if t in gone or t not in members])
    return ImportReport(
        playlist=get_playlist(session, target.id),
        rows=match_report(session, target.id).rows,
        members_changed=changed,
        n_trainable=count_trainable(session, target.id, allow_spotify=allow_spotify),
        refusal=SPOTIFY_REFUSAL if refused else "",
        kept_out=tuple(names[t] for t in track_ids if t not in members),
        went=tuple(names[t] for t in gone),
    )


def _names(session: Session, track_ids: Sequence[int]) -> dict[int, str]:
    infos = tracks_by_id(session, track_ids)
    return {t: " - ".join(filter(None, (known_artist(infos[t].artist), infos[t].title))) for t in track_ids}


def _behind(before: Sequence[ReportRow], rows: Sequence[ReportRow]) -> tuple[ReportRow, ...]:
    """The rows of an earlier import, then those that are added, numbered on."""
    return (*before, *(replace(row, row=len(before) + row.row) for row in rows))


def _find_target(
    session: Session,
    playlist: SourcePlaylist,
    *,
    group: str,
    name: str,
    if_exists: IfExists | None,
    becomes: Sequence[int],
) -> PlaylistInfo:
    """The playlist to fill: a new one, an empty one, or one that is to be changed."""
    try:
        found = find_playlist(session, name, group=group)
    except NoSuchPlaylist:
        return create_playlist(session, name=name, group=group, source=playlist.source)
    if if_exists is IfExists.REFUSE and found.n_tracks and would_lose(session, found, becomes):
        refuse_taken(found)
    if if_exists in (IfExists.ADD, IfExists.REPLACE):
        return found
    # What the user's feedback brought in stays, whatever is imported into it.
    if found.n_tracks and found.source not in (playlist.source, FEEDBACK):
        raise PlaylistExists(
            f"the group {group!r} already has a playlist {name!r}, and it does not come from such a source"
            f" ({found.source}, not {playlist.source}): import under another name"
        )
    return found


def _report_rows(playlist: SourcePlaylist, matches: Sequence[Match]) -> Iterator[ReportRow]:
    """Matched and skipped rows in the source's own order, numbered from 1."""
    pairs = iter(zip(playlist.rows, matches, strict=True))
    row = 0
    for skipped in sorted(playlist.skipped, key=lambda entry: entry.position):
        while row < skipped.position and (pair := next(pairs, None)) is not None:
            row += 1
            yield ReportRow(row, playlist.source, *pair, _state_of(pair[1]))
        row += 1
        yield _skipped_row(row, playlist.source, skipped)
    for pair in pairs:
        row += 1
        yield ReportRow(row, playlist.source, *pair, _state_of(pair[1]))


def _skipped_row(row: int, source: str, skipped: SkippedRow) -> ReportRow:
    match = Match(None, Strength.NONE, Method.NONE, 0.0, note=skipped.reason)
    return ReportRow(row, source, SourceRow(title=skipped.text), match, RowState.SKIPPED, skipped.code)


def _state_of(match: Match) -> RowState:
    """A decision remembered from an earlier import stays a person's."""
    if match.method is not Method.DECISION:
        return RowState.AUTOMATIC
    return RowState.REJECTED if match.track_id is None else RowState.CHOSEN


def _spotify_ids(rows: Sequence[ReportRow]) -> list[tuple[int, str]]:
    named = ((row.match.track_id, value) for row in rows for value in spotify_ids_of(row.asked))
    return [(track_id, value) for track_id, value in named if track_id is not None]
