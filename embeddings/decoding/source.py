"""One file and everybody who can decode it: in which order they are asked, and how long it should be."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from embeddings.decoding.decoder import Reader, Seeker, display_name
from embeddings.decoding.formats import FLAC, MPEG_AUDIO, OGG, Found, recognise_format
from embeddings.decoding.header_claims import read_claim_of
from embeddings.decoding.mpeg_frames import Claim, read_claim
from embeddings.decoding.ogg_pages import read_links
from embeddings.decoding.tag_lengths import read_tag_length
from embeddings.decoding.with_ffmpeg import FfmpegDecoder, find_ffmpeg
from embeddings.decoding.with_libsndfile import SoundfileDecoder
from embeddings.errors import MissingDecoder, UndecodableAudio

# Encoders pad, and headers round: lengths that differ by less are the same.
_SAME_LENGTH_S = 0.1
_SAME_LENGTH_SHARE = 0.001
# The pages of an Ogg file say where the sound ends, not always where it begins.
_SAME_OGG_S = 0.3
# A first frame, with its header, is never longer.
_FIRST_FRAME_BYTES = 4096
# Tags at the end of an mp3 count as music in some encoders' headers, and not in others'.
_SAME_BYTES, _SAME_BYTES_SHARE = 8192, 0.005


_Opened = TypeVar("_Opened")


def has_libav() -> bool:
    """Whether PyAV is installed."""
    return find_spec("av") is not None


class Source:
    """A recognised file.

    Attributes
    ----------
    whole_s : float
        The longest length that anything believable says of it: header, pages, frames. 0 until something does.
    is_torn : bool
        Whether it ends in the middle of a frame or page, where nothing says how long it was.
    tag_s : float or None
        What a tag says of the length, which may be that of another edition.
    """

    def __init__(self, path: Path) -> None:
        """Look at the file's bytes.

        Raises
        ------
        UndecodableAudio
            It cannot be read, or holds nothing that is known as audio.
        """
        self.path, self.whole_s, self.is_torn = path, 0.0, False
        self.tag_s: float | None = None
        try:
            # Not everything with a name can be read to its end: a pipe would be waited for without end.
            if not path.is_file():
                raise UndecodableAudio(f"{display_name(path)} is not a file")
            if path.stat().st_size == 0:
                raise UndecodableAudio(f"{display_name(path)} is empty (0 bytes)")
            self._found = recognise_format(path)
            self._n_links = self._read_claims()
        except OSError as error:
            raise UndecodableAudio(f"{display_name(path)} cannot be read: {error.strerror}") from error
        self._first_error: UndecodableAudio | None = None

    def _read_claims(self) -> int:
        """Note what can be told from the bytes; how many recordings are chained."""
        self._mp3_claim: Claim | None = None
        self._is_opus = False
        if self._found is None:
            return 1
        known, start = self._found
        self.tag_s = read_tag_length(self.path)
        if known is OGG:
            links = read_links(self.path, start)
            self._is_opus = links.is_opus
            self.note_length(sum(links.durations_s))
            self.is_torn = links.is_torn
            return len(links.durations_s)
        self.note_length(read_claim_of(known.demuxer, self.path, start) or 0.0)
        if known is MPEG_AUDIO:
            with self.path.open("rb") as file:
                file.seek(start)
                self._mp3_claim = read_claim(file.read(_FIRST_FRAME_BYTES))
        return 1

    def seekers(self) -> Iterator[Seeker]:
        """Open those whose idea of the length can be trusted, one after the other, the best first."""
        if self._n_links > 1:
            return  # libraries know the length of the first recording, or of the last
        first = self._try(self._open_libsndfile) if self._may_ask_libsndfile() else None
        if first is not None and not self._needs_second_opinion(first):
            yield first
            first = None
        second = self._try(self._open_seeker) if self._found is not None else None
        if first is not None:
            if second is not None and _is_same(first, second):
                yield first
            else:
                first.close()
        if second is not None:
            yield second

    def _may_ask_libsndfile(self) -> bool:
        """Whether libsndfile reads the format, as fast as anybody, and is right about the length."""
        if self._found is None:
            return True
        known = self._found.format
        if known is MPEG_AUDIO and has_libav():
            return self._mp3_claim is not None and self._holds_claim(self._mp3_claim)
        return bool(known.has_libsndfile) and not (self._is_opus and has_libav())

    def _needs_second_opinion(self, decoder: SoundfileDecoder) -> bool:
        """Whether the length that libsndfile takes a file to have may be another."""
        if not decoder.n_samples:
            return True
        known = None if self._found is None else self._found.format
        if known is OGG:
            return abs(decoder.n_samples / decoder.sample_rate_hz - self.whole_s) > _SAME_OGG_S
        return known is FLAC and has_libav()

    def _open_libsndfile(self) -> SoundfileDecoder:
        if self._found is not None and not self._found.format.has_libsndfile:
            raise UndecodableAudio(f"{display_name(self.path)} is not for libsndfile")
        return SoundfileDecoder(self.path)

    def _holds_claim(self, claim: Claim) -> bool:
        """Whether an mp3 has as many bytes as its header says: else it was cut, or joined."""
        assert self._found is not None
        n_bytes: int = self.path.stat().st_size - self._found.start
        self.note_length(claim.duration_s if claim.n_bytes > n_bytes else 0.0)
        allowed = max(_SAME_BYTES, _SAME_BYTES_SHARE * n_bytes)
        return -allowed < n_bytes - claim.n_bytes < allowed

    def open_reader(self, row: int) -> Reader:
        """Open one of :meth:`readers` alone, by its place among them."""
        for at, reader in enumerate(self.readers()):
            if at == row:
                return reader
            reader.close()
        raise AssertionError(f"{display_name(self.path)} has no reader {row}")

    def readers(self) -> Iterator[Reader]:
        """Open those who can read from the start to the end, the one who puts up with most first.

        Raises
        ------
        UndecodableAudio, MissingDecoder
            After the last, when none could open the file.
        """
        n_open = 0
        candidates: list[Callable[[], Reader]] = [self._open_libsndfile]
        if self._found is not None:
            candidates.insert(0, self._open_reader)
        for candidate in candidates:
            reader = self._try(candidate)
            if reader is not None:
                n_open += 1
                yield reader
        if n_open == 0 and self._first_error is not None:
            raise self._first_error

    def note_length(self, duration_s: float) -> None:
        """Take note of a length that is there, or is believably said to be there."""
        self.whole_s = max(self.whole_s, duration_s)

    def _try(self, opening: Callable[[], _Opened]) -> _Opened | None:
        """What was opened; None where that fails, and the first failure is kept."""
        try:
            return opening()
        except UndecodableAudio as error:
            # What an optional decoder says of a file is more than that libsndfile does not know it.
            if self._first_error is None or isinstance(error, MissingDecoder):
                self._first_error = error
            return None

    def _open_seeker(self) -> Seeker:
        found = self._found
        assert found is not None
        if not has_libav():
            return self._open_ffmpeg(found)
        from embeddings.decoding.with_libav import LibavSeeker
        from embeddings.decoding.with_libav_frames import FrameSeeker

        return FrameSeeker(self.path, found) if found.format.is_raw else LibavSeeker(self.path, found)

    def _open_reader(self) -> Reader:
        found = self._found
        assert found is not None
        if not has_libav():
            return self._open_ffmpeg(found)
        from embeddings.decoding.with_libav import LibavReader

        return LibavReader(self.path, found)

    def _open_ffmpeg(self, found: Found) -> FfmpegDecoder:
        program = find_ffmpeg()
        if program is None:
            raise MissingDecoder(
                f"{display_name(self.path)} is {found.format.title}, and neither PyAV nor ffmpeg is there: "
                "install PyAV (pip install av) or put ffmpeg on the PATH"
            )
        return FfmpegDecoder(self.path, found, program=program)


def _is_same(first: Seeker, second: Seeker) -> bool:
    """Whether two decoders agree on the length of a file."""
    if not first.n_samples or not second.n_samples:
        return False
    a, b = first.n_samples / first.sample_rate_hz, second.n_samples / second.sample_rate_hz
    return abs(a - b) <= max(_SAME_LENGTH_S, _SAME_LENGTH_SHARE * b)
