"""Feedback on a track: liked, disliked, or the playlist that it does or does not belong into."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from recommender.catalogue.playlists import create_playlist, find_playlist, list_playlists, track_playlists
from recommender.catalogue.tables.playlists import PlaylistGroup
from recommender.catalogue.verdicts import (
    FEEDBACK,
    MembershipVerdict,
    list_feedback,
    record_verdict,
    withdraw_verdict,
)
from recommender.errors import NoSuchPlaylist, PlaylistExists
from recommender.records.playlists import TASTE, FeedbackVerdict, PlaylistInfo


def give_feedback(
    session: Session, track_id: int, verdict: FeedbackVerdict, *, playlist: PlaylistInfo | None = None
) -> bool:
    """Put a track where the user says that it belongs, for good; whether that changes what is learnt.

    A track that is right in one playlist leaves those of its group that it was in by feedback alone; one
    that is liked is not disliked, whatever folder says so.

    Parameters
    ----------
    playlist : PlaylistInfo
        The playlist that is right or wrong; none with liked and disliked, which have their own.
    """
    playlist = playlist or _taste_playlist(session, verdict)
    _lock_group(session, playlist.group_id)
    if verdict == FeedbackVerdict.WRONG:
        return record_verdict(session, playlist.id, track_id, MembershipVerdict.WRONG)
    said = {row.playlist_id: row.verdict for row in list_feedback(session, track_id)}
    is_changed = False
    for other in sorted(list_playlists(session, group=playlist.group), key=lambda other: other.id):
        if other.id == playlist.id:
            is_changed |= record_verdict(session, other.id, track_id, MembershipVerdict.RIGHT)
        elif said.get(other.id) == MembershipVerdict.RIGHT:
            is_changed |= withdraw_verdict(session, other.id, track_id)
    if verdict.is_taste:
        is_changed |= _contradict(session, track_id, playlist, verdict)
    return is_changed


def withdraw_feedback(session: Session, track_id: int, *, playlist_id: int | None = None) -> bool:
    """Forget what was said of a track, or of it and one playlist; whether that changes what is learnt."""
    is_changed = False
    for row in sorted(list_feedback(session, track_id), key=lambda row: row.playlist_id):
        if playlist_id is None or row.playlist_id == playlist_id:
            is_changed |= withdraw_verdict(session, row.playlist_id, track_id)
    return is_changed


def _taste_playlist(session: Session, verdict: FeedbackVerdict) -> PlaylistInfo:
    """The playlist of a liked or disliked track, made when first needed."""
    try:
        return find_playlist(session, verdict, group=TASTE)
    except NoSuchPlaylist:
        try:
            return create_playlist(session, name=verdict, group=TASTE, source=FEEDBACK)
        except PlaylistExists:  # somebody else was as quick
            return find_playlist(session, verdict, group=TASTE)


def _contradict(session: Session, track_id: int, playlist: PlaylistInfo, verdict: FeedbackVerdict) -> bool:
    """Take the track out of the opposite playlist, whoever put it there."""
    opposite = FeedbackVerdict.DISLIKED if verdict == FeedbackVerdict.LIKED else FeedbackVerdict.LIKED
    holding = [p for p in track_playlists(session, track_id) if p.group_id == playlist.group_id]
    wrong = next((p.id for p in holding if p.name == opposite), None)
    return wrong is not None and record_verdict(session, wrong, track_id, MembershipVerdict.WRONG)


def _lock_group(session: Session, group_id: int) -> None:
    """Let two who speak of one group do so one after the other."""
    session.execute(select(PlaylistGroup.id).where(PlaylistGroup.id == group_id).with_for_update())
