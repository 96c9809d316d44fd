"""Text out of bytes of every country: by marks, by the library, and by what looks most like text."""

from collections.abc import Collection, Mapping

import pytest

from recommender.sources.rows.hints import What
from recommender.sources.rows.text_decoding import decode_text, find_encoding

NAMES = {
    "cp932": "夜明けの東京/アーティスト名/01 桜の花.mp3",
    "euc_jp": "夜明けの東京/アーティスト名/01 桜の花.mp3",
    "gb18030": "邓丽君/月亮代表我的心.mp3",
    "big5": "周杰倫/青花瓷.mp3",
    "cp949": "아이유/좋은 날.mp3",
    "koi8_r": "Кино/Группа крови.mp3",
    "cp1251": "Кино/Группа крови.mp3",
    "cp1253": "Μαρία/Τραγούδι.mp3",
    "cp1252": "Sigur Rós/Ágætis byrjun/Svefn-g-englar.mp3",
    "mac_roman": "Sigur Rós/Ágætis byrjun/Olsen Olsen é.mp3",
    "cp1250": "Dvořák/Česká suita.mp3",
    "cp437": "Björk/Jóga.mp3",
}
AMBIGUOUS = ("mac_roman", "cp1250", "cp437")  # a few names are as good text in another encoding


class Library:
    """Has these files."""

    def __init__(self, *paths: str) -> None:
        parts = {part for path in paths for part in path.split("/")}
        self.names = parts | {part.rpartition(".")[0] for part in parts}
        self.n_asked = 0

    def count_known(self, texts: Collection[str], *what: What) -> int:
        self.n_asked += 1
        return sum(text in self.names for text in texts)

    def columns_of(self, head: str) -> Mapping[str, int] | None:
        return None

    def note_columns(self, head: str, columns: Mapping[str, int]) -> None:
        return None


@pytest.mark.parametrize("encoding", NAMES)
def test_names_of_the_library_decide(encoding: str) -> None:
    path = NAMES[encoding]
    data = f"#EXTM3U\n{path}\nplain.mp3\n".encode(encoding)
    assert decode_text(data, Library(path)) == f"#EXTM3U\n{path}\nplain.mp3\n"


@pytest.mark.parametrize("encoding", [encoding for encoding in NAMES if encoding not in AMBIGUOUS])
def test_without_a_library_a_detector_does(encoding: str) -> None:
    assert decode_text(NAMES[encoding].encode(encoding)) == NAMES[encoding]


def test_what_is_utf_8_stays_so_beside_lines_that_are_not() -> None:
    mixed = "Sigur Rós - Ágætis\n".encode() + "Björk - Jóga\n".encode("cp1252") + "夜 - 海\n".encode()
    assert decode_text(mixed) == "Sigur Rós - Ágætis\nBjörk - Jóga\n夜 - 海\n"


def test_the_library_is_not_asked_about_what_is_clear() -> None:
    library = Library("Björk")
    for data in ("Björk".encode(), b"\xef\xbb\xbfBj", "Björk".encode("utf-16"), b"plain"):
        decode_text(data, library)
    assert library.n_asked == 0


def test_a_damaged_line_does_not_spoil_the_others() -> None:
    good = "桜の花のように\n".encode("cp932")
    text = decode_text(good * 20 + b"\x82\n")
    assert text.startswith("桜の花のように\n" * 20) and text.endswith("\n")


def test_only_so_much_is_looked_at() -> None:
    library = Library("Björk")
    lines = ["Björk\n".encode("cp1252")] * 200_000
    assert find_encoding(lines, library) == "cp1252"
    assert library.n_asked < 30
