"""XML from strangers: read in pieces, in little memory, without entities and without a document type."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from recommender.errors import UnreadableSource
from recommender.sources.files.xml_characters import clean_chunks

CHUNK_BYTES = 1 << 16
MAX_TOKEN_BYTES = 1 << 20  # an unended tag or comment is read again from its start with every chunk
MAX_TEXT_CHARACTERS = 1 << 14
MAX_DEPTH = 64
XmlSource = bytes | Path  # a large file is read from the disk, piece by piece


class XmlEvent(NamedTuple):
    """An element begins, with its attributes, or ends, with its text; names come without namespace."""

    is_end: bool
    name: str
    attributes: dict[str, str]
    text: str


class _Listener:
    """Notes what the parser meets, and stops it at what a playlist does not need."""

    def __init__(
        self, doctype: str | None, starts: frozenset[str] | None, only: frozenset[str] | None
    ) -> None:
        self.events: list[XmlEvent] = []
        self._doctype, self._starts, self._only = doctype, starts, only
        self._depth = 0
        self._text: list[str] = []
        self._n_characters = 0

    def attach(self, parser: expat.XMLParserType) -> None:
        """Listen to a parser."""
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._start_doctype
        parser.EntityDeclHandler = self._declare_entity
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add_text

    def _start_doctype(self, name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
        """A bare DOCTYPE, as property lists have, declares nothing; its DTD is never fetched."""
        if name.lower() == "html":
            raise UnreadableSource("the file is a web page, not a playlist")
        if has_subset or name != self._doctype:
            raise UnreadableSource("the XML declares a document type of its own, which is not accepted")

    def _declare_entity(self, *_: object) -> None:
        raise UnreadableSource("the XML declares entities, which are not accepted")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableSource(f"the XML is nested more than {MAX_DEPTH} deep")
        if self._only is not None and name not in self._only:
            return
        self._text, self._n_characters = [], 0
        if self._starts is None or name in self._starts:
            self.events.append(XmlEvent(False, name.rpartition(" ")[2], attributes, ""))

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._only is not None and name not in self._only:
            return
        self.events.append(XmlEvent(True, name.rpartition(" ")[2], {}, "".join(self._text).strip()))
        self._text, self._n_characters = [], 0

    def _add_text(self, text: str) -> None:
        if self._n_characters < MAX_TEXT_CHARACTERS:
            self._text.append(text)
            self._n_characters += len(text)


def read_events(
    source: XmlSource,
    *,
    doctype: str | None = None,
    starts: frozenset[str] | None = None,
    only: frozenset[str] | None = None,
) -> Iterator[XmlEvent]:
    """Yield what begins and ends, in order.

    Parameters
    ----------
    doctype : str, optional
        The one name that a DOCTYPE line may have; it may not declare anything.
    starts : frozenset of str, optional
        Elements whose beginning is of interest; all when not given.
    only : frozenset of str, optional
        Elements that are of interest at all, where most of a large file is something else.

    Raises
    ------
    UnreadableSource
        The XML is damaged, declares a document type or entities, or is built to fill the memory.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    listener = _Listener(doctype, starts, only)
    listener.attach(parser)
    end = 0
    for chunk in clean_chunks(_chunks(source)):
        end += len(chunk)
        try:
            parser.Parse(chunk, not chunk)
        except (expat.ExpatError, LookupError, ValueError) as error:  # also encodings that Python lacks
            raise UnreadableSource(f"the XML is damaged: {error}") from error
        if end - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise UnreadableSource("the XML has a tag or a comment of more than 1 MB")
        yield from listener.events
        listener.events.clear()


def _chunks(source: XmlSource) -> Iterator[bytes]:
    """The pieces of a source, and an empty one at its end."""
    if isinstance(source, bytes):
        view = memoryview(source)
        yield from (bytes(view[start : start + CHUNK_BYTES]) for start in range(0, len(view), CHUNK_BYTES))
    else:
        try:
            with source.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise UnreadableSource(f"{str(source)!r} cannot be read: {error.strerror}") from error
    yield b""
