"""libsndfile: wav, flac, ogg, opus, mp3, aiff and more; the fastest where it can be trusted."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from embeddings.decoding.decoder import Samples, display_name
from embeddings.errors import UndecodableAudio

# libsndfile's way to say that a header does not tell the length.
_UNKNOWN_LENGTH = 2**63 - 1


class SoundfileDecoder:
    """See :class:`embeddings.decoding.decoder.Seeker` and its ``Reader``."""

    def __init__(self, path: Path) -> None:
        try:
            # Bytes, because a name may be invalid UTF-8. TypeError: a file called .raw needs a rate from us.
            self._file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else str(path))
        except (soundfile.SoundFileError, TypeError) as error:
            raise UndecodableAudio(
                f"{display_name(path)} is in no format that could be read as audio"
            ) from error
        if self._file.format == "RAW":  # a guess by the name, where there is no header
            self._file.close()
            raise UndecodableAudio(f"{display_name(path)} is in no format that could be read as audio")
        self.sample_rate_hz: int = self._file.samplerate
        self.n_channels: int = self._file.channels
        self.n_samples: int | None = self._file.frames if self._file.frames < _UNKNOWN_LENGTH else None
        self.claimed_samples, self.is_torn = self.n_samples, False

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`embeddings.decoding.decoder.Seeker`."""
        try:
            if self._file.tell() != start:
                self._file.seek(start)
            samples: Samples = self._file.read(n_samples, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            return np.empty((0, self.n_channels), dtype=np.float32)
        return samples

    def blocks(self) -> Iterator[Samples]:
        """All samples up to the first damage; see :class:`embeddings.decoding.decoder.Reader`."""
        start, block = 0, self.read(0, self.sample_rate_hz)
        while len(block):
            yield block
            start += len(block)
            block = self.read(start, self.sample_rate_hz)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
