"""Tags that tinytag does not read: APEv2 at the end of a file, and ID3v2 with schemes for old players."""

import io
from typing import BinaryIO

from embeddings.decoding.formats import seven_bit_number

_ID3V1_BYTES = 128
_APE_FOOTER_BYTES = 32
_MOST_APE_BYTES = 16 << 20
_MOST_ID3_BYTES = 64 << 20
_IS_TEXT = 0
_CONTENT_DESCRIPTION = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_ASF_HEAD_BYTES = 1 << 16
_FRAME_HEADER_BYTES = 10
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40


def read_ape(file: BinaryIO) -> dict[str, list[str]]:
    """The text items of an APEv2 tag at the end of a file, by their names in small letters.

    https://wiki.hydrogenaud.io/index.php?title=APEv2_specification
    """
    end = file.seek(0, io.SEEK_END)
    for behind in (0, _ID3V1_BYTES):
        at = end - behind - _APE_FOOTER_BYTES
        footer = _read_at(file, at, _APE_FOOTER_BYTES) if at >= 0 else b""
        if footer[:8] == b"APETAGEX":
            size = int.from_bytes(footer[12:16], "little")
            start = at + _APE_FOOTER_BYTES - size
            if size > _MOST_APE_BYTES or start < 0:
                return {}
            return _ape_items(_read_at(file, start, size - _APE_FOOTER_BYTES))
    return {}


def _ape_items(data: bytes) -> dict[str, list[str]]:
    items: dict[str, list[str]] = {}
    at = 0
    while at + 8 < len(data):
        size, flags = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4))
        name_end = data.find(b"\0", at + 8)
        if name_end < 0:
            break
        name = data[at + 8 : name_end].decode("ascii", "replace").lower()
        value = data[name_end + 1 : name_end + 1 + size]
        if flags >> 1 & 3 == _IS_TEXT:
            texts = [text.strip() for text in value.decode("utf-8", "replace").split("\0")]
            items[name] = [text for text in texts if text]
        at = name_end + 1 + size
    return {name: texts for name, texts in items.items() if texts}


def read_asf_author(file: BinaryIO) -> str:
    """The author in the Content Description Object of a WMA (ASF specification, 3.10); empty without one."""
    head = _read_at(file, 0, _ASF_HEAD_BYTES)
    at = head.find(_CONTENT_DESCRIPTION) + 24
    if at < 24:
        return ""
    n_title, n_author = (int.from_bytes(head[at + n : at + n + 2], "little") for n in (0, 2))
    author = head[at + 10 + n_title : at + 10 + n_title + n_author]
    return author.decode("utf-16-le", "replace").rstrip("\0").strip()


def without_schemes(file: BinaryIO) -> bytes | None:
    """An ID3v2 tag without unsynchronisation and extended header, as a plain tag; None where it has neither.

    Bytes that an old player could have taken for audio are spelled out (ID3v2.3, section 5; ID3v2.4, 4.1.2
    and 6.1), in version 2.4 frame by frame.
    """
    header = _read_at(file, 0, _FRAME_HEADER_BYTES)
    if len(header) < _FRAME_HEADER_BYTES or header[:3] != b"ID3" or header[3] not in (3, 4):
        return None
    version, flags = header[3], header[5]
    body = _read_at(file, _FRAME_HEADER_BYTES, min(seven_bit_number(header[6:10]), _MOST_ID3_BYTES))
    if version == 3 and not flags & (_UNSYNCHRONISED | _EXTENDED):
        return None
    if version == 3 and flags & _UNSYNCHRONISED:
        body = body.replace(b"\xff\0", b"\xff")
    if flags & _EXTENDED:
        body = body[int.from_bytes(body[:4], "big") + 4 if version == 3 else seven_bit_number(body[:4]) :]
    if version == 4:
        if not flags & (_UNSYNCHRONISED | _EXTENDED) and not _any_scheme(body):
            return None
        body = _plain_frames(body, all_of_them=bool(flags & _UNSYNCHRONISED))
    return b"ID3" + bytes((version, 0, 0)) + _to_seven(len(body)) + body


def _any_scheme(body: bytes) -> bool:
    """Whether a frame of a version 2.4 tag is written in a scheme of its own."""
    at = 0
    while at + _FRAME_HEADER_BYTES <= len(body) and body[at] != 0:
        if body[at + 9] & 0x03:
            return True
        at += _FRAME_HEADER_BYTES + seven_bit_number(body[at + 4 : at + 8])
    return False


def _plain_frames(body: bytes, *, all_of_them: bool) -> bytes:
    frames, at = [], 0
    while at + _FRAME_HEADER_BYTES <= len(body) and body[at] != 0:
        size, flags = seven_bit_number(body[at + 4 : at + 8]), body[at + 9]
        data = body[at + _FRAME_HEADER_BYTES : at + _FRAME_HEADER_BYTES + size]
        if flags & 0x02 or all_of_them:
            data = data.replace(b"\xff\0", b"\xff")
        if flags & 0x01:  # the length before all that
            data = data[4:]
        frames.append(body[at : at + 4] + _to_seven(len(data)) + bytes((body[at + 8], flags & ~0x03)) + data)
        at += _FRAME_HEADER_BYTES + size
    return b"".join(frames)


def _to_seven(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _read_at(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    file.seek(position)
    return file.read(n_bytes)
