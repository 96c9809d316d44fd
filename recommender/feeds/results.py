"""What came of a feed: for each playlist the tracks that fit, the most probable first, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from recommender.answering.answer import NamedTrack, Neighbour
from recommender.answering.said import fitting_after
from recommender.catalogue.feed_items import count_codes, scored_groups, scored_items
from recommender.catalogue.feeds import get_feed
from recommender.catalogue.files import display_path, track_paths
from recommender.catalogue.playlists import find_playlist, get_playlist, list_playlists, playlist_tracks
from recommender.catalogue.tracks import tracks_by_id
from recommender.catalogue.verdicts import verdicts_in_group
from recommender.errors import NoSuchPlaylist
from recommender.feeds.list_promises import ListPromises, judged_card
from recommender.model.precision_threshold import Threshold
from recommender.records.feeds import FeedInfo, FeedItemInfo
from recommender.records.playlists import DEFAULT_GROUP, PlaylistInfo
from recommender.records.rows import SourceRow
from recommender.records.tracks import TrackInfo
from recommender.settings import Settings

MAX_LISTED = 10_000


@dataclass(frozen=True)
class ResultOptions:
    """Which results to show; ``playlist`` is an id or a name, ``at_most_wrong`` a share in (0, 1)."""

    playlist: str | None = None
    min_probability: float | None = None
    at_most_wrong: float | None = None


@dataclass(frozen=True)
class ListedTrack:
    """A track of a list: what it is, where its audio is, and why it stands here."""

    rank: int
    item: int
    track: int
    title: str
    artist: str
    album: str
    duration_s: float | None
    released: str
    path: str | None
    url: str | None
    identities: tuple[tuple[str, str], ...]
    probability: float
    p_value: float | None
    classifier: float
    neighbours: float
    nearest: tuple[Neighbour, ...]

    @property
    def row(self) -> SourceRow:
        """As a row of a playlist file."""
        names = ("title", "artist", "album", "duration_s", "released", "path", "url", "identities")
        return SourceRow(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class PlaylistResults:
    """The list of one playlist; ``promise`` says in words how far it can be relied on.

    ``n_already_in`` tracks fit too, but the playlist holds them.
    """

    id: int
    name: str
    threshold: Threshold | None
    promise: str
    n_already_in: int
    tracks: tuple[ListedTrack, ...]


@dataclass(frozen=True)
class FeedResults:
    """The lists of a feed, and what became of everything else; ``reasons`` are (state, code, how many)."""

    feed: FeedInfo
    group: str
    models: tuple[str, ...]
    min_probability: float
    at_most_wrong: float | None
    n_scored: int
    n_fitting_none: int
    reasons: tuple[tuple[str, str, int], ...]
    playlists: tuple[PlaylistResults, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self) | {"feed": self.feed.id, "name": self.feed.name, "items": self.feed.n_items}
        for playlist in values["playlists"]:
            for track in playlist["tracks"]:
                track["path"] = display_path(Path(track["path"])) if track["path"] else None
                track["identities"] = [list(pair) for pair in track["identities"]]
        values["reasons"] = [
            {"state": state, "code": code, "n_items": n_items} for state, code, n_items in self.reasons
        ]
        return values


@dataclass(frozen=True)
class _Answer:
    """What a model says of one item for one playlist."""

    item: FeedItemInfo
    said: Mapping[str, Any]


def read_results(session: Session, settings: Settings, feed_id: int, options: ResultOptions) -> FeedResults:
    """Return the lists of a feed from the scores that are kept.

    A track is listed where it fits (it was named there) with at least the probability asked for,
    by the caller or for the feed, else with that of chance. What the user said of it comes first: it is
    listed nowhere that was said to be wrong, and nowhere else than where it was said to be right.

    Raises
    ------
    NoSuchFeed, NoSuchPlaylist
    """
    feed = get_feed(session, feed_id)
    group = feed.group or _answering_group(session, feed_id)
    wanted = _wanted_playlists(session, group, options.playlist)
    least = options.min_probability if options.min_probability is not None else feed.min_probability or None
    answers: dict[int, list[_Answer]] = {playlist.id: [] for playlist in wanted}
    models: dict[str, int] = {}
    n_scored = n_fitting_none = 0
    words = verdicts_in_group(session, group)
    for item, bundle_id, results in scored_items(session, feed_id, group):
        n_scored += 1
        models[bundle_id] = models.get(bundle_id, 0) + 1
        ids = {said["id"] for said in results["playlists"] if _fits(said, settings.alpha)}
        ids = fitting_after(ids, words.get(item.track_id or 0, {}))
        fitting = [said for said in results["playlists"] if said["id"] in ids]
        n_fitting_none += not fitting
        # Unless asked for, nothing is listed that is less probable than by chance.
        least = 1 / len(results["playlists"]) if least is None else least
        for said in fitting:
            if said["id"] in answers and said["probability"] >= least:
                answers[said["id"]].append(_Answer(item, said))
    card = judged_card(session, settings, group, models=tuple(sorted(models)))
    thresholds = ListPromises(options.at_most_wrong, group, models=tuple(sorted(models)), card=card)
    lists = [_PlaylistList(playlist, answers[playlist.id], thresholds) for playlist in wanted]
    return FeedResults(
        feed=feed,
        group=group,
        models=tuple(sorted(models)),
        min_probability=least or 0.0,
        at_most_wrong=options.at_most_wrong,
        n_scored=n_scored,
        n_fitting_none=n_fitting_none,
        reasons=tuple((state, code, n) for (state, code), n in sorted(count_codes(session, feed_id).items())),
        playlists=tuple(made.read(session) for made in lists),
    )


def _answering_group(session: Session, feed_id: int) -> str:
    """The group that a feed without one was asked about."""
    found = scored_groups(session, feed_id)
    return DEFAULT_GROUP if DEFAULT_GROUP in found or not found else found[0]


def _wanted_playlists(session: Session, group: str, playlist: str | None) -> list[PlaylistInfo]:
    if playlist is None:
        return [found for found in list_playlists(session) if found.group == group]
    is_id = playlist.isascii() and playlist.isdecimal() and len(playlist) < 10
    found = get_playlist(session, int(playlist)) if is_id else find_playlist(session, playlist, group=group)
    if found.group != group:
        raise NoSuchPlaylist(f"the playlist {found.name!r} is not in the group {group!r} of this feed")
    return [found]


def _fits(said: Mapping[str, Any], alpha: float) -> bool:
    if "fits" in said:
        return bool(said["fits"])
    # Scored by a model of the first format, which asked each playlist by itself.
    return said["p_value"] is not None and said["p_value"] > alpha


class _PlaylistList:
    """The list of one playlist in the making."""

    def __init__(self, playlist: PlaylistInfo, answers: Iterable[_Answer], promises: ListPromises) -> None:
        self._playlist = playlist
        self._threshold, self._promise = promises.find(playlist.name)
        self._answers = list(answers)
        if promises.asked is not None:
            least = self._threshold.probability if self._threshold else float("inf")
            self._answers = [one for one in self._answers if one.said["probability"] >= least]

    def read(self, session: Session) -> PlaylistResults:
        members = set(playlist_tracks(session, self._playlist.id))
        new = [one for one in self._answers if one.item.track_id not in members]
        new.sort(key=lambda one: (-one.said["probability"], one.item.id))
        shown = new[:MAX_LISTED]
        near = {track_id for one in shown for track_id, _ in one.said["nearest"]}
        ids = {one.item.track_id for one in shown if one.item.track_id is not None}
        tracks, paths = tracks_by_id(session, sorted(near | ids)), track_paths(session, sorted(ids))
        return PlaylistResults(
            id=self._playlist.id,
            name=self._playlist.name,
            threshold=self._threshold,
            promise=self._promise,
            n_already_in=len(self._answers) - len(new),
            tracks=tuple(
                _list_track(rank, one, track, paths.get(track.id), tracks)
                for rank, one in enumerate(shown, start=1)
                if (track := tracks.get(one.item.track_id or 0)) is not None
            ),
        )


def _list_track(
    rank: int, one: _Answer, track: TrackInfo, path: Path | None, near: Mapping[int, TrackInfo]
) -> ListedTrack:
    row, said = one.item.row.row, one.said
    return ListedTrack(
        rank=rank,
        item=one.item.id,
        track=track.id,
        title=row.title or track.title,
        artist=row.artist or track.artist,
        album=row.album or track.album,
        duration_s=track.duration_s,
        released=row.released,
        path=str(path) if path else None,
        url=row.url,
        identities=row.identities,
        nearest=tuple(
            Neighbour(NamedTrack(other, near[other].title, near[other].artist), similarity)
            for other, similarity in said["nearest"]
            if other in near
        ),
        **{name: said[name] for name in ("probability", "p_value", "classifier", "neighbours")},
    )
