"""What else is known where a file leaves two readings open: the user's library, and what they said before."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol


class What(StrEnum):
    """What a text may be the name of."""

    ARTIST = "artist"
    TITLE = "title"
    ALBUM = "album"
    FILE = "file"


class Hints(Protocol):
    """Asked only where a file does not say by itself what it means."""

    def count_known(self, texts: Collection[str], *what: What) -> int:
        """How many of the texts the library has as the name of one of these; of a file without its suffix."""

    def columns_of(self, head: str) -> Mapping[str, int] | None:
        """What a person said that the columns below such a head hold: column -> its place, or None."""

    def note_columns(self, head: str, columns: Mapping[str, int]) -> None:
        """Take what a person says of the file that is read now."""


class NoHints:
    """Nothing is known: files are read by what they say."""

    def count_known(self, texts: Collection[str], *what: What) -> int:
        """None of them."""
        return 0

    def columns_of(self, head: str) -> Mapping[str, int] | None:
        """Nobody said anything."""
        return None

    def note_columns(self, head: str, columns: Mapping[str, int]) -> None:
        """There is nobody to remember it."""


NO_HINTS = NoHints()
