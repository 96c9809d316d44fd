"""A feed as a list to be sorted: each song with the playlist that is proposed, and how sure that is.

Songs are placed when somebody looks, by the model of now and from the embeddings that are kept: what was
taught a moment ago counts for all that still wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommender.answering.answer import PlaylistRef
from recommender.answering.ranking import GroupNotFitted, choose_group
from recommender.answering.said import RIGHT, WRONG, being_learnt, fitting_after
from recommender.catalogue.decisions import memberships_in_group
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.feed_items import feed_items, find_items
from recommender.catalogue.feeds import get_feed
from recommender.catalogue.playlists import list_playlists
from recommender.catalogue.tracks import tracks_by_id
from recommender.catalogue.verdicts import verdicts_in_group
from recommender.feeds.batch import scoring_job
from recommender.feeds.list_promises import ListPromises, judged_card
from recommender.feeds.scoring import score_tracks
from recommender.model.group import GroupModel
from recommender.model.in_service import ServedModel
from recommender.model.precision_threshold import Threshold
from recommender.records.feeds import HEARD, FeedInfo, FeedItemInfo, FeedState
from recommender.records.playlists import DEFAULT_GROUP, TASTE, PlaylistInfo
from recommender.records.tracks import TrackInfo
from recommender.settings import Settings
from recommender.sorting.sureness import Placed, Sureness, can_promise, judge

AT_MOST_WRONG = 0.05
MOST_ROWS = 2000
N_PLACES = 9


@dataclass(frozen=True)
class Decision:
    """What was decided of a song; ``is_gone`` where the playlist that it went into was removed since."""

    kind: str
    playlist: PlaylistRef | None
    is_gone: bool
    stamp: str


@dataclass(frozen=True)
class SortRow:
    """A song of the batch; ``places`` and ``sureness`` are empty while it was not heard.

    ``state`` is that of the feed's item, ``sentence`` says why it cannot be sorted, ``taste`` is liked,
    disliked or empty.
    """

    item: int
    state: FeedState
    sentence: str
    title: str
    artist: str
    track: int | None
    duration_s: float | None
    sureness: Sureness | None
    places: tuple[Placed, ...]
    member_of: tuple[PlaylistRef, ...]
    decision: Decision | None
    taste: str


@dataclass(frozen=True)
class Batch:
    """A feed that is being sorted.

    ``promise`` says in words what is promised of the clear ones, ``is_promised`` whether anything is;
    ``why_unplaced`` why no song is placed, empty where they are. ``n_left_out`` older items are not listed.
    """

    feed: FeedInfo
    group: str
    model: str
    rows: tuple[SortRow, ...]
    playlists: tuple[PlaylistRef, ...]
    is_promised: bool
    promise: str
    why_unplaced: str
    n_left_out: int
    job_id: int | None
    learning_job_id: int | None


@dataclass(frozen=True, eq=False)
class _World:
    """What is the same for all rows."""

    playlists: Mapping[int, PlaylistInfo]
    words: Mapping[int, Mapping[int, str]]
    taste: Mapping[int, str]
    members: Mapping[int, Sequence[int]]
    tracks: Mapping[int, TrackInfo]
    answers: Mapping[int, Sequence[Mapping[str, Any]]]
    thresholds: Mapping[str, Threshold | None]


def read_batch(
    session: Any,
    settings: Settings,
    model: ServedModel | None,
    feed_id: int,
    *,
    item_ids: Sequence[int] | None = None,
) -> Batch:
    """The songs of a feed in the order in which they came; those of ``item_ids`` only where it is given.

    Raises
    ------
    NoSuchFeed
    """
    feed = get_feed(session, feed_id)
    group, why = _find_group(model, feed)
    items = _listed(session, feed_id, item_ids)
    shown, n_left_out = items[-MOST_ROWS:], max(len(items) - MOST_ROWS, 0)
    name = group.group_name if group is not None else feed.group or DEFAULT_GROUP
    bundle_id = "" if model is None else model.bundle.bundle_id
    playlists = list_playlists(session, group=name)
    thresholds, promise = _promise(session, settings, name, bundle_id, playlists)
    ids = [item.track_id for item in shown if item.track_id is not None]
    tracks = tracks_by_id(session, ids)
    world = _World(
        playlists={playlist.id: playlist for playlist in playlists},
        words=verdicts_in_group(session, name),
        taste=_taste(session, ids),
        members=memberships_in_group(session, name, ids),
        tracks=tracks,
        answers={} if model is None or group is None else _place(session, settings, model, group, tracks),
        thresholds=thresholds,
    )
    learning = being_learnt(session)
    return Batch(
        feed=feed,
        group=name,
        model=bundle_id,
        rows=tuple(_row(item, world) for item in shown),
        playlists=tuple(PlaylistRef(playlist.id, playlist.name) for playlist in playlists),
        is_promised=can_promise(thresholds),
        promise=promise,
        why_unplaced=why,
        n_left_out=n_left_out,
        job_id=scoring_job(session, feed_id),
        learning_job_id=None if learning is None else learning.job_id,
    )


def _listed(session: Any, feed_id: int, item_ids: Sequence[int] | None) -> list[FeedItemInfo]:
    """What is to be sorted: not what an earlier item or the source itself sets aside."""
    if item_ids is not None:
        found = find_items(session, feed_id, item_ids)
        return [found[item_id] for item_id in sorted(found)]
    return [item for item in feed_items(session, feed_id) if item.state is not FeedState.SKIPPED]


def _find_group(model: ServedModel | None, feed: FeedInfo) -> tuple[GroupModel | None, str]:
    if model is None:
        return None, "There is nothing to compare with yet: songs are placed once two playlists have some."
    try:
        return choose_group(model.bundle.groups, feed.group), ""
    except GroupNotFitted as error:
        return None, f"{str(error)[0].upper()}{str(error)[1:]}."


def _promise(
    session: Any, settings: Settings, group: str, bundle_id: str, playlists: Sequence[PlaylistInfo]
) -> tuple[dict[str, Threshold | None], str]:
    models = (bundle_id,) if bundle_id else ()
    card = judged_card(session, settings, group, models=models)
    promises = ListPromises(AT_MOST_WRONG, group, models=models, card=card)
    found = {playlist.name: promises.find(playlist.name) for playlist in playlists}
    thresholds = {name: threshold for name, (threshold, _) in found.items()}
    if can_promise(thresholds):
        return thresholds, (
            "At most 1 in 20 of the clear ones is wrong, by how songs of yours were placed as if they were"
            " new. Of songs that belong into none of your playlists, more may slip in."
        )
    why = next((sentence.partition(": ")[2] for _, sentence in found.values()), "there is no playlist yet")
    return thresholds, f"How many of the clear ones are wrong cannot be promised: {why}."


def _place(
    session: Any,
    settings: Settings,
    model: ServedModel,
    group: GroupModel,
    tracks: Mapping[int, TrackInfo],
) -> dict[int, Sequence[Mapping[str, Any]]]:
    track_ids, raw = load_embeddings(session, model.bundle.config.fingerprint, list(tracks))
    if not len(track_ids):
        return {}
    heard = track_ids.tolist()
    artists = [tracks[track_id].artist for track_id in heard]
    scored = score_tracks(group, heard, raw, artists=artists, promise=settings.promise)
    return {track_id: results["playlists"] for track_id, results in scored}


def _taste(session: Any, ids: Sequence[int]) -> dict[int, str]:
    """Track id -> liked or disliked."""
    names = {playlist.id: playlist.name for playlist in list_playlists(session, group=TASTE)}
    return {t: names[held[0]] for t, held in memberships_in_group(session, TASTE, ids).items()}


def _row(item: FeedItemInfo, world: _World) -> SortRow:
    track = world.tracks.get(item.track_id or 0)
    said = world.words.get(item.track_id or 0, {})
    decision = _decision(item, world)
    member_of = tuple(_ref(world, held) for held in world.members.get(item.track_id or 0, ()))
    places = _places(world.answers.get(item.track_id or 0, ()), said, world)
    sentence = item.sentence or ("" if track else "The library does not hold this song any more.")
    return SortRow(
        item=item.id,
        state=item.state,
        sentence=sentence if track is None or item.state not in HEARD else "",
        title=track.title if track else item.row.row.title,
        artist=track.artist if track else item.row.row.artist,
        track=track.id if track else None,
        duration_s=track.duration_s if track else None,
        sureness=_sureness(places, said, member_of, world) if track and (places or member_of) else None,
        places=places[:N_PLACES],
        member_of=member_of,
        decision=decision,
        taste=world.taste.get(item.track_id or 0, ""),
    )


def _places(
    answers: Sequence[Mapping[str, Any]], said: Mapping[int, str], world: _World
) -> tuple[Placed, ...]:
    """The playlists that are still there, those that fit first; what was ruled out is not proposed."""
    there = [answer for answer in answers if answer["id"] in world.playlists]
    fitting = fitting_after({answer["id"] for answer in there if answer["fits"]}, said)
    placed = [
        Placed(a["id"], world.playlists[a["id"]].name, a["probability"], a["id"] in fitting)
        for a in there
        if said.get(a["id"]) != WRONG
    ]
    return tuple(sorted(placed, key=lambda one: (not one.fits, -one.probability)))


def _sureness(
    places: tuple[Placed, ...], said: Mapping[int, str], member_of: Sequence[PlaylistRef], world: _World
) -> Sureness:
    if RIGHT in said.values():
        return Sureness.SAID
    return Sureness.ALREADY_IN if member_of else judge(places, world.thresholds)


def _decision(item: FeedItemInfo, world: _World) -> Decision | None:
    made = item.decision
    if made is None:
        return None
    playlist_id = made["playlist_id"]
    ref = None if playlist_id is None else PlaylistRef(playlist_id, made["playlist"])
    known = world.playlists.get(playlist_id or 0)
    if ref is not None and known is not None:
        ref = PlaylistRef(known.id, known.name)
    return Decision(made["kind"], ref, is_gone=ref is not None and known is None, stamp=made["stamp"])


def _ref(world: _World, playlist_id: int) -> PlaylistRef:
    return PlaylistRef(playlist_id, world.playlists[playlist_id].name)
