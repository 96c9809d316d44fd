"""Where the audio of a feed's rows is: in the catalogue, in a file, at an address, or nowhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from embeddings.errors import MissingDecoder
from recommender.catalogue.embeddings import heard_tracks
from recommender.catalogue.feed_items import tracks_of_keys
from recommender.catalogue.files import known_files_at, track_paths
from recommender.errors import OutsideLibrary
from recommender.feeds.same_recording import shared_keys
from recommender.matching.identity import match_rows
from recommender.records.feeds import FeedItemInfo, FeedState, Settled
from recommender.records.matches import Match, Strength
from recommender.records.rows import JELLYFIN, SUBSONIC, SourceRow
from recommender.records.tracks import KnownFile
from recommender.sources.cue.images import stat_file
from recommender.sources.folder import resolve_in_roots

# A file with one of these may be heard next time, unchanged: somebody installed what was missing.
RETRIED_CODES = frozenset({MissingDecoder.code})
# Schemes of ids on the user's own servers, which hand over audio.
OWN_SERVERS = (SUBSONIC, JELLYFIN)
# Its cue sheet is in its tags: what a folder shows of it is one file, and its tracks are in the library now.
ALBUM = ("album_image", "the file is an album: each of its tracks is in the library, and none is this item")
NOT_IN_LIBRARY, NOT_YET, UNREADABLE = "not_in_library", "not_yet", "unreadable_file"

MatchRows = Callable[[Session, Sequence[SourceRow]], Sequence["Meant"]]


@dataclass(frozen=True)
class Meant:
    """The track of the library that a row means; without one, ``code`` and ``sentence`` say why not."""

    track_id: int | None = None
    code: str = NOT_IN_LIBRARY
    sentence: str = "nothing in the library is this recording"


@dataclass(frozen=True)
class Found:
    """What to do about an item: nothing more (``settled``), ``listen`` to a file, or ``fetch`` it first."""

    item: FeedItemInfo
    settled: Settled | None = None
    listen: Path | None = None
    fetch: bool = False


@dataclass(frozen=True)
class _File:
    """A file that a row names, as it lies on the disk now."""

    path: Path
    size: int
    mtime_ns: int
    start_s: float | None


@dataclass(frozen=True)
class Resolver:
    """Finds the audio of rows; a path in one may lie under ``roots`` only."""

    fingerprint: str
    roots: tuple[Path, ...]
    match: MatchRows

    def find(self, session: Session, items: Sequence[FeedItemInfo], *, now: float) -> list[Found]:
        """Say of each item, in order, what is to be done about it; nothing is changed."""
        places = {item.id: self._place(item.row.row) for item in items}
        known = known_files_at(session, [p.path for p in places.values() if isinstance(p, _File)])
        # What lies in a file of its own needs no name.
        elsewhere = [item for item in items if not isinstance(places[item.id], _File)]
        meant = dict.fromkeys(places, Meant()) | self._meant(session, elsewhere)
        track_ids = {item.track_id for item in items} | {file.track_id for file in known.values()}
        track_ids |= {found.track_id for found in meant.values()}
        wanted = [track_id for track_id in track_ids if track_id is not None]
        heard, files = heard_tracks(session, wanted, self.fingerprint), track_paths(session, wanted)
        return [
            _decide(item, places[item.id], meant[item.id], known=known, heard=heard, files=files, now=now)
            for item in items
        ]

    def _place(self, row: SourceRow) -> _File | Meant | None:
        """The file that a row names, or why it may not be read."""
        if row.path is None:
            return None
        try:
            path = resolve_in_roots(Path(row.path), self.roots)
            file = stat_file(path)
        except OutsideLibrary as error:
            return Meant(None, OutsideLibrary.code, str(error))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no path"
            return Meant(None, "missing_file", f"the file cannot be read: {reason}")
        return _File(path, file.size, file.mtime_ns, row.start_s)

    def _meant(self, session: Session, items: Sequence[FeedItemInfo]) -> dict[int, Meant]:
        """Item -> the track that it is known to be, or that its names say."""
        found = {item.id: Meant(item.track_id) for item in items if item.track_id is not None}
        keys = {key: item.id for item in items if item.id not in found for key in shared_keys(item.row.row)}
        for key, track_id in tracks_of_keys(session, list(keys)).items():
            found[keys[key]] = Meant(track_id)
        unknown = [item for item in items if item.id not in found]
        for item, meant in zip(unknown, self.match(session, [item.row.row for item in unknown]), strict=True):
            found[item.id] = meant
        return found


def _decide(
    item: FeedItemInfo,
    place: _File | Meant | None,
    meant: Meant,
    *,
    known: dict[tuple[Path, float | None], KnownFile],
    heard: set[int],
    files: dict[int, Path],
    now: float,
) -> Found:
    if isinstance(place, _File):
        return _decide_by_file(item, place, known.get((place.path, place.start_s)), heard)
    if meant.track_id in heard:
        return Found(item, settled=Settled(item.id, FeedState.RESOLVED, meant.track_id))
    path = files.get(meant.track_id) if meant.track_id is not None else None
    if path is not None and path.is_file():
        return Found(item, listen=path)
    if item.row.row.url or any(item.row.row.identity(scheme) for scheme in OWN_SERVERS):
        if item.next_try_at is None or item.next_try_at <= now:
            return Found(item, fetch=True)
        kept = Settled(item.id, FeedState.NO_AUDIO, None, item.code, item.sentence)
        return Found(item, settled=kept)
    why = place if isinstance(place, Meant) and meant.code == NOT_IN_LIBRARY else meant
    if meant.track_id is not None:
        why = Meant(None, "track_without_audio", "the library knows it, but has no file that can be read")
    return Found(item, settled=Settled(item.id, FeedState.NO_AUDIO, None, why.code, why.sentence))


def _decide_by_file(item: FeedItemInfo, file: _File, known: KnownFile | None, heard: set[int]) -> Found:
    if known is None or (known.size, known.mtime_ns) != (file.size, file.mtime_ns):
        return Found(item, listen=file.path)
    if known.track_id in heard:
        return Found(item, settled=Settled(item.id, FeedState.RESOLVED, known.track_id))
    if known.error_code is None or known.error_code in RETRIED_CODES:
        return Found(item, listen=file.path)
    return Found(item, settled=Settled(item.id, FeedState.FAILED, None, known.error_code, known.error))


def settle_heard(found: Found, failures: Mapping[Path, tuple[str, str]]) -> Settled:
    """What to say of an item after its file was listened to: never that it is to be heard once more."""
    if found.settled is not None:
        return found.settled
    unread = (NOT_YET, "its file changed while it was listened to")
    code, sentence = failures.get(found.listen, unread) if found.listen is not None else unread
    state = FeedState.NO_AUDIO if code in (NOT_YET, UNREADABLE) else FeedState.FAILED
    return Settled(found.item.id, state, None, code, sentence)


UNCERTAIN = "uncertain_match"


def match_to_library(session: Session, rows: Sequence[SourceRow]) -> list[Meant]:
    """The track that each row means, in order."""
    return [_read(match) for match in match_rows(session, rows)]


def _read(match: Match) -> Meant:
    if match.strength is Strength.STRONG:
        return Meant(match.track_id)
    if match.strength is Strength.MEDIUM:
        return Meant(None, UNCERTAIN, f"the library may have it: {match.note or 'the names are similar'}")
    return Meant()
