"""Playlist files of every kind that is known: what a file is, its content says, not its name."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from recommender.errors import SourceError, UnreadableSource
from recommender.records.rows import SourcePlaylist
from recommender.sources.files.csv_exports import is_csv, looks_like_csv, read_csv
from recommender.sources.files.json_exports import parse_json, read_json
from recommender.sources.files.plain_lines import M3U_LINE, PLS_HEADER, read_m3u, read_plain, read_pls
from recommender.sources.files.xml_exports import read_xml
from recommender.sources.rows.collecting import refuse_too_many
from recommender.sources.rows.names import clean_text
from recommender.sources.rows.text_decoding import decode_text

MAX_XML_BYTES = 128 << 20  # the library of somebody with 100,000 tracks
MAX_BYTES = 32 << 20  # of anything else, packed or not
MAX_MEMBERS = 2_000
_ZIP = b"PK\x03\x04"
_KNOWN = "M3U, M3U8, PLS, XSPF, JSPF, iTunes and rekordbox XML, CSV, Spotify's account data, or text"
_PACKED_SUFFIXES = frozenset((".csv", ".json", ".jspf", ".m3u", ".m3u8", ".pls", ".xspf", ".xml"))
_BINARY = {
    b"bplist00": "a binary property list; export the playlist or library as XML instead",
    b"ID3": "audio",
    b"fLaC": "audio",
    b"OggS": "audio",
    b"RIFF": "audio",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
}


class WhichPlaylist(SourceError):
    """A file holds several playlists, or not the one that was named; the message names them."""

    code = "which_playlist"


def read_playlist_file(path: Path) -> list[SourcePlaylist]:
    """The playlists in a file; relative paths in it count from its folder.

    Raises
    ------
    UnreadableSource
        The file cannot be read, is too large, or is no playlist.
    """
    try:
        if not path.is_file():
            raise UnreadableSource(f"{str(path)!r} is not a file")
        size = path.stat().st_size
        if size > MAX_XML_BYTES:
            raise UnreadableSource(_too_large(size, MAX_XML_BYTES))
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableSource(f"{str(path)!r} cannot be read: {error.strerror}") from error
    return read_playlists(data, name=path.name, folder=path.resolve().parent)


def read_playlists(data: bytes, *, name: str, folder: Path | None = None) -> list[SourcePlaylist]:
    """The playlists in the bytes of a file.

    Parameters
    ----------
    name : str
        The file's name; its stem names a playlist that does not say its own.
    folder : Path, optional
        Where relative paths count from; None for an upload.

    Raises
    ------
    UnreadableSource
        It is too large, damaged, or no playlist; the message says what was seen and what is known.
    """
    stem = clean_text(PurePosixPath(name.replace("\\", "/")).stem) or "playlist"
    if data.startswith(_ZIP):
        found = list(_read_zip(data))
    else:
        found = _read_one(data, stem=stem, name=name, folder=None if folder is None else str(folder))
    if not found:
        raise UnreadableSource(
            "the file holds no playlist of yours: export one playlist, or the whole library"
        )
    return _with_own_names(found)


def choose_playlist(playlists: Sequence[SourcePlaylist], which: str | None = None) -> SourcePlaylist:
    """The playlist of a name, or the only one.

    Raises
    ------
    WhichPlaylist
        There are several and none was named, or none has the name.
    """
    wanted = [p for p in playlists if which is None or p.name == which]
    if which is not None and not wanted:
        wanted = [p for p in playlists if p.name.casefold() == which.strip().casefold()]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(f"{p.name!r} ({len(p.rows)})" for p in playlists[:50])
    more = f" and {len(playlists) - 50} more" if len(playlists) > 50 else ""
    said = f"no playlist called {which!r}" if which is not None else f"{len(playlists)} playlists"
    raise WhichPlaylist(f"the file holds {said}; name one of: {names}{more}")


def _read_one(data: bytes, *, stem: str, name: str, folder: str | None) -> list[SourcePlaylist]:
    """The playlists in a file that is no archive."""
    _refuse_binary(data)
    head = decode_text(data[:4096]).lstrip()
    if head.startswith("<"):
        _refuse_large(len(data), MAX_XML_BYTES)
        return read_xml(data, name=stem, folder=folder)
    _refuse_large(len(data), MAX_BYTES)
    text = decode_text(data)
    if not text.strip():
        raise UnreadableSource("the file is empty")
    if "\0" in text:
        raise UnreadableSource(f"the file is not text; a playlist is {_KNOWN}")
    return _read_text(text, stem=stem, suffix=PurePosixPath(name).suffix.lower(), folder=folder)


def _read_text(text: str, *, stem: str, suffix: str, folder: str | None) -> list[SourcePlaylist]:
    """The playlists in a text; the suffix is asked only where the content is silent."""
    if PLS_HEADER.match(text):
        return [read_pls(text, name=stem, folder=folder)]
    if _begins_json(text):
        return read_json(parse_json(text), name=stem, folder=folder)
    is_known_table = is_csv(text)
    if not is_known_table and M3U_LINE.search(text):
        return [read_m3u(text, name=stem, folder=folder)]
    if is_known_table or suffix in (".csv", ".tsv") or looks_like_csv(text):
        return read_csv(text, name=stem, folder=folder)
    if suffix in (".m3u", ".m3u8") and not text.lstrip("# \t\r\n").strip():
        return [read_m3u(text, name=stem, folder=folder)]
    return [read_plain(text, name=stem, folder=folder)]


def _begins_json(text: str) -> bool:
    """A line of text may begin with a bracket too."""
    begin = text.lstrip()[:200]
    return begin.startswith("{") or (begin.startswith("[") and begin[1:].lstrip()[:1] in ("{", "[", "]", '"'))


def _read_zip(data: bytes) -> Iterator[SourcePlaylist]:
    """The playlists in an archive: what Spotify sends, or many exports. Archives in it are not opened."""
    _refuse_large(len(data), MAX_BYTES)
    n_left, n_found, n_rows, seen = MAX_BYTES, 0, 0, list[str]()
    for name, packed in _unpack(data):
        n_left -= len(packed)
        _refuse_large(MAX_BYTES - n_left, MAX_BYTES)
        seen.append(name)
        try:
            found = _read_one(packed, stem=clean_text(PurePosixPath(name).stem), name=name, folder=None)
        except UnreadableSource:  # the archive of an account holds much else
            continue
        n_found += len(found)
        n_rows += sum(len(playlist.rows) for playlist in found)
        refuse_too_many(n_rows, n_found)
        yield from found
    if not n_found:
        names = ", ".join(clean_text(name)[:60] for name in seen[:10]) or "none of the kinds that are known"
        raise UnreadableSource(f"no file in the archive is a playlist; it holds {names}")


def _unpack(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file that may be a playlist, never more of it than may be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                m for m in archive.infolist() if PurePosixPath(m.filename).suffix.lower() in _PACKED_SUFFIXES
            ]
            for member in members[:MAX_MEMBERS]:
                _refuse_large(member.file_size, MAX_BYTES)
                with archive.open(member) as file:
                    yield member.filename, file.read(MAX_BYTES + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        raise UnreadableSource(f"the archive is damaged or locked: {error}") from error


def _with_own_names(playlists: list[SourcePlaylist]) -> list[SourcePlaylist]:
    """Playlists of one name, which some programs allow in different folders, are numbered."""
    n_of: dict[str, int] = {}
    named = []
    for playlist in playlists:
        n_of[playlist.name] = number = n_of.get(playlist.name, 0) + 1
        named.append(playlist if number == 1 else replace(playlist, name=f"{playlist.name} ({number})"))
    return named


def _refuse_binary(data: bytes) -> None:
    kind = next((kind for magic, kind in _BINARY.items() if data.startswith(magic)), None)
    if kind is not None:
        raise UnreadableSource(f"the file is {kind}; a playlist is {_KNOWN}")


def _refuse_large(n_bytes: int, limit: int) -> None:
    if n_bytes > limit:
        raise UnreadableSource(_too_large(n_bytes, limit))


def _too_large(n_bytes: int, limit: int) -> str:
    return (
        f"the file is too large for a playlist: {n_bytes / 2**20:.0f} MB, at most {limit >> 20} MB are read"
    )
