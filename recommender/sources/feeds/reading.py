"""One way to read every kind of feed: which kind a reference is of, and what its source says now."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from recommender.errors import SourceError, UnreadableSource
from recommender.records.feeds import DROP, FeedRow
from recommender.records.rows import SkippedRow, SourcePlaylist, SourceRow
from recommender.settings import Settings
from recommender.sources import references
from recommender.sources.feeds.tables import read_csv, read_json_lines
from recommender.sources.feeds.watched_folder import read_folder
from recommender.sources.files.reading import read_playlists
from recommender.sources.servers.syndication import parse_syndication
from recommender.sources.web.reading import Call, Validators, Web, get_bytes

FOLDER, CSV, JSON_LINES, PLAYLIST, SYNDICATION, SERVER = (
    *("folder", "csv", "jsonl", "playlist"),
    *("syndication", "server"),
)
MAX_FILE_BYTES = 64_000_000
_SUFFIXES = {
    **{".csv": CSV, ".tsv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES},
    **dict.fromkeys((".m3u", ".m3u8", ".pls", ".xspf", ".jspf"), PLAYLIST),
    **dict.fromkeys((".rss", ".atom"), SYNDICATION),
}
_URL = re.compile(r"https?://", re.IGNORECASE)


class UnknownFeed(SourceError):
    """A reference that is no folder, no file of a known kind and no address."""

    code = "unknown_feed"


@dataclass(frozen=True)
class FeedSource:
    """Which source a feed is read from: its kind, and a reference that means the same from anywhere."""

    kind: str
    reference: str

    @property
    def name(self) -> str:
        """What people call it: the last part of a path, else the whole reference."""
        return (self.path.name if self.path is not None else "") or self.reference

    @property
    def path(self) -> Path | None:
        """The folder or file that is read, None for what lies on a server."""
        return Path(self.reference) if self.reference.startswith("/") else None


@dataclass(frozen=True)
class FeedReading:
    """What a source says now; ``cursor`` is what to ask it with next time.

    ``rows`` is None when nothing changed since.
    """

    rows: tuple[FeedRow, ...] | None
    cursor: dict[str, Any] = field(default_factory=dict)


def is_remote(reference: str) -> bool:
    """Whether a reference names something on a server, not a path on this machine."""
    return bool(_URL.match(reference)) or references.is_source_reference(reference)


def find_source(reference: str) -> FeedSource:
    """Say what a reference names: a folder, a file, an address, or a list on a server.

    Raises
    ------
    UnknownFeed
    """
    if references.is_spotify(reference):
        raise UnknownFeed(
            "a feed cannot be read from Spotify, whose Developer Policy (III.13) forbids analysing what it"
            " lists; playlists of your own there can be added: `whichlist add-playlist NAME spotify:PLAYLIST`"
        )
    if _URL.match(reference):
        return FeedSource(_SUFFIXES.get(_suffix(urlsplit(reference).path), SYNDICATION), reference)
    if references.is_source_reference(reference):
        return FeedSource(SERVER, reference.strip())
    try:
        path = Path(reference).expanduser().absolute()
        if reference and path.is_dir():  # an empty one, say of an unset variable, is not this folder
            return FeedSource(FOLDER, str(path.resolve()))
        kind = _SUFFIXES.get(_suffix(path.name))
    except (OSError, ValueError, RuntimeError):  # a name too long, a NUL, a home that nobody has
        kind = None
    if kind is None:
        known = ", ".join(_SUFFIXES)
        raise UnknownFeed(
            f"{reference[:200]!r} is no folder and no file that ends in {known}; a feed may also be"
            f" {references.FORMS}"
        )
    return FeedSource(kind, str(path.resolve()))


def read_source(
    source: FeedSource,
    settings: Settings,
    *,
    web: Callable[[], Web],
    cursor: Mapping[str, Any],
    roots: Iterable[Path] = (),
) -> FeedReading:
    """What a source says now.

    Parameters
    ----------
    web : callable
        Opens the way to other servers, for sources that lie on one.
    cursor : mapping
        What the last reading gave.
    roots : iterable of Path
        Where links in a folder may lead.

    Raises
    ------
    SourceError, SettingsError, UnreadableFolder
        The source cannot be read now.
    """
    if source.kind == DROP:
        return FeedReading(None, dict(cursor))
    if source.kind == FOLDER:
        return FeedReading(tuple(read_folder(Path(source.reference), roots=roots)))
    if source.kind == SERVER:
        return FeedReading(_playlist_rows(references.read_source(source.reference, settings, web=web())))
    path = source.path
    if path is not None:
        return FeedReading(_parse(source, _read_file(path)))
    sent = Validators(**cursor.get("validators", {}))
    call = Call(guarded=True, max_bytes=MAX_FILE_BYTES)
    fetched = get_bytes(web(), source.reference, call=call, validators=sent)
    if fetched.body is None:
        return FeedReading(None, dict(cursor))
    return FeedReading(_parse(source, fetched.body), {"validators": vars(fetched.validators)})


def _parse(source: FeedSource, content: bytes) -> tuple[FeedRow, ...]:
    folder = source.path.parent if source.path is not None else None
    if source.kind == CSV:
        return tuple(read_csv(content, folder=folder))
    if source.kind == JSON_LINES:
        return tuple(read_json_lines(content, folder=folder))
    if source.kind == SYNDICATION:
        return _playlist_rows(parse_syndication(content, url=source.reference))
    name = Path(urlsplit(source.reference).path).name
    lists = read_playlists(content, name=name, folder=folder)
    return tuple(row for playlist in lists for row in _playlist_rows(playlist))


def _playlist_rows(playlist: SourcePlaylist) -> tuple[FeedRow, ...]:
    return (*map(FeedRow, playlist.rows), *map(_skipped_row, playlist.skipped))


def _skipped_row(skipped: SkippedRow) -> FeedRow:
    shown = SourceRow(title=skipped.text or f"row {skipped.position + 1}")
    return FeedRow(shown, code=skipped.code, reason=skipped.reason)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadableSource(f"{str(path)!r} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableSource(f"{str(path)!r} is larger than {MAX_FILE_BYTES / 1e6:g} MB")
    return content


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()
