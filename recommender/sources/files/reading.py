"""Playlist files of every kind that is known: what a file is, its content says, not its name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from recommender.errors import SourceError, UnreadableSource
from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files import serato
from recommender.sources.files.archives import ZIP, refuse_large, unpack
from recommender.sources.files.csv_exports import UnknownColumns, is_csv, looks_like_csv, read_csv
from recommender.sources.files.cue_lists import CUE_LINES, read_cue
from recommender.sources.files.json_exports import parse_json, read_json
from recommender.sources.files.plain_lines import M3U_LINE, PLS_HEADER, read_m3u, read_plain, read_pls
from recommender.sources.files.windows_media import ASX_TAG, read_asx
from recommender.sources.files.xml_exports import read_xml
from recommender.sources.rows.collecting import refuse_too_many
from recommender.sources.rows.hints import NO_HINTS, Hints
from recommender.sources.rows.names import clean_text
from recommender.sources.rows.text_decoding import decode_text

MAX_XML_BYTES = 1 << 30  # the collection of a DJ with 200,000 tracks and their cue points
MAX_LIBRARY_BYTES = 256 << 20
MAX_BYTES = 32 << 20  # of anything else, packed or not
_HEAD_BYTES = 4096
_KNOWN = (
    "M3U, M3U8, PLS, XSPF, JSPF, cue sheets, WPL, ZPL, ASX, the XML of iTunes, rekordbox and VirtualDJ,"
    " Traktor's NML, Serato's crates, CSV, Spotify's account data, or text"
)
_BINARY = {
    b"bplist00": "a binary property list; export the playlist or library as XML instead",
    b"\xe1\xa0\x9c\x91\xf8\x3c\x77\x42": "a list of foobar2000 (FPL), in a format that is not"
    " published; save it as M3U8 there instead",
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


def read_playlist_file(
    path: Path, *, hints: Hints = NO_HINTS, columns: Mapping[str, str] | None = None
) -> list[SourcePlaylist]:
    """The playlists in a file, as :func:`read_playlists`; relative paths in it count from its folder.

    Raises
    ------
    UnknownColumns, UnreadableSource
        The file cannot be read, is written to while it is read, is too large, or is no playlist.
    """
    try:
        if not path.is_file():
            raise UnreadableSource(f"{str(path)!r} is not a file")
        before = path.stat()
        found = _read_from_disk(path, before.st_size, hints, columns)
        after = path.stat()
    except OSError as error:
        raise UnreadableSource(f"{str(path)!r} cannot be read: {error.strerror}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UnreadableSource(f"{str(path)!r} was written to while it was read: try again")
    return found


def _read_from_disk(
    path: Path, n_bytes: int, hints: Hints, columns: Mapping[str, str] | None
) -> list[SourcePlaylist]:
    """A large XML file piece by piece, all else at once; with a crate what Serato knows of its tracks."""
    file = _File(path.name, str(path.resolve().parent), hints, columns)
    with path.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    if n_bytes > MAX_BYTES and _is_xml(head):
        refuse_large(n_bytes, MAX_XML_BYTES)
        return _named_apart(read_xml(path, name=file.stem, folder=file.folder))
    refuse_large(n_bytes, MAX_LIBRARY_BYTES if head.startswith(serato.MAGIC) else MAX_BYTES)
    library = path.resolve().parent.parent / serato.LIBRARY_NAME
    if head.startswith(serato.MAGIC) and library.is_file() and library.stat().st_size <= MAX_LIBRARY_BYTES:
        known = serato.read_library(library.read_bytes())
        return serato.read_serato(path.read_bytes(), name=file.stem, library=known)
    return read_playlists(
        path.read_bytes(), name=path.name, folder=path.resolve().parent, hints=hints, columns=columns
    )


def read_playlists(
    data: bytes,
    *,
    name: str,
    folder: Path | None = None,
    hints: Hints = NO_HINTS,
    columns: Mapping[str, str] | None = None,
) -> list[SourcePlaylist]:
    """The playlists in the bytes of a file.

    Parameters
    ----------
    name : str
        The file's name; its stem names a playlist that does not say its own.
    folder : Path, optional
        Where relative paths count from; None for an upload.
    hints : Hints
        What the library knows where the file leaves two readings open.
    columns : mapping, optional
        What a person says of the columns of a table: title, artist, album, isrc -> heading, or number from 1.

    Raises
    ------
    UnknownColumns
        It is a table, and nobody knows what its columns hold.
    UnreadableSource
        It is too large, damaged, or no playlist; the message says what was seen and what is known.
    """
    file = _File(name, None if folder is None else str(folder), hints, columns)
    return _named_apart(list(_read_zip(data, file)) if data.startswith(ZIP) else _read_one(data, file))


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


@dataclass(frozen=True)
class _File:
    """What is known of a file beside its bytes; ``stem`` names a playlist that does not say its own."""

    name: str
    folder: str | None = None
    hints: Hints = NO_HINTS
    columns: Mapping[str, str] | None = None
    serato_library: Mapping[str, SourceRow] | None = None

    @property
    def stem(self) -> str:
        return clean_text(PurePosixPath(self.name.replace("\\", "/")).stem) or "playlist"

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def _read_one(data: bytes, file: _File) -> list[SourcePlaylist]:
    """The playlists in a file that is no archive."""
    _refuse_binary(data)
    if data.startswith(serato.MAGIC):
        refuse_large(len(data), MAX_LIBRARY_BYTES)
        return serato.read_serato(data, name=file.stem, library=file.serato_library)
    if _is_xml(data[:_HEAD_BYTES]):
        refuse_large(len(data), MAX_XML_BYTES)
        return read_xml(data, name=file.stem, folder=file.folder)
    refuse_large(len(data), MAX_BYTES)
    text = decode_text(data, file.hints)
    if not text.strip():
        raise UnreadableSource("the file is empty")
    if "\0" in text:
        raise UnreadableSource(f"the file is not text; a playlist is {_KNOWN}")
    if ASX_TAG in text[:200].lower():
        return [read_asx(text, name=file.stem, folder=file.folder)]
    return _read_text(text, file)


def _is_xml(head: bytes) -> bool:
    """Whether a file begins as XML does; an ASX does too, and is none."""
    begin = decode_text(head).lstrip().lower()
    return begin.startswith("<") and ASX_TAG not in begin[:200]


def _read_text(text: str, file: _File) -> list[SourcePlaylist]:
    """The playlists in a text; the suffix is asked only where the content is silent."""
    stem, folder = file.stem, file.folder
    for is_of_kind, read in ((PLS_HEADER.match, read_pls), (CUE_LINES.search, read_cue)):
        if is_of_kind(text):
            return [read(text, name=stem, folder=folder)]
    if _begins_json(text):
        return read_json(parse_json(text), name=stem, folder=folder)
    is_known_table = is_csv(text)
    if not is_known_table and M3U_LINE.search(text):
        return [read_m3u(text, name=stem, folder=folder)]
    if is_known_table or file.columns or file.suffix in (".csv", ".tsv") or looks_like_csv(text):
        return read_csv(text, name=stem, folder=folder, hints=file.hints, chosen=file.columns)
    if file.suffix in (".m3u", ".m3u8") and not text.lstrip("# \t\r\n").strip():
        return [read_m3u(text, name=stem, folder=folder)]
    return [read_plain(text, name=stem, folder=folder)]


def _begins_json(text: str) -> bool:
    """A line of text may begin with a bracket too."""
    begin = text.lstrip()[:200]
    return begin.startswith("{") or (begin.startswith("[") and begin[1:].lstrip()[:1] in ("{", "[", "]", '"'))


def _read_zip(data: bytes, archive: _File) -> Iterator[SourcePlaylist]:
    """The playlists in an archive: what Spotify or Google sends, or many exports."""
    refuse_large(len(data), MAX_BYTES)
    n_found, n_rows, seen = 0, 0, list[str]()
    unclear, only_tables = list[UnknownColumns](), True
    members = list(unpack(data, MAX_BYTES))
    crates, library = _serato_of(members)
    for name, packed in members:
        seen.append(name)
        if crates and PurePosixPath(name).name == serato.LIBRARY_NAME:
            continue
        try:
            file = replace(archive, name=name, folder=None, serato_library=library)
            found = _read_one(packed, file)
        except UnknownColumns as error:
            unclear.append(error)
            continue
        except UnreadableSource:  # the archive of an account holds much else
            only_tables = False
            continue
        n_found += len(found)
        n_rows += sum(len(playlist.rows) for playlist in found)
        refuse_too_many(n_rows, n_found)
        yield from found
    if not n_found:
        names = ", ".join(clean_text(name)[:60] for name in seen[:10]) or "none of the kinds that are known"
        if unclear and only_tables:
            raise unclear[0]
        raise UnreadableSource(f"no file in the archive is a playlist; it holds {names}")


def _serato_of(members: Sequence[tuple[str, bytes]]) -> tuple[bool, dict[str, SourceRow]]:
    """Whether there are crates among the files, and what the library beside them says of their places."""
    crates = any(PurePosixPath(name).suffix.lower() == ".crate" for name, _ in members)
    library: dict[str, SourceRow] = {}
    for name, data in members:
        if crates and PurePosixPath(name).name == serato.LIBRARY_NAME and data.startswith(serato.MAGIC):
            library |= serato.read_library(data)
    return crates, library


def _named_apart(playlists: list[SourcePlaylist]) -> list[SourcePlaylist]:
    """Playlists of one name, which some programs allow in different folders, are numbered.

    Raises
    ------
    UnreadableSource
        There is none.
    """
    if not playlists:
        raise UnreadableSource(
            "the file holds no playlist of yours: export one playlist, or the whole library"
        )
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
