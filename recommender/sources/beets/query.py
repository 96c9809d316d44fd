"""What beets' queries ask for: as far as its language goes, and a refusal beyond.

The language is that of https://beets.readthedocs.io/en/stable/reference/query.html: words, ``field:value``,
``field:=exact``, ``field:=~any case``, ``field::regular expression``, ranges of numbers and lengths, paths,
``playlist:NAME``, "not" and "or". A query that is understood by half would be a wrong list.
"""

import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recommender.errors import UnreadableSource

ANY_FIELD = ("artist", "title", "comments", "album", "albumartist", "genres", "genre")
SEPARATOR = "\\␀"  # how beets keeps several values in one text
MAX_QUERY = 2000
_TERM = re.compile(r"(?P<not>[-^])?(?:(?P<field>[^\s:\\]+):)?(?P<value>.*)", re.DOTALL)
_CLOCK = re.compile(r"(\d+):([0-5]?\d)")
_DATES = ("added", "mtime")
_FLAGS = {
    **dict.fromkeys(("1", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "f", "false", "n", "no"), False),
}
Item = Mapping[str, object]
Test = Callable[[Item], bool]
# Whether a file, by its path as beets keeps it, is in the playlist of a name.
InPlaylist = Callable[[str], Callable[[str], bool]]


@dataclass(frozen=True)
class Query:
    """One of several lists of tests; those of a list hold together."""

    alternatives: tuple[tuple[Test, ...], ...]

    def takes(self, item: Item) -> bool:
        """Whether an item is asked for; ``path`` in it is a text, what beets does not know is missing."""
        return any(all(test(item) for test in tests) for tests in self.alternatives)


def parse_query(text: str, *, numbers: frozenset[str], in_playlist: InPlaylist) -> Query:
    """The query in a text; an empty one takes everything.

    Parameters
    ----------
    numbers : frozenset of str
        The fields that hold numbers.

    Raises
    ------
    UnreadableSource
        It is none, or asks for what is not understood here.
    """
    if len(text) > MAX_QUERY:
        raise UnreadableSource(f"a query of more than {MAX_QUERY} characters")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UnreadableSource(f"{text[:100]!r} is no query: {error}") from error
    alternatives: list[tuple[Test, ...]] = []
    tests: list[Test] = []
    for word in (*words, ","):
        if bare := word.removesuffix(","):
            if ":" not in bare and len(bare) > 1 and bare[-1] in "+-" and word == bare:
                continue  # an order, which means nothing here
            tests.append(_parse_term(bare, numbers, in_playlist))
        if word.endswith(","):
            alternatives.append(tuple(tests))
            tests = []
    return Query(tuple(alternatives))


def _parse_term(word: str, numbers: frozenset[str], in_playlist: InPlaylist) -> Test:
    found = _TERM.fullmatch(word)
    assert found is not None  # the expression takes any text
    field, value = found["field"], found["value"].replace("\\:", ":")
    test = _test_of(field and field.lower(), value, numbers, in_playlist)
    return (lambda item: not test(item)) if found["not"] else test


def _test_of(field: str | None, value: str, numbers: frozenset[str], in_playlist: InPlaylist) -> Test:
    if field in _DATES:
        raise UnreadableSource(f"beets' queries by date ({field}) are not understood here")
    if field == "playlist":
        is_in = in_playlist(value)
        return lambda item: is_in(str(item["path"]))
    if field == "path" or (field is None and value.startswith("/")):
        return _below(value)
    if field == "singleton":
        wanted = _flag(value)
        return lambda item: (item.get("album_id") is None) == wanted
    fields = ANY_FIELD if field is None else (field,)
    matches = _text_test(value)
    if matches is None:
        if field == "comp":
            wanted = _flag(value)
            return lambda item: bool(item.get("comp")) == wanted
        if field in numbers:
            return _range_test(field or "", value)
        matches = _holds(value)
    return lambda item: any(matches(part) for name in fields for part in _parts(item.get(name)))


def _text_test(value: str) -> Callable[[str], bool] | None:
    """The test of a value that says by a sign how it is compared; None where it does not."""
    if value.startswith(":"):
        try:
            expression = re.compile(unicodedata.normalize("NFC", value[1:]))
        except re.error as error:
            raise UnreadableSource(f"{value[1:101]!r} is no regular expression: {error}") from error
        return lambda text: expression.search(unicodedata.normalize("NFC", text)) is not None
    if value.startswith("=~"):
        same = value[2:].lower()
        return lambda text: text.lower() == same
    if value.startswith("="):
        exact = value[1:]
        return lambda text: text == exact
    if value.startswith(("~", "#")):
        raise UnreadableSource(f"{value[:100]!r}: queries of beets' plugins are not understood here")
    return None


def _holds(value: str) -> Callable[[str], bool]:
    lowered = value.lower()
    return lambda text: lowered in text.lower()


def _parts(value: object) -> Sequence[str]:
    return () if value is None else str(value).split(SEPARATOR)


def _below(value: str) -> Test:
    place = value.rstrip("/")
    return lambda item: item["path"] == place or str(item["path"]).startswith(f"{place}/")


def _range_test(field: str, value: str) -> Test:
    low, dots, high = value.partition("..")
    lowest = _number(low, field)
    highest = _number(high, field) if dots else lowest

    def test(item: Item) -> bool:
        number = item.get(field)
        if not isinstance(number, int | float):
            return False
        return (lowest is None or number >= lowest) and (highest is None or number <= highest)

    return test


def _number(text: str, field: str) -> float | None:
    if not text:
        return None
    if field == "length" and (clock := _CLOCK.fullmatch(text)):
        return 60.0 * int(clock[1]) + int(clock[2])
    try:
        return float(text)
    except ValueError as error:
        raise UnreadableSource(f"{text[:100]!r} is no number, and {field} is asked for by numbers") from error


def _flag(value: str) -> bool:
    known = _FLAGS.get(value.lower())
    if known is None:
        raise UnreadableSource(f"{value[:100]!r} is neither true nor false")
    return known
