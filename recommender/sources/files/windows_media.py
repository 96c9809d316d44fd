"""Lists of Windows Media Player and Zune: WPL and ZPL are XML, ASX and WAX only look like it."""

from collections.abc import Sequence
from html.parser import HTMLParser

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.safe_xml import XmlSource, read_events
from recommender.sources.rows.collecting import RowCollector, add_location
from recommender.sources.rows.names import clean_text, read_seconds

ASX_TAG = "<asx"
_MAX_TEXT = 1 << 14


def read_smil(source: XmlSource, *, name: str, folder: str | None) -> SourcePlaylist:
    """The playlist in a WPL or a ZPL; the latter names its tracks."""
    collector, path = RowCollector(), list[str]()
    for event in read_events(source):
        if not event.is_end:
            path.append(event.name)
            if event.name == "media":
                said = event.attributes
                add_location(collector, _row_of_media(said), said.get("src", ""), folder=folder, is_path=True)
            continue
        if path == ["smil", "head", "title"]:
            name = clean_text(event.text) or name
        path.pop()
    return collector.playlist(name, "wpl")


def read_asx(text: str, *, name: str, folder: str | None) -> SourcePlaylist:
    """The playlist in an ASX or WAX, in any case of its tags and with signs that XML would want escaped."""
    parser = _Asx(name, folder)
    parser.feed(text)
    parser.close()
    return parser.collector.playlist(parser.name, "asx")


def _row_of_media(said: dict[str, str]) -> SourceRow:
    return SourceRow(
        title=clean_text(said.get("trackTitle")),
        artist=clean_text(said.get("trackArtist")) or clean_text(said.get("albumArtist")),
        album=clean_text(said.get("albumTitle")),
        duration_s=read_seconds(said.get("duration"), per_second=1000.0),
    )


class _Asx(HTMLParser):
    """Takes an entry when it ends; of several places of one the first is meant."""

    def __init__(self, name: str, folder: str | None) -> None:
        super().__init__()
        self.name, self.collector = name, RowCollector()
        self._folder = folder
        self._entry: dict[str, str] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Begin an entry, or note what a tag without a text says."""
        said = {key: value or "" for key, value in attrs}
        self._text = []
        if tag == "entry":
            self._end_entry()
            self._entry = {}
        elif self._entry is not None and tag == "ref":
            self._entry.setdefault("ref", said.get("href", ""))
        elif self._entry is not None and tag == "duration":
            self._entry["duration"] = said.get("value", "")
        elif self._entry is not None and tag == "param":
            self._entry.setdefault(said.get("name", "").lower(), said.get("value", ""))

    def handle_data(self, data: str) -> None:
        """Keep the text of a tag."""
        if sum(map(len, self._text)) < _MAX_TEXT:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End an entry, or the name of something."""
        text = clean_text("".join(self._text))
        if tag == "entry":
            self._end_entry()
        elif self._entry is not None and tag in ("title", "author"):
            self._entry[tag] = text
        elif tag == "title":
            self.name = text or self.name

    def close(self) -> None:
        """Take the last entry, also where its end is missing."""
        super().close()
        self._end_entry()

    def _end_entry(self) -> None:
        if self._entry is not None:
            said = self._entry
            row = SourceRow(
                title=clean_text(said.get("title")),
                artist=clean_text(said.get("author")),
                album=clean_text(said.get("album")),
                duration_s=read_seconds(said.get("duration")),
            )
            add_location(self.collector, row, said.get("ref", ""), folder=self._folder)
        self._entry = None
