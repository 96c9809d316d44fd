"""How alike two artist credits and titles are, and what else must agree before they are one recording."""

from dataclasses import dataclass, replace

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from recommender.matching.normalised_names import ArtistNames, TitleNames
from recommender.matching.version_words import LOOSE_EDITIONS, Version

EXACT_TOLERANCE_S = 10.0
NEAR_TOLERANCE_S = 3.0
_MIN_TYPO_LENGTH = 6
_MIN_CUT_LENGTH = 10
_ARTICLES = ("the", "an", "a")
_TOO_UNLIKE = 0.82
_CUT_TOLERANCE_S = 1.5
_MIN_ARTIST_LENGTH = 4
# The first of several artists says enough when it is no common word.
_TELLING_LENGTH = 9
_ALMOST = 0.85


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two names are.

    ``score`` in [0, 1]. ``tolerance_s`` is how far the lengths may differ, ``needs_duration`` says that
    they must be known, or the album be the same where ``album_will_do``; ``is_open`` that neither could
    settle it, and ``note`` why.
    """

    score: float
    tolerance_s: float = EXACT_TOLERANCE_S
    needs_duration: bool = False
    album_will_do: bool = False
    is_open: bool = False
    note: str = ""

    def weakened(
        self,
        factor: float,
        note: str,
        *,
        is_open: bool = False,
        album_will_do: bool = False,
        tolerance_s: float = NEAR_TOLERANCE_S,
    ) -> "Likeness":
        """The same with one more difference, which only equal lengths can make up for."""
        return Likeness(
            score=self.score * factor,
            tolerance_s=min(self.tolerance_s, tolerance_s),
            needs_duration=True,
            album_will_do=album_will_do and (self.album_will_do or not self.needs_duration),
            is_open=self.is_open or is_open or self.score * factor < _TOO_UNLIKE,
            note=self.note or note,
        )


UNLIKE = Likeness(0.0, is_open=True)
_SAME = Likeness(1.0)


def compare_names(
    asked_artist: ArtistNames, asked_title: TitleNames, artist: ArtistNames, title: TitleNames
) -> Likeness:
    """How alike what a row asks for and a track of the catalogue are, by name alone."""
    likeness = _compare_titles(asked_title, title)
    if likeness is UNLIKE:
        return UNLIKE
    likeness = _compare_artists(likeness, asked_artist, artist)
    if likeness is UNLIKE:
        return UNLIKE
    guests = (asked_artist.guests | asked_title.guests, artist.guests | title.guests)
    likeness = _compare_guests(likeness, guests, (asked_artist, asked_title), (artist, title))
    if asked_title.full == title.full:
        return _compare_vague(likeness, asked_title.version, title.version)
    return _compare_versions(likeness, asked_title, title)


def _compare_titles(asked: TitleNames, known: TitleNames) -> Likeness:
    same_key = asked.key == known.key
    if asked.full == known.full or (same_key and asked.subtitle == known.subtitle):
        return _compare_ends(asked, known)
    if _is_cut(asked, known) or _is_cut(known, asked):
        return _SAME.weakened(0.95, "a title is cut off", tolerance_s=_CUT_TOLERANCE_S)
    if asked.numbers != known.numbers:
        return UNLIKE
    if same_key and not (asked.subtitle and known.subtitle):
        return _SAME.weakened(0.97, "only one has a subtitle", is_open=asked.is_cut or known.is_cut)
    if _without_article(asked) == _without_article(known):
        return _SAME.weakened(0.97, "an article is missing", album_will_do=True)
    subtitles = (asked.subtitle, known.subtitle)
    return _compare_spelling(*(subtitles if same_key else (asked.key, known.key)))


def _compare_ends(asked: TitleNames, known: TitleNames) -> Likeness:
    """Titles that are the same as far as they go: what was cut off may have named a version."""
    if asked.is_cut or known.is_cut:
        is_open = asked.full != known.full
        return _SAME.weakened(0.97, "a title is cut off", tolerance_s=_CUT_TOLERANCE_S, is_open=is_open)
    if asked.may_be_cut or known.may_be_cut:
        return replace(_SAME, tolerance_s=NEAR_TOLERANCE_S)
    return _SAME


def _compare_spelling(asked: str, known: str) -> Likeness:
    """Typing errors: one in a short title, a few in a long one; more are for a person to judge."""
    shorter, longer = sorted((len(asked), len(known)))
    if shorter < _MIN_TYPO_LENGTH:
        return UNLIKE
    distance = OSA.distance(asked, known, score_cutoff=longer // 4)
    if distance > longer // 4:
        return UNLIKE
    few = distance <= max(1, longer // 10)
    is_plural = asked + "s" == known or known + "s" == asked
    return _SAME.weakened(1 - distance / longer, "they are spelled differently", is_open=is_plural or not few)


def _compare_artists(likeness: Likeness, asked: ArtistNames, known: ArtistNames) -> Likeness:
    if not asked.key or not known.key:
        return likeness.weakened(0.7, "one has no artist", is_open=True)
    everyone = (set(asked.parts) | asked.guests, set(known.parts) | known.guests)
    same_words = asked.key == known.key or asked.ordered == known.ordered
    if same_words or set(asked.parts) == set(known.parts) or everyone[0] == everyone[1]:
        return likeness
    if asked.parts[0] == known.parts[0] or asked.key == known.parts[0] or known.key == asked.parts[0]:
        return _compare_credits(likeness, len(asked.parts[0]))
    ratio = fuzz.ratio(asked.key, known.key, score_cutoff=75) / 100
    shares = not everyone[0].isdisjoint(everyone[1]) or asked.key in everyone[1] or known.key in everyone[0]
    if shares and ratio < _ALMOST:
        return likeness.weakened(0.92, "they share an artist", is_open=True)
    if min(len(asked.key), len(known.key)) < _MIN_ARTIST_LENGTH or ratio == 0:
        return UNLIKE
    return likeness.weakened(ratio, "the artist is spelled differently", is_open=ratio < _ALMOST)


def _compare_credits(likeness: Likeness, n_letters: int) -> Likeness:
    """One names more artists than the other: as guests, or "Earth" is not "Earth, Moon & Tide"."""
    if n_letters < _TELLING_LENGTH:
        return likeness.weakened(0.97, "one names more artists", album_will_do=True)
    return replace(
        likeness, score=likeness.score * 0.97, tolerance_s=min(likeness.tolerance_s, NEAR_TOLERANCE_S)
    )


def _compare_guests(
    likeness: Likeness,
    guests: tuple[frozenset[str], frozenset[str]],
    asked: tuple[ArtistNames, TitleNames],
    known: tuple[ArtistNames, TitleNames],
) -> Likeness:
    """Guests are often left out, so their absence says little; other guests make another recording."""
    asked_all = guests[0] | set(asked[0].parts) | asked[1].companions
    known_all = guests[1] | set(known[0].parts) | known[1].companions
    if not (guests[0] <= known_all or guests[1] <= asked_all):
        return likeness.weakened(0.9, "they name other guests", is_open=True)
    if not (asked[1].companions <= known_all and known[1].companions <= asked_all):
        return likeness.weakened(0.93, "only one is sung with somebody else", is_open=True)
    if guests[0] <= known_all and guests[1] <= asked_all:
        return likeness
    return replace(likeness, score=likeness.score * 0.985, tolerance_s=min(likeness.tolerance_s, 5.0))


def _compare_versions(likeness: Likeness, asked: TitleNames, known: TitleNames) -> Likeness:
    mine, theirs = asked.version, known.version
    if mine.kinds != theirs.kinds:
        other = ", ".join(sorted(mine.kinds ^ theirs.kinds))
        if likeness.score < _TOO_UNLIKE:
            return UNLIKE
        return replace(likeness.weakened(0.7, "", is_open=True), note=f"another version: {other}")
    if mine.kinds and mine.details != theirs.details:
        if mine.details <= theirs.details or theirs.details <= mine.details:
            return likeness.weakened(0.95, "only one says which version", tolerance_s=2.0)
        spelled = ("".join(sorted(mine.details)), "".join(sorted(theirs.details)))
        if fuzz.ratio(*spelled) < 85:
            return replace(likeness.weakened(0.7, "", is_open=True), note="another version of the kind")
    return _compare_vague(likeness, mine, theirs)


def _compare_vague(likeness: Likeness, mine: Version, theirs: Version) -> Likeness:
    """Two that both say "live", and no more, may be two evenings."""
    if mine.is_vague or theirs.is_vague:
        likeness = likeness.weakened(0.99, "it does not say which version", album_will_do=True)
    return _compare_editions(likeness, mine, theirs)


def _compare_editions(likeness: Likeness, mine: Version, theirs: Version) -> Likeness:
    if mine.editions == theirs.editions:
        return likeness
    if not LOOSE_EDITIONS.isdisjoint(mine.editions ^ theirs.editions):
        return likeness.weakened(0.98, "another edition")
    return replace(likeness, score=likeness.score * 0.995)


def _is_cut(shorter: TitleNames, longer: TitleNames) -> bool:
    """Whether one is the beginning of the other, as players that keep few characters leave it."""
    return (
        (shorter.is_cut or shorter.may_be_cut)
        and len(shorter.full.encode()) >= _MIN_CUT_LENGTH
        and len(shorter.full) < len(longer.full)
        and longer.full.startswith(shorter.full)
    )


def _without_article(title: TitleNames) -> str:
    key = title.key + title.subtitle
    for article in _ARTICLES:
        if key.startswith(article) and len(key) > len(article) + 3:
            return key.removeprefix(article)
    return key
