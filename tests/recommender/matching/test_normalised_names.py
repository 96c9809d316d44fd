"""Names as people and programs write them, and what is left of them to compare."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommender.matching.normalised_names import (
    fold_key,
    read_artist,
    read_title,
    split_line,
    strip_track_number,
)
from recommender.matching.version_words import read_version


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Motörhead", "motorhead"),
        ("Beyoncé", "BEYONCE"),
        ("Sigur Rós", "Sigur Ro\u0301s"),
        ("Røyksopp", "Royksopp"),
        ("AC/DC", "AC DC"),
        ("R.E.M.", "REM"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("Florence + The Machine", "Florence and the Machine"),
        ("Guns N' Roses", "Guns 'n' Roses"),
        ("Ke$ha", "Kesha"),
        ("P!nk", "PINK"),
        ("Don’t", "Don't"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("Ёлка", "елка"),
        ("Part II", "Pt. 2"),
        ("Vol. One", "Volume 1"),
        ("Rocky IV", "Rocky 4"),
        ("Straße", "STRASSE"),
    ],
)
def test_one_name_written_in_two_ways_has_one_key(one: str, other: str) -> None:
    assert fold_key(one) == fold_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ハス", "バス"),  # a mark makes another letter in Japanese,
        ("мой", "мои"),  # and й is no и,
        ("कि", "की"),  # nor are vowel signs ornaments
        ("Part 1", "Part 2"),
        ("+44", "44"),
        ("!!!", "???"),
        ("÷", "×"),
    ],
)
def test_different_names_keep_different_keys(one: str, other: str) -> None:
    assert fold_key(one) != fold_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beatles, The", "The Beatles"),
        ("The Beatles", "beatles"),
        ("Daft Punk feat. Pharrell Williams", "Daft Punk"),
        ("Daft Punk ft Pharrell", "Daft Punk (featuring Pharrell)"),
    ],
)
def test_an_artist_is_known_without_article_and_guests(one: str, other: str) -> None:
    assert read_artist(one).key == read_artist(other).key


def test_an_artist_is_taken_apart() -> None:
    names = read_artist("Earth, Moon & Tide feat. Ann X")
    assert names.parts == ("earth", "moon", "tide")
    assert names.guests == {"annx"}
    assert read_artist("Bowie, David").ordered == read_artist("David Bowie").ordered
    assert read_artist("Various Artists").key == read_artist("unknown artist").key == ""
    assert read_artist("The The").key == "thethe"
    assert not read_artist("Song (Live)").is_plain


@pytest.mark.parametrize(
    ("title", "key", "kinds", "details"),
    [
        ("Song", "song", set(), set()),
        ("Song (Live)", "song", {"live"}, set()),
        ("Song - Live at Leeds", "song", {"live"}, {"leeds"}),
        ("Song [Ann X Remix]", "song", {"remix"}, {"ann", "x"}),
        ("Song (Radio Edit)", "song", {"radio"}, set()),
        ("Song (Acoustic Version)", "song", {"acoustic"}, set()),
        ("Song - Instrumental - Remastered 2011", "song", {"instrumental"}, set()),
        ("Song (Live 1999 / Remastered 2011)", "song", {"live"}, set()),
        ("Song (Taylor's Version)", "song", {"version"}, {"taylors"}),
        ("Song (2019 Mix)", "song", {"remix"}, {"2019"}),
        ("Song (Original Mix)", "song", set(), set()),
        ("Song - Remastered 2011", "song", set(), set()),
        ("Song 2011 Remaster", "song", set(), set()),
        ("Song (From the Motion Picture X)", "song", set(), set()),
        ("Song (Album Version)", "song", set(), set()),
        ("Song (Insturmental)", "song", {"instrumental"}, set()),
        ("Song (RadioEdit)", "song", {"radio"}, set()),
        ("Song (Acou…", "song", {"acoustic"}, set()),
        ("残酷な歌（Live）", "残酷な歌", {"live"}, set()),
        ("Live and Let Die", "liveandletdie", set(), set()),
        ("You Only Live Twice", "youonlylivetwice", set(), set()),
        ("(Don't Fear) Thunder", "dontfearthunder", set(), set()),
        ("(Untitled)", "untitled", set(), set()),
    ],
)
def test_a_title_is_told_from_its_version(title: str, key: str, kinds: set[str], details: set[str]) -> None:
    names = read_title(title)
    assert (names.key, set(names.version.kinds), set(names.version.details)) == (key, kinds, details)


def test_guests_companions_subtitles_and_cuts() -> None:
    assert read_title("Song (feat. Ann X)").guests == {"annx"}
    assert read_title("Song ft. Ann Ray & Bo").guests == {"annray", "bo"}
    assert read_title("Song (with Ann X)").companions == {"annx"}
    assert read_title("Sweet Sleep (Are Made of This)").subtitle == "aremadeofthis"
    assert read_title("Wall, Pt. 2").numbers == read_title("Wall (Part II)").numbers == ("2",)
    assert read_title("A Long Title (Live at").is_cut
    assert read_title("A Long Titl…").is_cut
    assert not read_title("A Long Title (Live)").is_cut
    assert read_title("x" * 30).may_be_cut


@pytest.mark.parametrize("words", [["only", "live", "twice"], ["are", "made", "of", "this"], ["1999"], []])
def test_what_names_no_version_is_part_of_the_title(words: list[str]) -> None:
    assert read_version(words) is None


def test_lines_and_track_numbers() -> None:
    assert split_line("Ann X - Song - Live") == ("Ann X", "Song - Live")
    assert split_line("Jay-Z") is None
    assert split_line(" - Song") is None
    assert strip_track_number("03. Song") == strip_track_number("03 - Song") == "Song"
    assert strip_track_number("7") == "7"


@example("¯")
@given(st.text(max_size=60))
def test_any_text_is_read_and_reading_it_again_changes_nothing(text: str) -> None:
    read_title(text)
    read_artist(text)
    key = fold_key(text)
    assert key == fold_key(f" {text} ")
    assert bool(key) == bool(text.strip()) or not text.strip(string.whitespace + "\x1c\x1d\x1e\x1f\x85\xa0'")
