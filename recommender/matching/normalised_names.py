"""Artist and title as written in tags and playlists -> what can be compared.

Case, marks on letters, punctuation, guests, editions and versions are told apart from the names themselves.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from operator import or_

from recommender.matching.version_words import STUDIO, Version, read_version
from recommender.records.tracks import UNKNOWN_ARTIST

# Letters that no decomposition takes apart.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
)
# On Latin, Greek and Cyrillic letters only: in other scripts a mark makes another letter. й is no и.
_MARKS = re.compile("(?<!и)[\u0300-\u036f]|(?<=и)[\u0300-\u0305\u0307-\u036f]")
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_AND = re.compile(r"[&+]|(?<=\S\s)n(?=\s\S)")
_INNER_BANG = re.compile(r"(?<=\w)!(?=\w)")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_GUESTS = re.compile(r"[\s,;(\[]+(?:feat|ft|featuring)(?:\.\s*|\s+)", re.IGNORECASE)
_WITH = re.compile(r"^(?:with|w/)\s+", re.IGNORECASE)
_GUEST_BRACKET = re.compile(r"^(?:feat|ft|featuring|con|prod\.? by)(?:\.\s*|\s+)", re.IGNORECASE)
_CREDIT = re.compile(r"\s*[,;/&+、，；]\s*|\s+(?:and|with|vs\.?|versus|x|×|y|et|und|y su)\s+", re.IGNORECASE)
_BRACKET = re.compile(r"[(\[{<【]([^()\[\]{}<>【】]*)[)\]}>】]")
_OPEN_BRACKET = re.compile(r"\s[(\[{]([^()\[\]{}]*)$")
_HAS_PARTS = re.compile(r"[(\[{<【\-–—~…]|\.\.\.|feat|ft|remaster", re.IGNORECASE)
_LIKE_TITLE = re.compile(r"[(\[{]|\s[-–—]\s")
_DASH = re.compile(r"\s+[-–—~]\s+|\s*[—]\s*")
_BARE_EDITION = re.compile(r"\s+(?:(?:19|20)\d\d\s+)?remaster(?:ed)?(?:\s+(?:19|20)\d\d)?$", re.IGNORECASE)
_CUT = re.compile(r"\s*(?:\.{3,}|…)\s*$")
_NUMBERS = {
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"},
    **{"eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12"},
}
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11"}
_ROMAN_AFTER_PART = _ROMAN | {"i": "1", "v": "5", "x": "10"}
_PARTS = {"pt": "part", "pts": "part", "part": "part", "parts": "part", "volume": "vol", "vol": "vol"}
# Players that know ID3v1 only keep so many characters of a title.
_TAG_LENGTHS = (29, 30)


@dataclass(frozen=True, slots=True)
class TitleNames:
    """A title, taken apart.

    ``key`` is the name itself without spaces, ``full`` the same with subtitles and versions, ``subtitle``
    what stands in brackets beside the name; ``numbers`` are all numbers of name and subtitle, sorted.
    ``guests`` were named with "feat.", ``companions`` with "with". ``is_cut``: the end is missing;
    ``may_be_cut``: it has the length at which old tags end.
    """

    key: str
    full: str
    subtitle: str
    numbers: tuple[str, ...]
    version: Version
    guests: frozenset[str]
    companions: frozenset[str]
    is_cut: bool
    may_be_cut: bool


@dataclass(frozen=True, slots=True)
class ArtistNames:
    """An artist credit, taken apart; empty when the artist is unknown.

    ``key`` is all but the guests, ``ordered`` its words in order of letters, ``parts`` whom it may name.
    ``is_plain``: without the brackets and dashes of titles.
    """

    key: str
    ordered: str
    parts: tuple[str, ...]
    guests: frozenset[str]
    is_plain: bool = True


_NOBODY: frozenset[str] = frozenset()
NOBODY = ArtistNames("", "", (), frozenset())
_UNKNOWN = frozenset(("", "unknown", UNKNOWN_ARTIST.replace(" ", ""), "variousartists", "various", "va"))


def fold_words(text: str) -> list[str]:
    """The words of a text in small letters without marks and punctuation, numbers in digits.

    A text of symbols only is one word.
    """
    folded = text.lower() if text.isascii() else _fold_letters(text)
    spelled = _AND.sub(" and ", _APOSTROPHES.sub("", folded))
    spelled = _INNER_BANG.sub("i", spelled).replace("$", "s")
    if spelled.isascii():
        words = _NOT_WORD.sub(" ", spelled).split()
    else:
        words = "".join(c if _is_of_word(c) else " " for c in spelled).split()
    if not words:
        symbols = "".join(folded.split()) or "".join(text.casefold().split())  # an accent alone
        return [symbols] if symbols else []
    return _spell_numbers(words)


def fold_key(text: str) -> str:
    """The words of a text, joined: "AC/DC", "AC DC" and "acdc" are one."""
    return "".join(fold_words(text))


@lru_cache(maxsize=1 << 17)
def read_artist(text: str) -> ArtistNames:
    """Take an artist credit apart."""
    main, *guests = _GUESTS.split(f" {text}") if text else [""]
    key = _artist_key(main)
    if key in _UNKNOWN:
        return NOBODY
    parts = tuple(dict.fromkeys(part for part in map(_artist_key, _CREDIT.split(main)) if part))
    ordered = "".join(sorted(word for word in fold_words(main) if word != "the")) or key
    named = frozenset(_artist_key(name) for guest in guests for name in _CREDIT.split(guest.rstrip(")] ")))
    return ArtistNames(key, ordered, parts, named - {""}, is_plain=_LIKE_TITLE.search(text) is None)


@lru_cache(maxsize=1 << 18)
def read_title(text: str) -> TitleNames:
    """Take a title apart."""
    may_be_cut = len(text) in _TAG_LENGTHS
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if not _HAS_PARTS.search(plain):
        words = fold_words(plain)
        key, numbers = "".join(words), tuple(sorted(word for word in words if word.isdigit()))
        return TitleNames(key, key, "", numbers, STUDIO, _NOBODY, _NOBODY, False, may_be_cut)
    cut = _CUT.search(plain)
    name, segments, opened = _split(plain[: cut.start()] if cut else plain)
    name, *inline = _GUESTS.split(name)
    is_cut = cut is not None or bool(opened)
    *closed, last_closed = segments or [""]
    read = [*map(_read_segment, closed), _read_segment(last_closed, is_cut=is_cut or may_be_cut)]
    last = _read_segment(opened, is_cut=True)
    parts = [*read, replace(last, subtitle=())]
    version = reduce(or_, (part.version for part in parts))
    guests = {_artist_key(guest) for part in inline for guest in _CREDIT.split(part)}
    words, subtitles = fold_words(name), [word for part in parts for word in part.subtitle]
    versions = [word for part in parts for word in part.version_words]
    subtitle = "".join(subtitles)
    return TitleNames(
        key="".join(words),
        full="".join((*words, *subtitles, *versions, *last.subtitle, *sorted(last.companions))),
        subtitle=subtitle,
        numbers=tuple(sorted(word for word in (*words, *subtitles) if word.isdigit())),
        version=version,
        guests=frozenset(guests.union(*(part.guests for part in parts)) - {""}),
        companions=frozenset().union(*(part.companions for part in parts)) - {""},
        is_cut=is_cut,
        may_be_cut=may_be_cut,
    )


def split_line(text: str) -> tuple[str, str] | None:
    """(artist, title) of a text like "artist - title", or None."""
    before, _, after = _DASH.sub("\0", text, count=1).partition("\0")
    return (before.strip(), after.strip()) if before.strip() and after.strip() else None


def strip_track_number(text: str) -> str:
    """A title without the "03. " or "A2 - " that file names begin with."""
    return re.sub(r"^(?:\d{1,3}|[a-d]\d)(?:\s*[.)\-_]+\s*|\s+)(?=\S)", "", text, flags=re.IGNORECASE)


def _split(text: str) -> tuple[str, list[str], str]:
    """The name, what stands beside it in brackets and after dashes, and what in a bracket left open."""
    segments: list[str] = []
    rest, opened = text, ""

    def take(found: re.Match[str]) -> str:
        # A bracket that begins the title belongs to the name: (I Can't Get No) Satisfaction.
        if not rest[: found.start()].strip():
            return f" {found[1]} "
        segments.append(found[1].strip())
        return " "

    while (taken := _BRACKET.sub(take, rest)) != rest:
        rest = taken
    open_bracket = _OPEN_BRACKET.search(rest)
    if open_bracket and rest[: open_bracket.start()].strip():
        opened = open_bracket[1].strip() or "("
        rest = rest[: open_bracket.start()]
    name, *after = (part.strip() for part in _DASH.split(rest))
    if not name and after:
        name, *after = after
    edition = _BARE_EDITION.search(name)
    if edition and edition.start() > 0:
        after.append(edition[0])
        name = name[: edition.start()]
    return name, [*segments, *after], opened


@dataclass(frozen=True, slots=True)
class _Segment:
    """What stands in one bracket or after one dash: one of these."""

    version: Version = STUDIO
    version_words: tuple[str, ...] = ()
    subtitle: tuple[str, ...] = ()
    guests: frozenset[str] = frozenset()
    companions: frozenset[str] = frozenset()


@lru_cache(maxsize=1 << 14)
def _read_segment(text: str, *, is_cut: bool = False) -> _Segment:
    if _GUEST_BRACKET.match(f"{text} "):
        return _Segment(guests=_named(_GUEST_BRACKET.sub("", f"{text} ").strip()))
    if _WITH.match(f"{text} "):
        return _Segment(companions=_named(_WITH.sub("", f"{text} ").strip()) or frozenset(("",)))
    words = tuple(fold_words(text))
    version = read_version(words, is_cut=is_cut)
    if version is None:
        return _Segment(subtitle=words)
    return _Segment(version=version, version_words=words if version.kinds else ())


def _named(text: str) -> frozenset[str]:
    return frozenset(_artist_key(name) for name in _CREDIT.split(text))


@lru_cache(maxsize=1 << 16)
def _artist_key(text: str) -> str:
    words = fold_words(text)
    return "".join(word for word in words if word != "the") or "".join(words)


def _fold_letters(text: str) -> str:
    taken_apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", taken_apart)).translate(_LETTERS)


def _is_of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _spell_numbers(words: list[str]) -> list[str]:
    """Number words, Roman numbers at the end or after "part", and the ways to write "part", as one."""
    spelled = []
    for place, word in enumerate(words):
        after_part = place > 0 and words[place - 1] in _PARTS
        if after_part and word in _ROMAN_AFTER_PART:
            spelled.append(_ROMAN_AFTER_PART[word])
        elif place > 0 and place == len(words) - 1 and word in _ROMAN:
            spelled.append(_ROMAN[word])
        else:
            spelled.append(_PARTS.get(word) or _NUMBERS.get(word, word))
    return spelled
