"""A list written to Spotify as a new private playlist; one that stopped halfway is gone on with."""

import json
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from recommender.errors import SourceError, UnreadableSource
from recommender.sources.rows.names import clean_text
from recommender.sources.spotify.account import SpotifyAccount
from recommender.sources.spotify.errors import SpotifyRefused
from recommender.sources.spotify.files import read_private, write_private

BATCH = 100  # more in one call is refused
MAX_TRACKS = 10_000
_MAX_NAME = 100
DESCRIPTION = "Put together by Whichlist, by listening."


def write_new_playlist(account: SpotifyAccount, name: str, uris: Sequence[str]) -> str:
    """The id of a new playlist with these tracks, which only its owner sees.

    No playlist that is there is ever changed, but for one of this name and these tracks that an earlier
    attempt could not finish: it gets what it lacks.

    Raises
    ------
    RateLimited, SpotifyLoginNeeded, SpotifyRefused, SourceUnavailable, UnreadableSource
        It was not written, or not wholly: the next attempt goes on.
    """
    if len(uris) > MAX_TRACKS:
        raise SourceError(f"Spotify takes at most {MAX_TRACKS:,} tracks in a playlist, not {len(uris):,}")
    begun = account.directory / f"sending-{_digest(name, uris)}.json"
    playlist_id, n_there = _find_begun(account, begun, len(uris))
    if playlist_id is None:
        playlist_id = _create(account, name)
        write_private(begun, {"playlist": playlist_id})
    for start in range(n_there, len(uris), BATCH):
        batch = list(uris[start : start + BATCH])
        account.ask(partial(account.api.playlist_add_items, playlist_id, batch))
    begun.unlink(missing_ok=True)
    return playlist_id


def _find_begun(account: SpotifyAccount, begun: Path, n_wanted: int) -> tuple[str | None, int]:
    """(id, how many tracks it has) of a playlist that was begun; Spotify's count tells what it heard."""
    playlist_id = (read_private(begun) or {}).get("playlist")
    if not isinstance(playlist_id, str):
        return None, 0
    try:
        page: dict[str, Any] = account.ask(lambda: account.api.playlist_items(playlist_id, limit=1))
    except SpotifyRefused:  # it was deleted since
        return None, 0
    n_there = page.get("total")
    if not isinstance(n_there, int) or not 0 <= n_there <= n_wanted:
        return None, 0
    return playlist_id, n_there


def _create(account: SpotifyAccount, name: str) -> str:
    made = account.ask(
        lambda: account.api.current_user_playlist_create(
            name[:_MAX_NAME], public=False, description=DESCRIPTION
        )
    )
    playlist_id = clean_text(made.get("id"))
    if not playlist_id:
        raise UnreadableSource("Spotify does not say which playlist it made")
    return playlist_id


def _digest(name: str, uris: Sequence[str]) -> str:
    return sha256(json.dumps([name, *uris]).encode()).hexdigest()[:32]
