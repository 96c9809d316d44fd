"""XML as programs write it for tags that hold anything: characters that XML forbids are taken out.

One control character in one title must not cost a whole library. What a tag or an entity is made of is left
alone, so that nothing gets past the parser that it would refuse.
"""

import codecs
import re
from collections.abc import Iterator

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));")
_LONGEST_REFERENCE = 12
_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0", b"\0<")


def clean_chunks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of an XML file, an empty one at the end, without characters that XML 1.0 (2.2) forbids.

    Bytes that are no UTF-8, in a file that says it is or says nothing, become the replacement character. A
    file of two bytes a character is left as it is.
    """
    first = next(chunks, b"")
    if first.startswith(_WIDE):
        yield first
        yield from chunks
        return
    declared = _ENCODING.search(first.removeprefix(codecs.BOM_UTF8))
    is_utf8 = declared is None or declared[1].decode("ascii").lower() in _UTF8
    decoder = codecs.getincrementaldecoder("utf-8")("replace") if is_utf8 else None
    held = b""
    chunk = first
    while True:
        is_last = not chunk
        if decoder is not None:
            chunk = decoder.decode(chunk, is_last).encode("utf-8")
        chunk = held + chunk
        # A reference may lie across two pieces.
        cut = chunk.rfind(b"&", max(len(chunk) - _LONGEST_REFERENCE, 0))
        chunk, held = (chunk[:cut], chunk[cut:]) if cut >= 0 and not is_last else (chunk, b"")
        if chunk:
            yield _REFERENCE.sub(_allowed_reference, _CONTROL.sub(b" ", chunk))
        if is_last:
            yield b""
            return
        chunk = next(chunks, b"")


def _allowed_reference(reference: re.Match[bytes]) -> bytes:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    is_allowed = code in (0x9, 0xA, 0xD) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD
    return reference[0] if is_allowed or 0x10000 <= code <= 0x10FFFF else b" "
