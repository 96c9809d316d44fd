"""The user's word on single memberships, and how it lies over what folders and imports say."""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import insert_or_keep, insert_or_update
from recommender.catalogue.tables.playlists import Feedback, Membership, Playlist, PlaylistGroup
from recommender.catalogue.tracks import SPOTIFY
from recommender.records.playlists import FeedbackInfo

FEEDBACK = "feedback"


class MembershipVerdict(StrEnum):
    """Whether a track belongs into a playlist, whatever else says."""

    RIGHT = "right"
    WRONG = "wrong"


def list_feedback(session: Session, track_id: int) -> list[FeedbackInfo]:
    """What the user said of a track, by group and playlist."""
    statement = (
        select(Playlist.id, Playlist.name, PlaylistGroup.name, Feedback.verdict, Feedback.created_at)
        .join(Playlist, Playlist.id == Feedback.playlist_id)
        .join(PlaylistGroup, PlaylistGroup.id == Playlist.group_id)
        .where(Feedback.track_id == track_id)
        .order_by(PlaylistGroup.name, Playlist.name)
    )
    return [FeedbackInfo(*row) for row in session.execute(statement)]


def verdicts_in_group(session: Session, group: str) -> dict[int, dict[int, str]]:
    """Track id -> playlist id -> verdict, of the playlists of a group."""
    statement = (
        select(Feedback.track_id, Feedback.playlist_id, Feedback.verdict)
        .join(Playlist, Playlist.id == Feedback.playlist_id)
        .join(PlaylistGroup, PlaylistGroup.id == Playlist.group_id)
        .where(PlaylistGroup.name == group)
    )
    found: dict[int, dict[int, str]] = {}
    for track_id, playlist_id, verdict in session.execute(statement):
        found.setdefault(track_id, {})[playlist_id] = verdict
    return found


def settled_memberships(session: Session) -> set[tuple[int, str]]:
    """(track id, playlist name) of every membership that the user spoke of: nobody need doubt it any more."""
    statement = select(Feedback.track_id, Playlist.name).join(Playlist, Playlist.id == Feedback.playlist_id)
    return set(session.execute(statement).tuples())


def with_feedback(session: Session, playlist_id: int, track_ids: Sequence[int]) -> list[int]:
    """The tracks of a playlist whose source gives ``track_ids``: no wrong ones, and the right ones last."""
    verdicts = _verdicts(session, playlist_id)
    given = dict.fromkeys(int(track_id) for track_id in track_ids)
    kept = [track_id for track_id in given if verdicts.get(track_id) != MembershipVerdict.WRONG]
    added = [t for t, verdict in verdicts.items() if verdict == MembershipVerdict.RIGHT and t not in given]
    return kept + added


def lay_verdicts_over(
    session: Session, playlist_id: int, track_ids: Sequence[int], *, source: str
) -> list[dict[str, Any]]:
    """The membership rows of a playlist whose source gives ``track_ids``; what they replace is noted.

    So a verdict can be withdrawn later, and what the source said last holds again.
    """
    verdicts = _verdicts(session, playlist_id)
    given = {int(t): position for position, t in enumerate(dict.fromkeys(track_ids))}
    for track_id in verdicts:
        is_given = track_id in given
        values = {"member_source": source if is_given else None, "member_position": given.get(track_id)}
        session.execute(update(Feedback).where(*_mine(playlist_id, track_id)).values(values))
    added = {t: len(given) + n for n, t in enumerate(verdicts) if t not in given}
    return [
        _row(playlist_id, t, position, FEEDBACK if t in verdicts else source)
        for t, position in (given | added).items()
        if verdicts.get(t, MembershipVerdict.RIGHT) == MembershipVerdict.RIGHT
    ]


def record_verdict(session: Session, playlist_id: int, track_id: int, verdict: MembershipVerdict) -> bool:
    """Keep the user's word on a membership; whether that changes what is learnt."""
    before = _membership(session, playlist_id, track_id)
    known = session.get(Feedback, (playlist_id, track_id), populate_existing=True)
    source, position = (known.member_source, known.member_position) if known else before or (None, None)
    if known is not None and known.verdict == verdict:
        return False
    row = {
        "playlist_id": playlist_id,
        "track_id": track_id,
        "verdict": verdict.value,
        "member_source": source,
        "member_position": position,
        "created_at": time.time(),
    }
    insert_or_update(session, Feedback, row, ("playlist_id", "track_id"))
    if verdict == MembershipVerdict.WRONG:
        return _replace(session, playlist_id, track_id, before, None)
    return _replace(session, playlist_id, track_id, before, (FEEDBACK, position))


def withdraw_verdict(session: Session, playlist_id: int, track_id: int) -> bool:
    """Forget the user's word, so that the source's holds again; whether that changes what is learnt."""
    gone = session.execute(
        delete(Feedback)
        .where(*_mine(playlist_id, track_id))
        .returning(Feedback.member_source, Feedback.member_position)
    ).first()
    if gone is None:
        return False
    source, position = gone
    after = None if source is None else (source, position)
    return _replace(session, playlist_id, track_id, _membership(session, playlist_id, track_id), after)


def forget_verdicts(session: Session, playlist_id: int) -> None:
    """Forget what was said of a playlist's tracks; its members stay as they are."""
    session.execute(delete(Feedback).where(Feedback.playlist_id == playlist_id))


def _verdicts(session: Session, playlist_id: int) -> dict[int, str]:
    """Track id -> verdict, the oldest first."""
    mine = select(Feedback.track_id, Feedback.verdict).where(Feedback.playlist_id == playlist_id)
    rows = session.execute(mine.order_by(Feedback.created_at, Feedback.track_id))
    return dict(rows.tuples().all())


def _membership(session: Session, playlist_id: int, track_id: int) -> tuple[str, int] | None:
    mine = (Membership.playlist_id == playlist_id, Membership.track_id == track_id)
    found = session.execute(select(Membership.source, Membership.position).where(*mine)).first()
    return None if found is None else (found[0], found[1])


def _replace(
    session: Session,
    playlist_id: int,
    track_id: int,
    before: tuple[str, int] | None,
    after: tuple[str, int | None] | None,
) -> bool:
    """Give a track the place ``after`` (source, position) in a playlist; a new place is the last one."""
    mine = (Membership.playlist_id == playlist_id, Membership.track_id == track_id)
    session.execute(delete(Membership).where(*mine))
    if after is not None:
        source, position = after
        if position is None:
            last = select(func.max(Membership.position)).where(Membership.playlist_id == playlist_id)
            position = 1 + (session.execute(last).scalar_one_or_none() or 0)
        insert_or_keep(session, Membership, [_row(playlist_id, track_id, position, source)])
    is_changed = _is_learnt(before) != _is_learnt(after)
    if is_changed:
        changed = update(Playlist).where(Playlist.id == playlist_id)
        session.execute(changed.values(changed_at=time.time()))
    return is_changed


def _is_learnt(place: tuple[str, int | None] | None) -> bool:
    """A place that came from Spotify is not learnt from unless the operator says so; the user's word is."""
    return place is not None and place[0] != SPOTIFY


def _row(playlist_id: int, track_id: int, position: int, source: str) -> dict[str, Any]:
    return {"playlist_id": playlist_id, "track_id": track_id, "position": position, "source": source}


def _mine(playlist_id: int, track_id: int) -> tuple[Any, Any]:
    return Feedback.playlist_id == playlist_id, Feedback.track_id == track_id
