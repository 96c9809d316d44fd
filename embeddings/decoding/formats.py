"""Every audio format that is heard: its names, how a file of it begins, and who decodes it.

The one list for a scan, for a question and for the operator. libav is only ever told to read what was
recognised here: left to guess, it also opens text files as streaming playlists, and fetches what they name.
"""

from pathlib import Path
from typing import BinaryIO, NamedTuple

from embeddings.decoding.mpeg_frames import find_frames

_ID3_HEADER_BYTES = 10
# So much may lie in front of the first MPEG frame: a picture, a torn tag, a page of HTML.
_MOST_JUNK_BYTES = 32 << 20
_LITTLE_BYTES = 1 << 16


class Format(NamedTuple):
    """A file format.

    Attributes
    ----------
    demuxer : str
        libav's name for it.
    has_libsndfile : bool
        libsndfile reads it as well, and is asked first.
    is_raw : bool
        Nothing but frames, one behind the other: what the header claims of the length is a guess.
    """

    title: str
    demuxer: str
    suffixes: tuple[str, ...] = ()
    magics: tuple[tuple[int, bytes], ...] = ()
    has_libsndfile: bool = False
    is_raw: bool = False


MPEG_AUDIO = Format("MPEG audio (mp3)", "mp3", (".mp3", ".mp2", ".mp1", ".mpga"), (), True, True)
ADTS = Format("AAC (aac)", "aac", (".aac", ".adts"), (), False, True)
OGG = Format("Ogg (ogg, opus)", "ogg", (".ogg", ".oga", ".opus", ".spx"), ((0, b"OggS"),), True)
FLAC = Format("FLAC (flac)", "flac", (".flac",), ((0, b"fLaC"),), True)
WAV = Format("WAV (wav)", "wav", (".wav", ".wave", ".bwf", ".rf64"), ((8, b"WAVE"),), has_libsndfile=True)

FORMATS = (
    MPEG_AUDIO,
    Format(
        "MPEG-4 audio (m4a, alac, mp4)",
        "mov",
        (".m4a", ".m4b", ".m4r", ".m4p", ".mp4", ".alac", ".3ga"),
        ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide")),
    ),
    FLAC,
    OGG,
    WAV,
    Format("Wave64 (w64)", "w64", (".w64",), ((0, b"riff\x2e\x91\xcf\x11"),), True),
    Format("AIFF (aiff)", "aiff", (".aif", ".aiff", ".aifc"), ((8, b"AIFF"), (8, b"AIFC")), True),
    Format("Core Audio (caf)", "caf", (".caf",), ((0, b"caff"),), True),
    Format("Sun audio (au)", "au", (".au", ".snd"), ((0, b".snd"),), True),
    ADTS,
    Format("Windows Media Audio (wma)", "asf", (".wma",), ((0, bytes.fromhex("3026b2758e66cf11")),)),
    Format("Monkey's Audio (ape)", "ape", (".ape",), ((0, b"MAC "),)),
    Format("WavPack (wv)", "wv", (".wv",), ((0, b"wvpk"),)),
    Format("True Audio (tta)", "tta", (".tta",), ((0, b"TTA1"), (0, b"TTA2"))),
    Format("TAK (tak)", "tak", (".tak",), ((0, b"tBaK"),)),
    Format("Musepack (mpc)", "mpc8", (".mpc",), ((0, b"MPCK"),)),
    Format("Musepack 7 (mpc)", "mpc", (".mpc", ".mp+"), ((0, b"MP+"),)),
    Format(
        "Matroska or WebM audio (mka)",
        "matroska",
        (".mka", ".webm", ".weba"),
        ((0, bytes.fromhex("1a45dfa3")),),
    ),
    Format("Dolby Digital (ac3)", "ac3", (".ac3",), ((0, b"\x0b\x77"),), False, True),
    Format("Dolby Digital Plus (eac3)", "eac3", (".eac3", ".ec3"), (), False, True),
    Format("DTS (dts)", "dts", (".dts",), ((0, b"\x7f\xfe\x80\x01"), (0, b"\xfe\x7f\x01\x80")), False, True),
    Format("DSD stream (dsf)", "dsf", (".dsf",), ((0, b"DSD "),)),
    Format("DSD interchange (dff)", "iff", (".dff",), ((0, b"FRM8"),)),
    Format("AMR (amr)", "amr", (".amr",), ((0, b"#!AMR"),)),
)
# By these names a scan finds files. Films are heard as well, but only when they are named.
AUDIO_SUFFIXES = frozenset(suffix for known in FORMATS for suffix in known.suffixes)
_EAC3 = next(known for known in FORMATS if known.demuxer == "eac3")


class Found(NamedTuple):
    """A format, and where in the file it begins: behind tags and whatever else is no audio."""

    format: Format
    start: int


def recognise_format(path: Path) -> Found | None:
    """What a file holds, judged by its bytes and never by its name; None if nothing that is known.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        start = skip_id3(file)
        for at in dict.fromkeys((start, 0)):
            if (known := _known_at(file, at)) is not None:
                return Found(known, at)
        # Where the size of a tag is wrong, what it covers may be music.
        tries = ((start, _LITTLE_BYTES), (start, _MOST_JUNK_BYTES), (0, _MOST_JUNK_BYTES))
        for start, n_bytes in dict.fromkeys(tries):
            file.seek(start)
            frames = find_frames(file.read(n_bytes))
            if frames is not None:
                break
    if frames is None:
        return None
    return Found(ADTS if frames.is_adts else MPEG_AUDIO, start + frames.start)


def _known_at(file: BinaryIO, start: int) -> Format | None:
    file.seek(start)
    head = file.read(16)
    if head[:2] == b"\x0b\x77" and len(head) > 5 and head[5] >> 3 > 10:
        return _EAC3
    for known in FORMATS:
        if any(head[at : at + len(magic)] == magic for at, magic in known.magics):
            return known
    return None


def skip_id3(file: BinaryIO) -> int:
    """Where the file begins behind ID3v2 tags, of which there may be several; 0 for one that ends nowhere."""
    start = 0
    while True:
        file.seek(start)
        header = file.read(_ID3_HEADER_BYTES)
        if len(header) < _ID3_HEADER_BYTES or header[:3] != b"ID3":
            return start
        end = (
            start
            + _ID3_HEADER_BYTES
            + seven_bit_number(header[6:10])
            + (_ID3_HEADER_BYTES if header[5] & 0x10 else 0)
        )
        file.seek(end)
        if not file.read(1):
            return start
        start = end


def seven_bit_number(data: bytes) -> int:
    """A number of ID3, which has seven bits a byte, so that no tag looks like the start of MPEG audio."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number
