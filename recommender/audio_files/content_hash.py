"""Hash of what a file sounds like: the audio payload without tags, so that retagging changes nothing.

Containers are told apart by their first bytes, never by the file's name. What is not understood is
hashed as a whole: the worst that can happen is that a retagged file counts as a new track.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from embeddings.stretch import Stretch

CHUNK_BYTES = 1 << 20
_ID3V1_BYTES = 128
_APE_FOOTER_BYTES = 32
_APE_HAS_HEADER = 0x80000000
_WHOLE_FILE = 0xFFFFFFFF

Span = tuple[int, int]


def content_sha256(path: Path) -> str:
    """64 hex digits, equal for files that hold the same encoded audio under any tags and any name."""
    with path.open("rb") as file:
        digest = _hash(_payload(file))
        # A container that holds nothing we understand still has to be told from other such files.
        if digest is None:
            digest = _hash(_read_spans(file, [(0, _size(file))]))
    return digest or hashlib.sha256().hexdigest()


def stretch_sha256(content: str, stretch: Stretch) -> str:
    """The hash of a stretch of a file with this content hash: that of the file where it is all of it."""
    if stretch.is_whole:
        return content
    return hashlib.sha256(f"{content}:{stretch.start_s!r}:{stretch.end_s!r}".encode()).hexdigest()


def _hash(chunks: Iterator[bytes]) -> str | None:
    """The digest, None when there was nothing to hash."""
    digest, n_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        n_bytes += len(chunk)
    return digest.hexdigest() if n_bytes else None


def _payload(file: BinaryIO) -> Iterator[bytes]:
    """The encoded audio, whatever the container."""
    start, end = _without_outer_tags(file)
    file.seek(start)
    magic = file.read(12)
    if magic[:4] == b"OggS":
        file.seek(start)
        return ogg_audio(file)
    for matches, find_spans in _CONTAINERS:
        if matches(magic):
            return _read_spans(file, find_spans(file, start, end))
    return _read_spans(file, [(start, end)])


def _read_spans(file: BinaryIO, spans: list[Span]) -> Iterator[bytes]:
    for start, end in spans:
        file.seek(start)
        left = end - start
        while left > 0 and (chunk := file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def _without_outer_tags(file: BinaryIO) -> Span:
    """Where the file begins and ends without ID3v2 in front and ID3v1 or APE at the back."""
    start, end = 0, _size(file)
    while (length := _id3v2_bytes(_read_at(file, start, 10))) and start + length <= end:
        start += length
    if end - start >= _ID3V1_BYTES and _read_at(file, end - _ID3V1_BYTES, 3) == b"TAG":
        end -= _ID3V1_BYTES
    length = _ape_bytes(_read_at(file, max(end - _APE_FOOTER_BYTES, 0), _APE_FOOTER_BYTES))
    return start, max(end - length, start)


def _id3v2_bytes(header: bytes) -> int:
    """Length of an ID3v2 tag with its header and footer, 0 when there is none."""
    if len(header) < 10 or header[:3] != b"ID3" or max(header[6:10]) > 0x7F:
        return 0
    length = 0
    for byte in header[6:10]:
        length = length << 7 | byte
    has_footer = bool(header[5] & 0x10)
    return length + (20 if has_footer else 10)


def _ape_bytes(footer: bytes) -> int:
    """Length of an APE tag with this footer, 0 when there is none."""
    if footer[:8] != b"APETAGEX":
        return 0
    length = int.from_bytes(footer[12:16], "little")
    flags = int.from_bytes(footer[20:24], "little")
    return length + (_APE_FOOTER_BYTES if flags & _APE_HAS_HEADER else 0)


def _flac_frames(file: BinaryIO, start: int, end: int) -> list[Span]:
    """What follows the metadata blocks (RFC 9639, section 8)."""
    position, is_last = start + 4, False
    while not is_last:
        header = _read_at(file, position, 4)
        if len(header) < 4:
            return []
        is_last = bool(header[0] & 0x80)
        position += 4 + int.from_bytes(header[1:], "big")
    return [(position, end)]


def _riff_audio(file: BinaryIO, start: int, end: int) -> list[Span]:
    """The format and sample chunks of WAV (fmt, data) and AIFF (COMM, SSND)."""
    order = "big" if _read_at(file, start, 4) in (b"FORM", b"RIFX") else "little"
    spans, position = [], start + 12
    while len(header := _read_at(file, position, 8)) == 8:
        length = int.from_bytes(header[4:], "little" if order == "little" else "big")
        # A recorder that was cut off, or a file above 4 GB, states no length.
        to_end = header[:4] == b"data" and length in (0, _WHOLE_FILE)
        body = (position + 8, end if to_end else min(position + 8 + length, end))
        if header[:4] in (b"fmt ", b"data", b"COMM", b"SSND"):
            spans.append(body)
        if to_end:
            break
        position += 8 + length + length % 2
    return spans


def _mp4_audio(file: BinaryIO, start: int, end: int) -> list[Span]:
    """The media data boxes (ISO 14496-12)."""
    spans, position = [], start
    while len(header := _read_at(file, position, 16)) >= 8:
        length, header_bytes = int.from_bytes(header[:4], "big"), 8
        if length == 1:
            length, header_bytes = int.from_bytes(header[8:16], "big"), 16
        length = length or end - position
        if length < header_bytes:
            break
        if header[4:8] == b"mdat":
            spans.append((position + header_bytes, min(position + length, end)))
        position += length
    return spans


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def _read_at(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    file.seek(position)
    return file.read(n_bytes)


_CONTAINERS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int, int], list[Span]]], ...] = (
    (lambda magic: magic[:4] == b"fLaC", _flac_frames),
    (lambda magic: magic[:4] in (b"RIFF", b"RIFX", b"RF64") and magic[8:] == b"WAVE", _riff_audio),
    (lambda magic: magic[:4] == b"FORM" and magic[8:] in (b"AIFF", b"AIFC"), _riff_audio),
    (lambda magic: magic[4:8] == b"ftyp", _mp4_audio),
)


_HEADER_BYTES = 27
_CONTINUES_PACKET = 0x01
_BEGINS_STREAM = 0x02


@dataclass
class _Stream:
    """How far one logical stream has been read: its head packets come first."""

    n_packets: int = 0
    is_audio: Callable[[int, bytes], bool] | None = None


def ogg_audio(file: BinaryIO) -> Iterator[bytes]:
    """Payload of an Ogg file (RFC 3533) from its position on, head packets left out.

    Of each logical stream the packets before the first audio packet are left out whole; from there on
    the page bodies are what a player decodes, in order.
    """
    streams: dict[bytes, _Stream] = {}
    while len(header := file.read(_HEADER_BYTES)) == _HEADER_BYTES and header[:4] == b"OggS":
        serial, lacing = header[14:18], file.read(header[26])
        body = file.read(sum(lacing))
        if header[5] & _BEGINS_STREAM or serial not in streams:
            streams[serial] = _Stream(is_audio=_audio_rule(body))
        is_continued = bool(header[5] & _CONTINUES_PACKET)
        yield _audio_of_page(streams[serial], lacing, body, is_continued=is_continued)


def _audio_of_page(stream: _Stream, lacing: bytes, body: bytes, *, is_continued: bool) -> bytes:
    """The part of a page's body that belongs to audio packets."""
    if stream.is_audio is None:
        return body
    position = 0
    for start, end, is_complete in _packets(lacing):
        begins_here = start > 0 or not is_continued
        if begins_here and stream.is_audio(stream.n_packets, body[start:end]):
            stream.is_audio = None
            return body[position:]
        stream.n_packets += is_complete
        position = end
    return b""


def _packets(lacing: bytes) -> Iterator[tuple[int, int, bool]]:
    """(start, end, is complete) of each packet in a page's body."""
    start = position = 0
    for n_bytes in lacing:
        position += n_bytes
        if n_bytes < 255:
            yield start, position, True
            start = position
    if position > start:
        yield start, position, False


def _audio_rule(first_packet: bytes) -> Callable[[int, bytes], bool]:
    """(number of the packet, packet) -> whether the audio begins with it, for the stream's codec."""
    if first_packet[:7] == b"\x01vorbis":
        return lambda number, packet: number >= 3
    if first_packet[:8] == b"OpusHead":
        return lambda number, packet: number >= 2
    if first_packet[:5] == b"\x7fFLAC":
        # How many metadata blocks there are is for each file to choose; frames begin with a sync code.
        return lambda number, packet: number >= 1 and packet[:1] == b"\xff"
    return lambda number, packet: True
