"""Names of remote playlists and releases, such as ``subsonic:late night``, and what stands behind them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from recommender.errors import SourceError, UnreadableSource
from recommender.records.playlists import DEFAULT_GROUP, TASTE
from recommender.records.rows import JELLYFIN, SPOTIFY, SUBSONIC, SourcePlaylist, SourceRow
from recommender.settings import Settings
from recommender.sources.beets.library import read_beets
from recommender.sources.servers.jellyfin import (
    download_jellyfin,
    find_jellyfin,
    read_jellyfin_favourites,
    read_jellyfin_newest,
    read_jellyfin_playlist,
)
from recommender.sources.servers.listenbrainz import find_listenbrainz, read_fresh_releases
from recommender.sources.servers.media_cache import MediaCache
from recommender.sources.servers.subsonic import (
    download_subsonic,
    read_subsonic_newest,
    read_subsonic_playlist,
    read_subsonic_starred,
)
from recommender.sources.servers.subsonic_log_in import find_subsonic
from recommender.sources.servers.syndication import read_syndication
from recommender.sources.web.reading import Web, download, open_web

_SPOTIFY_LINK = "open.spotify.com"
Progress = Callable[[int, int], None]


def _in_any_case(text: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in text)


def is_source_reference(text: str) -> bool:
    """Whether a text has the form of a remote source; a path and a track's name do not."""
    kind, _, name = text.partition(":")
    return kind.lower() in _KINDS and bool(name) and not text.lower().startswith("spotify:track:")


def is_spotify(reference: str) -> bool:
    """Whether a reference names something of Spotify's: ``spotify:...`` or a link."""
    kind, _, rest = reference.strip().partition(":")
    return kind.lower() == SPOTIFY or rest.lower().startswith(f"//{_SPOTIFY_LINK}/")


def usual_group(reference: str) -> str:
    """The group of a playlist when nobody names one: what is liked at Spotify is a matter of taste."""
    return TASTE if reference.strip().lower() == "spotify:liked" else DEFAULT_GROUP


def read_source(
    reference: str, settings: Settings, *, web: Web | None = None, progress: Progress | None = None
) -> SourcePlaylist:
    """What a reference names; the forms are in ``FORMS``.

    ``progress`` is told how many rows of how many are read, of what is long.

    Raises
    ------
    SettingsError
        The server is not configured.
    SourceError
        It does not answer, or there is nothing of that name.
    """
    kind, _, name = reference.strip().partition(":")
    known = _KINDS.get(kind.lower())
    if known is None or not is_source_reference(reference.strip()):
        raise UnreadableSource(f"{reference[:100]!r} names no source; these do: {FORMS}")
    web, named = web or open_web(settings), reference.strip() if name.startswith("//") else name.strip()
    if is_spotify(reference):
        return _read_spotify(web, settings, named, progress=progress)
    return known.read(web, settings, named)


def can_fetch(row: SourceRow) -> bool:
    """Whether a row's source may have audio of it: :func:`fetch_original` asks for it."""
    return bool(row.identity(SUBSONIC) or row.identity(JELLYFIN) or row.url)


def fetch_original(
    row: SourceRow, settings: Settings, *, web: Web | None = None, keep: Collection[Path] = ()
) -> Path | None:
    """The audio that a row's source has, in the cache; None when it has none.

    The files of ``keep`` do not have to make room for it.

    Raises
    ------
    SettingsError, SourceError
        It has some, and does not hand it over.
    """
    web = web or open_web(settings)
    cache = MediaCache(settings.cache_directory / "originals", settings.remote_cache_mb * 1_000_000)
    if track_id := row.identity(SUBSONIC):
        subsonic = find_subsonic(settings)
        name = f"{SUBSONIC} {subsonic.url} {track_id}"
        return cache.fetch(name, partial(download_subsonic, web, subsonic, track_id), keep=keep)
    if track_id := row.identity(JELLYFIN):
        jellyfin = find_jellyfin(settings)
        name = f"{JELLYFIN} {jellyfin.url} {track_id}"
        return cache.fetch(name, partial(download_jellyfin, web, jellyfin, track_id), keep=keep)
    if url := row.url:
        return cache.fetch(f"url {url}", partial(download, web, url), keep=keep)
    return None


def _read_subsonic(web: Web, settings: Settings, name: str) -> SourcePlaylist:
    server = find_subsonic(settings)
    if name.lower() == "starred":
        return read_subsonic_starred(web, server)
    return (
        read_subsonic_newest(web, server)
        if name.lower() == "newest"
        else read_subsonic_playlist(web, server, name)
    )


def _read_jellyfin(web: Web, settings: Settings, name: str) -> SourcePlaylist:
    server = find_jellyfin(settings)
    if name.lower() in ("favourites", "favorites"):
        return read_jellyfin_favourites(web, server)
    return (
        read_jellyfin_newest(web, server)
        if name.lower() == "newest"
        else read_jellyfin_playlist(web, server, name)
    )


def _read_listenbrainz(web: Web, settings: Settings, name: str) -> SourcePlaylist:
    user = {"fresh": None, "mine": settings.listenbrainz_user}.get(name.lower(), name)
    if user is None and name.lower() == "mine":
        raise SourceError("listenbrainz:mine needs WHICHLIST_LISTENBRAINZ_USER")
    today = datetime.now(UTC).date()
    return read_fresh_releases(web, find_listenbrainz(settings), user=user, today=today)


def _read_spotify(
    web: Web, settings: Settings, name: str, *, progress: Progress | None = None
) -> SourcePlaylist:
    # Its library takes a third of a second to load, which only its users should wait for.
    from recommender.sources.spotify.account import SpotifyAccount
    from recommender.sources.spotify.library import read_playlist

    return read_playlist(SpotifyAccount(settings, web), name, progress=progress)


def _read_beets(_web: Web, settings: Settings, query: str) -> SourcePlaylist:
    return read_beets(settings, query)


def _read_feed(web: Web, settings: Settings, url: str) -> SourcePlaylist:
    playlist = read_syndication(web, url).playlist
    assert playlist is not None  # no validators were shown
    return playlist


@dataclass(frozen=True)
class _Kind:
    """What reads the names of one kind, and how they are written, for people who asked for something else."""

    read: Callable[[Web, Settings, str], SourcePlaylist]
    forms: tuple[str, ...]


_KINDS = {
    "subsonic": _Kind(_read_subsonic, ("subsonic:PLAYLIST", "subsonic:starred", "subsonic:newest")),
    "jellyfin": _Kind(_read_jellyfin, ("jellyfin:PLAYLIST", "jellyfin:favourites", "jellyfin:newest")),
    SPOTIFY: _Kind(_read_spotify, ("spotify:PLAYLIST", "spotify:liked")),
    "beets": _Kind(_read_beets, ("beets:QUERY", "beets:playlist:NAME")),
    "listenbrainz": _Kind(
        _read_listenbrainz, ("listenbrainz:fresh", "listenbrainz:mine", "listenbrainz:USER")
    ),
    "http": _Kind(_read_feed, ("the URL of a feed",)),
    "https": _Kind(_read_feed, ()),
}
FORMS = ", ".join(form for kind in _KINDS.values() for form in kind.forms)
# The form that :func:`is_source_reference` asks for, as a regular expression that JSON Schema knows.
SOURCE_PATTERN = "^(?!{}:)(?:{}):[\\s\\S]+$".format(
    *("|".join(map(_in_any_case, kinds)) for kinds in (("spotify:track",), _KINDS))
)
