"""Text out of bytes whose encoding nobody wrote down.

Lists are written by programs of every age and country. Where a line is not UTF-8, the encodings that such
programs use are tried: the one wins in which most names are those of the user's own library, and where the
library knows none, the one that a detector finds the most like text.
"""

import codecs
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from charset_normalizer import from_bytes

from recommender.sources.rows.hints import NO_HINTS, Hints, What

# As players and DJ programs of each country write lists, the usual ones first.
_LATIN = ("cp1252", "mac_roman", "cp1250", "cp1254", "cp1257", "mac_latin2", "cp850", "cp437")
_OTHERS = (
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256"),
    *("cp874", "mac_cyrillic", "cp866"),
)
ENCODINGS = (*_LATIN, *_OTHERS)
SAMPLE_BYTES = 1 << 16
_FALLBACK = "cp1252"
_DAMAGED = 0.1  # of the lines
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD_BYTES = 512
_STRANGE_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_LATIN_SHARE = 0.45  # of the letters of a word with marks, so many have one; in other scripts all, or half
# What parts names in a line: of a path, of a table, of "Artist - Title", of the number before a title.
_BETWEEN_NAMES = re.compile(r"[\\/,;|\t\r\n\"=]|\s+-\s+|^\d{1,3}[\s._-]+", re.MULTILINE)


def decode_text(data: bytes, hints: Hints = NO_HINTS) -> str:
    """The text, by its mark, else as UTF-8; lines that are not UTF-8 in the encoding that fits them best.

    Lines are judged one by one: programs append to lists that others wrote.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    unmarked = _unmarked_utf16(data)
    if unmarked is not None:
        return data.decode(unmarked, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        lines = [(line, _utf8(line)) for line in data.splitlines(keepends=True)]
    encoding = find_encoding([line for line, read in lines if read is None], hints)
    return "".join(_decode_line(line, encoding) if read is None else read for line, read in lines)


def find_encoding(lines: Iterable[bytes], hints: Hints = NO_HINTS) -> str:
    """The encoding of lines that are not UTF-8: that of names in the library, else the most plausible."""
    sample, n_bytes = list[bytes](), 0
    for line in lines:
        sample.append(line)
        n_bytes += len(line)
        if n_bytes > SAMPLE_BYTES:
            break
    readings = {encoding: [_strictly(line, encoding) for line in sample] for encoding in ENCODINGS}
    # One line that is damaged says nothing against the encoding of the others.
    fit = {
        encoding: texts for encoding, texts in readings.items() if texts.count(None) <= _DAMAGED * len(texts)
    }
    n_known = {
        encoding: hints.count_known(_strange_names("".join(filter(None, texts))), *What)
        for encoding, texts in fit.items()
    }
    best = [encoding for encoding, n in n_known.items() if n == max(n_known.values())]
    if len(best) < 2:
        return best[0] if best else _FALLBACK
    whole = [line for n, line in enumerate(sample) if all(fit[encoding][n] is not None for encoding in best)]
    return _most_plausible(b"".join(whole), best)


def _most_plausible(sample: bytes, encodings: list[str]) -> str:
    """The detector's choice; of equals the first of ``ENCODINGS``: short names are good text in many."""
    words = b"".join(_STRANGE_WORD.findall(sample))
    if sum(byte > 0x7F for byte in words) < _LATIN_SHARE * len(words):
        encodings = [encoding for encoding in encodings if encoding in _LATIN] or encodings
    found = from_bytes(sample, cp_isolation=encodings, preemptive_behaviour=False, enable_fallback=False)
    rank = {
        name: (match.percent_chaos, -match.multi_byte_usage)
        for match in found
        for name in (match.encoding, *match.could_be_from_charset)
    }
    return min(encodings, key=lambda encoding: rank.get(encoding, (100.0, 0.0)))


def _strange_names(text: str) -> set[str]:
    """The names in a text that another encoding would spell otherwise; files without their suffix."""
    pieces = (piece.strip() for piece in _BETWEEN_NAMES.split(text))
    strange = {piece for piece in pieces if len(piece) > 1 and not piece.isascii()}
    return strange | {PurePosixPath(piece).stem for piece in strange}


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf8(line: bytes) -> str | None:
    return _strictly(line, "utf-8")


def _decode_line(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        # Five bytes stand for nothing in Windows-1252; each then keeps the place of a character.
        return line.decode(_FALLBACK, "replace")


def _unmarked_utf16(data: bytes) -> str | None:
    """Latin letters in UTF-16 leave every other byte zero."""
    head = data[:_HEAD_BYTES]
    n_pairs = len(head) // 2
    if n_pairs < 2:
        return None
    for encoding, zeros, others in (
        ("utf-16-le", head[1::2], head[::2]),
        ("utf-16-be", head[::2], head[1::2]),
    ):
        if zeros.count(0) > 0.6 * n_pairs and others.count(0) < 0.1 * n_pairs:
            return encoding
    return None
