"""What a person decides of the songs of a feed: accepted into a playlist, in none of theirs, or open again.

A decision is the person's word on memberships: it outlasts scans and imports, is learnt within seconds, and
is taken back as if it had never been.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

from recommender.catalogue.decisions import record_decision
from recommender.catalogue.feed_items import find_items
from recommender.catalogue.feeds import lock_feed
from recommender.catalogue.playlists import get_playlist, list_playlists
from recommender.catalogue.verdicts import (
    MembershipVerdict,
    list_feedback,
    record_verdict,
    withdraw_verdict,
)
from recommender.errors import NoSuchPlaylist
from recommender.playlists.feedback import REASON
from recommender.playlists.members import queue_learning
from recommender.records.feeds import FeedItemInfo

ITEM_GONE, TRACK_GONE, DECIDED_MEANWHILE = "item_gone", "track_gone", "decided_meanwhile"


class DecisionKind(StrEnum):
    """What can be decided of a song; ``open`` takes back what was."""

    ACCEPTED = "accepted"
    NONE = "none"
    OPEN = "open"


@dataclass(frozen=True)
class Wish:
    """What somebody wants decided of an item.

    ``stamp`` is that of the decision which they see, None where they see none: what another tab decided
    meanwhile is not overruled unseen. ``ruled_out`` are the playlists that were proposed and are wrong.
    """

    item_id: int
    kind: DecisionKind
    playlist_id: int | None = None
    stamp: str | None = None
    ruled_out: tuple[int, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A wish that was not done, and why."""

    item_id: int
    code: str
    sentence: str


@dataclass(frozen=True)
class Decided:
    """The items that are as wished now, the others, and the job that learns it if anything has to be."""

    item_ids: tuple[int, ...]
    refused: tuple[Refusal, ...]
    job_id: int | None


def decide(session: Any, feed_id: int, wishes: Sequence[Wish]) -> Decided:
    """Do what is wished, each for itself; belongs into the caller's transaction.

    Raises
    ------
    NoSuchFeed
    """
    lock_feed(session, feed_id)
    items = find_items(session, feed_id, [wish.item_id for wish in wishes])
    done, refused, is_changed = [], [], False
    for wish in wishes:
        item = items.get(wish.item_id)
        refusal = _refuse(session, item, wish)
        if item is None or refusal is not None:
            refused.append(refusal or Refusal(wish.item_id, ITEM_GONE, "it is not in this batch any more"))
            continue
        is_changed |= _carry_out(session, item, wish)
        done.append(wish.item_id)
    job_id = queue_learning(session, REASON) if is_changed else None
    return Decided(tuple(done), tuple(refused), job_id)


def _refuse(session: Any, item: FeedItemInfo | None, wish: Wish) -> Refusal | None:
    if item is None:
        return None
    if item.track_id is None:
        return Refusal(wish.item_id, TRACK_GONE, "the library does not hold this song")
    if _is_as_wished(item, wish):
        return None
    stamp = None if item.decision is None else item.decision["stamp"]
    if stamp != wish.stamp:
        return Refusal(wish.item_id, DECIDED_MEANWHILE, f"meanwhile it was {_tell(item.decision)}")
    if wish.kind is DecisionKind.ACCEPTED:
        try:
            get_playlist(session, wish.playlist_id or 0)
        except NoSuchPlaylist:
            return Refusal(wish.item_id, NoSuchPlaylist.code, "the playlist was removed meanwhile")
    return None


def _tell(decision: Mapping[str, Any] | None) -> str:
    if decision is None:
        return "opened again"
    is_none = decision["kind"] == DecisionKind.NONE
    return "said to fit none" if is_none else f"put into {decision['playlist']!r}"


def _is_as_wished(item: FeedItemInfo, wish: Wish) -> bool:
    if item.decision is None:
        return wish.kind is DecisionKind.OPEN
    return (item.decision["kind"], item.decision["playlist_id"]) == (wish.kind, wish.playlist_id)


def _carry_out(session: Any, item: FeedItemInfo, wish: Wish) -> bool:
    """Whether that changes what is learnt."""
    if _is_as_wished(item, wish):
        return False
    assert item.track_id is not None
    is_changed = _take_back(session, item.track_id, item.decision)
    if wish.kind is DecisionKind.OPEN:
        record_decision(session, item.id, None)
        return is_changed
    said = {row.playlist_id: row.verdict for row in list_feedback(session, item.track_id)}
    words = _words(session, wish)
    for playlist_id, verdict in words.items():
        is_changed |= record_verdict(session, playlist_id, item.track_id, verdict)
    accepted = None if wish.playlist_id is None else get_playlist(session, wish.playlist_id).name
    decision = {
        "kind": wish.kind.value,
        "playlist_id": wish.playlist_id,
        "playlist": accepted,
        "before": {str(playlist_id): said.get(playlist_id) for playlist_id in words},
        "stamp": uuid4().hex,
        "at": time.time(),
    }
    record_decision(session, item.id, decision)
    return is_changed


def _words(session: Any, wish: Wish) -> dict[int, MembershipVerdict]:
    """Playlist id -> what the decision says of it."""
    if wish.playlist_id is not None:
        return {wish.playlist_id: MembershipVerdict.RIGHT}
    there = {playlist.id for playlist in list_playlists(session)} if wish.ruled_out else set()
    return {p: MembershipVerdict.WRONG for p in dict.fromkeys(wish.ruled_out) if p in there}


def _take_back(session: Any, track_id: int, decision: Mapping[str, Any] | None) -> bool:
    """Undo what a decision said, to the word that stood before it; whether that changes what is learnt."""
    before = {} if decision is None else decision["before"]
    there = {playlist.id for playlist in list_playlists(session)} if before else set()
    is_changed = False
    for key, verdict in before.items():
        if int(key) not in there:
            continue
        if verdict is None:
            is_changed |= withdraw_verdict(session, int(key), track_id)
        else:
            is_changed |= record_verdict(session, int(key), track_id, MembershipVerdict(verdict))
    return is_changed
