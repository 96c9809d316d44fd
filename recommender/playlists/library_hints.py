"""What the library and its user know, where a playlist file leaves two readings open."""

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from recommender.catalogue.column_choices import columns_below, remember_columns
from recommender.catalogue.database import Database
from recommender.catalogue.identities import named_tracks, scanned_paths
from recommender.matching.normalised_names import fold_key
from recommender.sources.rows.hints import What

_SLASH = re.compile(r"[/\\]")


class LibraryHints:
    """Asks the catalogue, and reads its names only when a file needs them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._said: dict[str, dict[str, int]] = {}

    def count_known(self, texts: Collection[str], *what: What) -> int:
        """How many of the texts the library has as the name of one of these; of a file without its suffix."""
        known = [self._known[kind] for kind in what]
        keys = (fold_key(text) for text in texts)
        return sum(any(key in names for names in known) for key in keys if key)

    def columns_of(self, head: str) -> Mapping[str, int] | None:
        """What a person said that the columns below such a head hold: column -> its place, or None."""
        with self._database.read_session() as session:
            return self._said.get(head) or columns_below(session, head)

    def note_columns(self, head: str, columns: Mapping[str, int]) -> None:
        """Take what a person says of the file that is read now; :meth:`keep` remembers it."""
        self._said[head] = dict(columns)

    def keep(self) -> None:
        """Remember what was said of files like those that were read, once they turned out to be of use."""
        with self._database.session() as session:
            for head, columns in self._said.items():
                remember_columns(session, head, columns)

    @cached_property
    def _known(self) -> dict[What, frozenset[str]]:
        with self._database.read_session() as session:
            tracks = named_tracks(session)
            paths = scanned_paths(session)
        return {
            What.ARTIST: frozenset(fold_key(track.artist) for track in tracks),
            What.TITLE: frozenset(fold_key(track.title) for track in tracks),
            What.ALBUM: frozenset(fold_key(track.album) for track in tracks if track.album),
            What.FILE: frozenset(fold_key(PurePosixPath(_SLASH.split(path)[-1]).stem) for path, _ in paths),
        }
