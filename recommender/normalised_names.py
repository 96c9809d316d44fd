"""Artist and title as written in tags and playlists -> what can be compared.

Case, marks on letters, punctuation, guests, editions and versions are told apart from the names themselves.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from recommender.records import UNKNOWN_ARTIST
from recommender.version_words import STUDIO, Version, read_version

# Letters that no decomposition takes apart.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
)
# On Latin, Greek and Cyrillic letters only: in other scripts a mark makes another letter. й is no и.
_MARKS = re.compile("(?<!и)[\u0300-\u036f]|(?<=и)[\u0300-\u0305\u0307-\u036f]")
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_AND = re.compile(r"[&+]|(?<=\s)n(?=\s)")
_INNER_BANG = re.compile(r"(?<=\w)!(?=\w)")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_GUESTS = re.compile(r"[\s,;(\[]+(?:feat|ft|featuring)(?:\.\s*|\s+)", re.IGNORECASE)
_WITH = re.compile(r"^(?:with|w/)\s+", re.IGNORECASE)
_GUEST_BRACKET = re.compile(r"^(?:feat|ft|featuring|con|prod\.? by)(?:\.\s*|\s+)", re.IGNORECASE)
_CREDIT = re.compile(r"\s*[,;/&+、，；]\s*|\s+(?:and|with|vs\.?|versus|x|×|y|et|und|y su)\s+", re.IGNORECASE)
_BRACKET = re.compile(r"[(\[{<【]([^()\[\]{}<>【】]*)[)\]}>】]")
_OPEN_BRACKET = re.compile(r"\s[(\[{]([^()\[\]{}]*)$")
_DASH = re.compile(r"\s+[-–—~]\s+|\s*[—]\s*")
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
    ``guests`` were named with "feat.", ``companions`` with "with". ``is_cut``: the end may be missing.
    """

    key: str
    full: str
    subtitle: str
    numbers: tuple[str, ...]
    version: Version
    guests: frozenset[str]
    companions: frozenset[str]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class ArtistNames:
    """An artist credit, taken apart; empty when the artist is unknown.

    ``key`` is all but the guests, ``ordered`` its words in order of letters, ``parts`` whom it may name.
    """

    key: str
    ordered: str
    parts: tuple[str, ...]
    guests: frozenset[str]


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
        return ["".join(folded.split())] if folded.strip() else []
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
    return ArtistNames(key, ordered, parts, named - {""})


@lru_cache(maxsize=1 << 18)
def read_title(text: str) -> TitleNames:
    """Take a title apart."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    cut = _CUT.search(plain)
    name, segments, is_open = _split(plain[: cut.start()] if cut else plain)
    name, *inline = _GUESTS.split(name)
    guests, companions = {_artist_key(guest) for part in inline for guest in _CREDIT.split(part)}, set()
    version, subtitles, versions = STUDIO, [], []
    for segment in segments:
        if _GUEST_BRACKET.match(segment):
            guests |= _named(_GUEST_BRACKET.sub("", segment))
        elif _WITH.match(segment):
            companions |= _named(_WITH.sub("", segment))
        elif (found := read_version(words := fold_words(segment))) is not None:
            version |= found
            versions += sorted(found.kinds) and words
        else:
            subtitles += words
    words = fold_words(name)
    key, subtitle = "".join(words), "".join(subtitles)
    return TitleNames(
        key=key,
        full="".join((*words, *subtitles, *versions)),
        subtitle=subtitle,
        numbers=tuple(sorted(word for word in (*words, *subtitles) if word.isdigit())),
        version=version,
        guests=frozenset(guests - {""}),
        companions=frozenset(companions - {""}),
        is_cut=cut is not None or is_open or len(text) in _TAG_LENGTHS,
    )


def split_line(text: str) -> tuple[str, str] | None:
    """(artist, title) of a text like "artist - title", or None."""
    before, _, after = _DASH.sub("\0", text, count=1).partition("\0")
    return (before.strip(), after.strip()) if before.strip() and after.strip() else None


def strip_track_number(text: str) -> str:
    """A title without the "03. " or "A2 - " that file names begin with."""
    return re.sub(r"^(?:\d{1,3}|[a-d]\d)(?:\s*[.)\-_]+\s*|\s+)(?=\S)", "", text, flags=re.IGNORECASE)


def _split(text: str) -> tuple[str, list[str], bool]:
    """The name, what stands beside it in brackets and after dashes, and whether a bracket is left open."""
    segments: list[str] = []
    rest = text

    def take(found: re.Match[str]) -> str:
        # A bracket that begins the title belongs to the name: (I Can't Get No) Satisfaction.
        if not rest[: found.start()].strip():
            return f" {found[1]} "
        segments.append(found[1].strip())
        return " "

    while (taken := _BRACKET.sub(take, rest)) != rest:
        rest = taken
    opened = _OPEN_BRACKET.search(rest)
    if opened and rest[: opened.start()].strip():
        segments.append(opened[1].strip())
        rest = rest[: opened.start()]
    name, *after = (part.strip() for part in _DASH.split(rest))
    if not name and after:
        name, *after = after
    return name, [*segments, *after], opened is not None


def _named(text: str) -> set[str]:
    return {_artist_key(name) for name in _CREDIT.split(text)}


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
