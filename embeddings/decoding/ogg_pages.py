"""How long an Ogg file is, by its pages (RFC 3533): all of its links, where recordings are chained."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

_HEADER_BYTES = 27
_BEGINS_STREAM = 0x02
_SEARCHED_BYTES = 1 << 16
_NO_GRANULE = 2**64 - 1
# A stream cut out of another begins later than at 0; no encoder begins a whole one so late.
_LATEST_START_S = 2.0


class Links(NamedTuple):
    """Seconds of each link of a file, one unless recordings were chained.

    ``is_opus`` says whether any is Opus, ``is_torn`` whether the file ends in the middle of a page.
    """

    durations_s: tuple[float, ...]
    is_opus: bool
    is_torn: bool


@dataclass
class _Link:
    serial: bytes
    rate_hz: int
    first: int = -1
    last: int = 0

    @property
    def duration_s(self) -> float:
        start = self.first if self.first > _LATEST_START_S * self.rate_hz else 0
        return max(self.last - start, 0) / self.rate_hz


def read_links(path: Path, start: int) -> Links:
    """Return the links of sound; of several streams side by side, the first counts."""
    links: list[_Link] = []
    is_opus = is_torn = False
    with path.open("rb") as file:
        n_bytes = file.seek(0, 2)
        file.seek(start)
        is_open = False  # whether a page that is no beginning came since the last beginning
        for header, body in _pages(file):
            is_torn = file.tell() > n_bytes
            if is_torn:
                break
            if header[5] & _BEGINS_STREAM:
                rate_hz = _rate_of(body)
                is_opus |= body[:8] == b"OpusHead"
                if rate_hz and (is_open or not links):
                    links.append(_Link(header[14:18], rate_hz))
                    is_open = False
                continue
            is_open = True
            granule = int.from_bytes(header[6:14], "little")
            if links and header[14:18] == links[-1].serial and 0 < granule < _NO_GRANULE >> 1:
                links[-1].first = granule if links[-1].first < 0 else links[-1].first
                links[-1].last = max(links[-1].last, granule)
    return Links(tuple(link.duration_s for link in links), is_opus, is_torn)


def _pages(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield (header, beginning of the body) of each page, whatever lies between them."""
    while True:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return
        if header[:4] != b"OggS":
            if not _find_page(file, header):
                return
            continue
        n_body = sum(file.read(header[26]))
        body = file.read(min(n_body, 64)) if header[5] & _BEGINS_STREAM else b""
        file.seek(n_body - len(body), 1)
        yield header, body


def _find_page(file: BinaryIO, seen: bytes) -> bool:
    """Go to the next page behind damage, from the bytes last read on."""
    position = file.tell() - len(seen) + 1
    while True:
        file.seek(position)
        chunk = file.read(_SEARCHED_BYTES)
        at = chunk.find(b"OggS")
        if at >= 0:
            file.seek(position + at)
            return True
        if len(chunk) < _SEARCHED_BYTES:
            return False
        position += len(chunk) - 3


def _rate_of(first_packet: bytes) -> int:
    """Granules a second of a stream of sound, 0 for any other."""
    if first_packet[:7] == b"\x01vorbis":
        return int.from_bytes(first_packet[12:16], "little")
    if first_packet[:8] == b"OpusHead":
        return 48_000
    if first_packet[:5] == b"\x7fFLAC":
        return int.from_bytes(first_packet[27:30], "big") >> 4
    if first_packet[:8] == b"Speex   ":
        return int.from_bytes(first_packet[36:40], "little")
    return 0
