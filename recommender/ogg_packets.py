"""The audio packets of an Ogg file, without the page headers and the comments that retagging rewrites."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

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
