"""Which words in a title name a version of a recording, and which name only an edition of the same one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

# word -> the version it names. Two titles whose versions differ name different recordings.
_VERSIONS = {
    **dict.fromkeys(("live", "vivo", "concert", "konzert"), "live"),
    **dict.fromkeys(("remix", "rmx", "remixed", "rework", "reworked", "refix", "flip", "bootleg"), "remix"),
    **dict.fromkeys(("acoustic", "acustico", "acustica", "acoustique", "akustik"), "acoustic"),
    **dict.fromkeys(("instrumental", "instrumentals", "instr"), "instrumental"),
    **dict.fromkeys(("acapella", "acappella", "cappella"), "acapella"),
    **dict.fromkeys(("orchestral", "orchestra", "symphonic"), "orchestral"),
    **dict.fromkeys(("rerecorded", "rerecording"), "rerecorded"),
    **dict.fromkeys(("alternate", "alternative", "alt"), "alternate"),
    **dict.fromkeys(("session", "sessions"), "session"),
    **dict.fromkeys(("sped", "speed"), "sped up"),
    **{word: word for word in ("unplugged", "karaoke", "demo", "dub", "vip", "mashup", "cover", "piano")},
    **{word: word for word in ("stripped", "slowed", "nightcore", "reverb", "8d", "reprise", "rehearsal")},
    **{word: word for word in ("outtake", "take", "extended", "radio", "club", "interlude", "skit")},
}
# These name a version only when no word above does: a "live version" is live, a "radio edit" the radio's.
_GENERAL = {"version": "version", "mix": "remix", "edit": "edit"}
# Editions of one recording.
_EDITIONS = frozenset(
    (
        *("remaster", "remastered", "remasterd", "remastering", "digital", "digitally", "mono", "stereo"),
        *("deluxe", "bonus", "track", "explicit", "clean", "anniversary", "edition", "expanded", "special"),
        *(
            "album",
            "original",
            "official",
            "video",
            "audio",
            "lyric",
            "lyrics",
            "visualizer",
            "hq",
            "hd",
            "4k",
        ),
        *("single", "soundtrack", "motion", "picture", "ost", "version", "mix", "music"),
    )
)
_REMASTERED = frozenset(("remaster", "remastered", "remasterd", "remastering"))
_OFTEN_SEVERAL = frozenset(("live", "remix", "session", "demo", "take", "version", "edit", "alternate"))
_FILLERS = frozenset(
    (
        *(
            "the",
            "a",
            "an",
            "at",
            "in",
            "from",
            "on",
            "of",
            "and",
            "by",
            "for",
            "with",
            "s",
            "to",
            "up",
            "en",
        ),
        *("ao", "recorded", "recording", "performance", "only", "full", "new"),
    )
)
_KNOWN = _VERSIONS.keys() | _GENERAL.keys() | _EDITIONS | _FILLERS
_MIN_TYPO_LENGTH = 5
_MIN_CUT_LENGTH = 3
_LONG_WORDS = tuple(
    word for word in (*_VERSIONS, *_GENERAL, *_REMASTERED) if len(word) > _MIN_TYPO_LENGTH or word == "remix"
)
_CUT_WORDS = (*_VERSIONS, *_GENERAL, *_REMASTERED)
# One-sided, these leave room for another length: a single is often shorter than its album track.
LOOSE_EDITIONS = frozenset(("single", "album", "mono", "stereo", "video", "clean"))


@dataclass(frozen=True)
class Version:
    """What a part of a title says of the version: its kinds, and the words that tell it from others."""

    kinds: frozenset[str] = frozenset()
    details: frozenset[str] = frozenset()
    editions: frozenset[str] = frozenset()

    @property
    def is_vague(self) -> bool:
        """Whether a song may well have several such versions, and this does not say which."""
        return not self.details and not self.kinds.isdisjoint(_OFTEN_SEVERAL)

    def __or__(self, other: "Version") -> "Version":
        return Version(self.kinds | other.kinds, self.details | other.details, self.editions | other.editions)


STUDIO = Version()


def read_version(words: Sequence[str], *, is_cut: bool = False) -> Version | None:
    """What a bracket or a part after a dash says of the version; None when it is part of the title.

    Parameters
    ----------
    words : sequence of str
        Folded: small letters, no marks, no punctuation.
    is_cut : bool
        Whether the last word may be the beginning of a longer one.
    """
    words = [known for word in words for known in _spell_known(word)]
    words = [*words[:-1], _complete(words[-1])] if is_cut and words else words
    telling = [word for word in words if not word.isdigit() and word not in ("recorded", "s")]
    kinds = frozenset(_VERSIONS[word] for word in words if word in _VERSIONS)
    editions = frozenset(word for word in words if word in _EDITIONS)
    if not telling:
        return None
    # "Live at Leeds" and "Leeds Live", but not "You Only Live Twice".
    names_version = telling[0] in _VERSIONS or telling[-1] in _VERSIONS or telling[-1] in _GENERAL
    if kinds and (names_version or editions & _REMASTERED):
        return Version(kinds, _details(words), editions - _GENERAL.keys())
    editions -= _GENERAL.keys()
    if editions and all(word in _EDITIONS or word in _FILLERS for word in telling):
        return Version(editions=editions)
    if editions & _REMASTERED or telling[0] == "from":
        return Version(editions=editions or frozenset(("from",)))
    if telling[-1] in _GENERAL:
        return Version(frozenset((_GENERAL[telling[-1]],)), _details(words))
    return None


@lru_cache(maxsize=1 << 14)
def _spell_known(word: str) -> tuple[str, ...]:
    """The word, or the one that it is a misspelling of, or the two that it runs together."""
    if len(word) < _MIN_TYPO_LENGTH or word in _KNOWN or word.isdigit():
        return (word,)
    for general in ("version", "remix", "edit", "mix"):
        before = word.removesuffix(general)
        if before != word and (before in _VERSIONS or before in _EDITIONS):
            return before, general
    for known in _LONG_WORDS:
        if abs(len(known) - len(word)) <= 1 and OSA.distance(word, known, score_cutoff=1) <= 1:
            return (known,)
    return (word,)


def _complete(word: str) -> str:
    """The version word that a cut-off word begins, or the word."""
    if len(word) < _MIN_CUT_LENGTH or word in _KNOWN:
        return word
    return next((known for known in _CUT_WORDS if known.startswith(word)), word)


def _details(words: Sequence[str]) -> frozenset[str]:
    remastered = not _REMASTERED.isdisjoint(words)
    return frozenset(word for word in words if word not in _KNOWN and not (remastered and word.isdigit()))
