"""A user's Spotify account: their own playlists and liked songs, and tracks by their links or names.

Behaves by what Spotify answers, not by what a date promises: apps see different rules.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from recommender.errors import RateLimited, SourceUnavailable, UnreadableSource
from recommender.records.rows import SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.rows.collecting import MAX_ROWS, RowCollector
from recommender.sources.rows.names import clean_text
from recommender.sources.servers.subsonic import find_playlist_id
from recommender.sources.spotify.account import SpotifyAccount
from recommender.sources.spotify.errors import SpotifyRefused
from recommender.sources.spotify.progress import PageLog
from recommender.sources.spotify.rows import add_slim, row_of, slim_entry, slim_track

LIKED = "liked"
PAGE = 50  # more is refused
SEARCH_PAGE = 10
_MAX_PAGES = MAX_ROWS // PAGE
_BEFORE_KIND = re.compile(r"^(intl-[a-z-]+:|user:[^:]+:(?=playlist:))")
_ID = re.compile(r"[A-Za-z0-9]{10,40}")
_KINDS = ("track", "album", "artist", "episode", "show", "user")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ListedPlaylist:
    """A playlist in the user's list; ``is_readable`` when it is their own, or shared with them to edit."""

    id: str
    name: str
    owner: str
    n_tracks: int | None
    is_readable: bool


def list_playlists(account: SpotifyAccount) -> list[ListedPlaylist]:
    """The playlists in the user's list, those that cannot be read included."""
    me = clean_text(account.ask(account.api.current_user).get("id"))
    entries = _listed(account, lambda: account.api.current_user_playlists(limit=PAGE))
    return [_read_listed(entry, me) for entry in entries if isinstance(entry, dict) and entry.get("id")]


def read_playlist(account: SpotifyAccount, name: str, *, progress: Progress | None = None) -> SourcePlaylist:
    """A playlist by its name, id, URI or link; ``liked`` is what the user liked.

    Raises
    ------
    RateLimited
        What was read is kept: the next attempt goes on from there.
    SpotifyLoginNeeded, SourceUnavailable, UnreadableSource
    """
    if name.lower() == LIKED:
        return _read_list(
            account,
            LIKED,
            key=LIKED,
            fetch=lambda offset: account.api.current_user_saved_tracks(limit=PAGE, offset=offset),
            progress=progress,
        )
    playlist_id, called = _find_playlist(account, name)

    def fetch(offset: int) -> Any:
        return account.api.playlist_items(playlist_id, limit=PAGE, offset=offset, additional_types=("track",))

    try:
        return _read_list(account, called, key=playlist_id, fetch=fetch, progress=progress)
    except SpotifyRefused as refused:
        if refused.status not in (403, 404):
            raise
        return _read_nested(account, playlist_id, called, refused, progress)


def look_up_track(account: SpotifyAccount, track_id: str) -> SourceRow:
    """What a track's id names.

    Raises
    ------
    RateLimited, SpotifyLoginNeeded, SourceUnavailable, UnreadableSource
    """
    return row_of(slim_track(account.ask(lambda: account.api.track(track_id))))


def search_tracks(account: SpotifyAccount, query: str) -> list[SourceRow]:
    """The first tracks that Spotify finds."""
    found = account.ask(lambda: account.api.search(query, limit=SEARCH_PAGE, type="track")).get("tracks")
    items = found.get("items") if isinstance(found, dict) else None
    return [row_of(slim_track(item)) for item in items or () if isinstance(item, dict)]


def _find_playlist(account: SpotifyAccount, name: str) -> tuple[str, str]:
    """(id, name) of the playlist that is meant; one that can be read before one that cannot."""
    for prefix in ("spotify:", "https://open.spotify.com/", "http://open.spotify.com/"):
        name = name.removeprefix(prefix)
    # Links may have a language in them, old URIs an owner.
    kind, _, rest = _BEFORE_KIND.sub("", name.replace("/", ":")).partition(":")
    playlist_id = rest.partition("?")[0]
    if kind in _KINDS and _ID.fullmatch(playlist_id):
        raise UnreadableSource(f"spotify:{kind}:... is no playlist; name one, or `liked`")
    if kind == "playlist" and _ID.fullmatch(playlist_id):
        said = account.ask(lambda: account.api.playlist(playlist_id, fields="id,name"))
        return playlist_id, clean_text(said.get("name")) or playlist_id
    listed = {playlist.id: playlist for playlist in list_playlists(account)}
    readable = {key: playlist.name for key, playlist in listed.items() if playlist.is_readable}
    others = {key: playlist.name for key, playlist in listed.items() if not playlist.is_readable}
    try:
        found = find_playlist_id(readable, name, place="your Spotify account")
    except SourceUnavailable:
        hidden = [key for key, called in others.items() if name in (key, called)]
        if not hidden or name in readable.values():
            raise
        found = hidden[0]
    return found, listed[found].name


def _read_list(
    account: SpotifyAccount, name: str, *, key: str, fetch: Callable[[int], Any], progress: Progress | None
) -> SourcePlaylist:
    """Read a list page by page, from where an earlier attempt had to stop."""
    log = PageLog(account.directory, key)
    with _telling_what_is_kept(log, name):
        page = _go_on(account, log, fetch) if log.entries else None
        if page is None:
            page = account.ask(lambda: fetch(0))
            log.add([slim_entry(entry) for entry in _entries(page)], _total(page))
        return _finish_list(account, name, log, page, progress)


def _go_on(account: SpotifyAccount, log: PageLog, fetch: Callable[[int], Any]) -> dict[str, Any] | None:
    """The page after what is kept; None when the list has changed since.

    The last entry is read again: another one in its place gives a change away.
    """
    page = account.ask(lambda: fetch(len(log.entries) - 1))
    again = [slim_entry(entry) for entry in _entries(page)]
    if again[:1] != log.entries[-1:] or _total(page) != log.total:
        log.clear()
        return None
    log.add(again[1:], log.total)
    return page


def _finish_list(
    account: SpotifyAccount, name: str, log: PageLog, page: dict[str, Any], progress: Progress | None
) -> SourcePlaylist:
    for following in _following(account, page):
        if progress is not None:
            progress(len(log.entries), log.total or 0)
        log.add([slim_entry(entry) for entry in _entries(following)], _total(following))
    collector = RowCollector()
    for slim in log.entries:
        add_slim(collector, slim)
    log.clear()
    return collector.playlist(name, SPOTIFY)


@contextmanager
def _telling_what_is_kept(log: PageLog, name: str) -> Iterator[None]:
    """Add to a limit what the next attempt need not read again."""
    try:
        yield
    except RateLimited as limited:
        if not log.entries:
            raise
        raise RateLimited(
            f"{limited}; the {len(log.entries)} of {log.total or '?'} rows of {name!r} that were read are"
            " kept for a day, and the next attempt goes on from there",
            retry_after_s=limited.retry_after_s,
            quota=limited.quota,
        ) from None


def _read_nested(
    account: SpotifyAccount, playlist_id: str, name: str, refused: SpotifyRefused, progress: Progress | None
) -> SourcePlaylist:
    """The items inside the playlist itself, which some apps get although their own address is refused."""
    whole: dict[str, Any] = {}
    if refused.status == 403:
        try:
            whole = account.ask(lambda: account.api.playlist(playlist_id))
        except SpotifyRefused:
            whole = {}
    page = whole.get("items") if isinstance(whole.get("items"), dict) else whole.get("tracks")
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        what = f"to let the playlist {name!r} be read"
        raise SpotifyRefused(refused.said, status=refused.status, word=refused.word, what=what) from None
    log = PageLog(account.directory, f"nested {playlist_id}")
    log.clear()
    log.add([slim_entry(entry) for entry in _entries(page)], _total(page))
    return _finish_list(account, name, log, page, progress)


def _listed(account: SpotifyAccount, first: Callable[[], Any]) -> list[Any]:
    page = account.ask(first)
    return _entries(page) + [entry for more in _following(account, page) for entry in _entries(more)]


def _following(account: SpotifyAccount, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pages after one, each where the one before says; the session calls no other host for it."""
    for _ in range(_MAX_PAGES):
        current = page
        if not current.get("next"):
            return
        if not _entries(current):
            raise UnreadableSource("Spotify sends empty pages that name further ones")
        page = account.ask(partial(account.api.next, current))
        yield page
    raise UnreadableSource(f"Spotify's list does not end after {_MAX_PAGES * PAGE:,} rows")


def _entries(page: dict[str, Any]) -> list[Any]:
    items = page.get("items")
    return items if isinstance(items, list) else []


def _total(page: dict[str, Any]) -> int | None:
    total = page.get("total")
    return total if isinstance(total, int) else None


def _read_listed(entry: dict[str, Any], me: str) -> ListedPlaylist:
    owner = entry["owner"] if isinstance(entry.get("owner"), dict) else {}
    counted = entry["items"] if isinstance(entry.get("items"), dict) else entry.get("tracks")
    is_mine = bool(me) and clean_text(owner.get("id")) == me
    return ListedPlaylist(
        id=clean_text(entry["id"]),
        name=clean_text(entry.get("name")),
        owner=clean_text(owner.get("display_name")) or clean_text(owner.get("id")),
        n_tracks=_total(counted) if isinstance(counted, dict) else None,
        is_readable=is_mine or entry.get("collaborative") is True,
    )
