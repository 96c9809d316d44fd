"""Text out of bytes whose encoding nobody wrote down."""

import codecs

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD_BYTES = 512


def decode_text(data: bytes) -> str:
    """The text, by its mark, else as UTF-8; lines that are not UTF-8 as Windows-1252.

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
        return "".join(_decode_line(line) for line in data.splitlines(keepends=True))


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


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        # Five bytes stand for nothing in Windows-1252; each then keeps the place of a character.
        return line.decode("cp1252", "replace")
