"""What scoring a feed leaves to others: reading sources, fetching audio that lies elsewhere, listening."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from recommender.catalogue.database import Database
from recommender.catalogue.files import forget_files
from recommender.errors import SettingsError, SourceError
from recommender.feeds.resolving import Found, MatchRows, match_to_library
from recommender.records.feeds import FeedState, Settled
from recommender.records.rows import SourceRow
from recommender.settings import Settings
from recommender.sources.feeds.reading import FeedReading, FeedSource, read_source
from recommender.sources.references import fetch_original
from recommender.sources.web.reading import Web, open_web
from training.listening.scanning import Ears, open_ears

N_AT_ONCE = 4
N_FETCHED = 16

ReadSource = Callable[[FeedSource, Settings, Mapping[str, Any], Iterable[Path]], FeedReading]
Fetch = Callable[[SourceRow, Settings], Path | None]


@dataclass(frozen=True)
class _Webs:
    """One way to other servers for as long as the process lives: its manners remember."""

    by_settings: dict[Settings, Web] = field(default_factory=dict)

    def open(self, settings: Settings) -> Web:
        return self.by_settings.setdefault(settings, open_web(settings))


_WEBS = _Webs()


def _read_source(
    source: FeedSource, settings: Settings, cursor: Mapping[str, Any], roots: Iterable[Path]
) -> FeedReading:
    web = partial(_WEBS.open, settings)
    return read_source(source, settings, web=web, cursor=cursor, roots=roots)


def _fetch(row: SourceRow, settings: Settings) -> Path | None:
    return fetch_original(row, settings, web=_WEBS.open(settings))


@dataclass(frozen=True)
class FeedTools:
    """What scoring a feed leaves to others, so that it can be tried without the rest."""

    open_ears: Callable[[Settings, Path], Ears] = open_ears
    read_source: ReadSource = _read_source
    fetch: Fetch = _fetch
    match: MatchRows = match_to_library


def originals_folder(settings: Settings) -> Path:
    """Where fetched files lie."""
    return settings.cache_directory / "originals"


def fetch_audio(
    found: Sequence[Found], settings: Settings, fetch: Fetch
) -> tuple[list[Found], list[Settled]]:
    """Fetch a few files at a time: (items whose file to listen to is here now, what to say of the others)."""
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        outcomes = list(pool.map(partial(_fetch_one, settings=settings, fetch=fetch), found))
    here = [outcome for outcome in outcomes if isinstance(outcome, Found)]
    return here, [outcome for outcome in outcomes if isinstance(outcome, Settled)]


def forget_fetched(database: Database, found: Sequence[Found]) -> None:
    """Let the catalogue forget files that may go at any time; their tracks and embeddings stay."""
    with database.session() as session:
        forget_files(session, [os.fsencode(one.listen) for one in found if one.listen is not None])


def _fetch_one(found: Found, *, settings: Settings, fetch: Fetch) -> Found | Settled:
    row = found.item.row
    try:
        path = fetch(row.row, settings)
    except (SourceError, SettingsError) as error:
        return Settled(found.item.id, FeedState.NO_AUDIO, None, error.code, str(error))
    except OSError as error:
        sentence = f"the file cannot be kept: {error.strerror}"
        return Settled(found.item.id, FeedState.NO_AUDIO, None, "not_kept", sentence)
    if path is None:
        sentence = "its source hands over no audio"
        return Settled(found.item.id, FeedState.NO_AUDIO, None, "no_original", sentence)
    placed = replace(row, row=replace(row.row, path=str(path.resolve())))
    return Found(replace(found.item, row=placed), listen=path.resolve())
