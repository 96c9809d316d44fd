"""What the tags of a file say, in every format that is heard; of what there is several, all are kept."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tinytag import TinyTag

from embeddings.decoding.formats import ADTS, MPEG_AUDIO, Found, recognise_format
from embeddings.decoding.source import has_libav
from embeddings.decoding.with_libav import FileFrom, read_metadata
from recommender.sources.tag_blocks import read_ape, read_asf_author, without_schemes

# Formats that tinytag reads, by the suffix that it knows them by: it goes by names, which may be wrong.
_TINYTAG_SUFFIXES = {
    "mp3": ".mp3",
    "mov": ".m4a",
    "flac": ".flac",
    "ogg": ".ogg",
    "wav": ".wav",
    "aiff": ".aiff",
    "asf": ".wma",
}
_ID3V1_BYTES = 128
_SEVERAL = re.compile(r"[;/,\s]+")
_ISRC = re.compile(r"^[A-Z]{2}[A-Z0-9]{3}\d{7}$")
_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_MBID_TAGS = (
    "musicbrainz_trackid",
    "musicbrainz track id",
    "musicbrainz_recordingid",
    "musicbrainz/track id",
)
_MBID_OWNER = "http://musicbrainz.org\0"

Values = dict[str, list[str]]


@dataclass(frozen=True)
class Tags:
    """What a file says of itself; empty or 0 where it is silent.

    ``cue_sheet`` is the sheet that rippers of whole albums put there.
    """

    title: str = ""
    artists: tuple[str, ...] = ()
    album: str = ""
    licence: str = ""
    identities: tuple[tuple[str, str], ...] = ()
    duration_s: float = 0.0
    sample_rate_hz: int = 0
    bit_rate_kbps: float = 0.0
    cue_sheet: str = ""


def read_tags(path: Path) -> Tags:
    """What a file's tags say; what cannot be read counts as silent.

    A format's own tags come first, then what was put in front or behind it: ID3, APE, and whatever else libav
    knows of the container.
    """
    try:
        found = recognise_format(path)
        if found is None:
            return Tags()
        readings = list(_readings(path, found))
        if has_libav() and not any("title" in values for values, _ in readings):
            # A parser in C is not asked what one in Python knows: it may die of what it reads.
            known = read_metadata(path, found)
            readings.append(({key: _texts([value]) for key, value in known.items()}, None))
    except OSError:
        return Tags()
    values: Values = {}
    for reading, _ in readings:
        for key, texts in reading.items():
            values.setdefault(key, texts)
    headers = [tag for _, tag in readings if tag is not None]
    return _tags_of(values, headers[0] if headers else None)


def read_picture(path: Path) -> bytes:
    """The picture that a file's tags hold, as it is; empty where there is none that can be read."""
    try:
        found = recognise_format(path)
        if found is None:
            return b""
        is_mpeg = found.format in (MPEG_AUDIO, ADTS)
        suffix = ".mp3" if is_mpeg else _TINYTAG_SUFFIXES.get(found.format.demuxer, path.suffix)
        with path.open("rb") as file:
            picture = TinyTag.get(f"file{suffix}", file_obj=file, image=True).images.any
    except Exception:  # its parsers meet damaged files with every kind of error
        return b""
    return b"" if picture is None else bytes(picture.data)


def is_isrc(code: str) -> bool:
    """Whether a code has the form of an ISRC, in capitals and without dashes."""
    return _ISRC.match(code) is not None


def _tags_of(values: Mapping[str, list[str]], header: TinyTag | None) -> Tags:
    artists = values.get("artist") or values.get("albumartist") or values.get("album_artist") or []
    duration_s = (header.duration or 0.0) if header is not None else 0.0
    return Tags(
        title=_first(values, "title"),
        artists=tuple(dict.fromkeys(artists)),
        album=_first(values, "album"),
        licence=_first(values, "license") or _first(values, "copyright"),
        identities=tuple(_identities(values)),
        duration_s=duration_s if duration_s > 0 else 0.0,
        sample_rate_hz=(header.samplerate or 0) if header is not None else 0,
        bit_rate_kbps=(header.bitrate or 0.0) if header is not None else 0.0,
        cue_sheet=_first(values, "cuesheet"),
    )


def _readings(path: Path, found: Found) -> Iterator[tuple[Values, TinyTag | None]]:
    """What each reader makes of a file, the one to be believed first; a header comes with some."""
    suffix = _TINYTAG_SUFFIXES.get(found.format.demuxer)
    is_mpeg = found.format in (MPEG_AUDIO, ADTS)
    if suffix is not None and not is_mpeg:
        with FileFrom(path, found.start) as own:
            yield from _by_tinytag(cast(BinaryIO, own), suffix)
    with path.open("rb") as file:
        id3 = without_schemes(file)
        if id3 is not None:
            # Flags that tinytag does not know: it is given the tag without them, and the old tag at the end.
            file.seek(-min(_ID3V1_BYTES, file.seek(0, io.SEEK_END)), io.SEEK_END)
            yield from _by_tinytag(io.BytesIO(id3 + file.read()), ".mp3")
        elif is_mpeg or found.start > 0:
            yield from _by_tinytag(file, ".mp3")
        yield read_ape(file), None


def _by_tinytag(file: BinaryIO, suffix: str) -> Iterator[tuple[Values, TinyTag | None]]:
    try:
        tag = TinyTag.get(f"file{suffix}", file_obj=file)
    except Exception:  # its parsers meet damaged files with every kind of error
        return
    values: Values = {key.lower(): _texts(texts) for key, texts in tag.other.items()}
    for key in ("title", "artist", "albumartist", "album"):
        first, more = _texts([getattr(tag, key)]), values.pop(key, [])
        values[key] = [*first, *more]
    if suffix == ".wma":  # where the first author is kept apart from the others, and may come last
        author = [text for text in values["artist"] if text == read_asf_author(file)]
        values["artist"] = list(dict.fromkeys([*author, *values["artist"]]))
    yield {key: texts for key, texts in values.items() if texts}, tag


def _identities(values: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The registered names among the values, each only when it has the registry's form."""
    texts = [*values.get("isrc", []), *values.get("tsrc", [])]
    # Taggers that write one field for all join them with their own sign.
    pieces = [piece for text in texts for piece in _SEVERAL.split(text)] + texts
    codes = (re.sub(r"[\s-]", "", piece).upper() for piece in pieces)
    yield from (("isrc", code) for code in dict.fromkeys(codes) if _ISRC.match(code))
    mbids = [text for key in _MBID_TAGS for text in values.get(key, [])]
    for text in values.get("ufid", []):
        mbids += [text.removeprefix(_MBID_OWNER)] if text.startswith(_MBID_OWNER) else []
    mbids = [piece for text in mbids for piece in _SEVERAL.split(text)]
    yield from (("mbid", mbid) for mbid in dict.fromkeys(map(str.lower, mbids)) if _UUID.match(mbid))


def _texts(values: Iterable[object]) -> list[str]:
    return [text for value in values if value is not None and (text := str(value).strip())]


def _first(values: Mapping[str, list[str]], key: str) -> str:
    texts = values.get(key, [])
    return texts[0] if texts else ""
