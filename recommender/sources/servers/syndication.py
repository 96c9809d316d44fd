"""RSS, Atom and podcast feeds: what was published, with the audio that is enclosed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser

from embeddings.decoding.formats import AUDIO_SUFFIXES
from recommender.errors import UnreadableSource
from recommender.records.rows import GUID, SkippedRow, SourcePlaylist, SourceRow
from recommender.sources.rows.names import clean_text, read_seconds, split_artist_title
from recommender.sources.web.reading import Call, Validators, Web, get_bytes

SOURCE = "rss"
MAX_FEED_BYTES = 10_000_000
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf)\b", re.IGNORECASE)


@dataclass(frozen=True)
class FeedReading:
    """A feed as it stands; ``playlist`` is None when nothing changed since the validators that were shown."""

    playlist: SourcePlaylist | None
    validators: Validators


def read_syndication(web: Web, url: str, *, validators: Validators | None = None) -> FeedReading:
    """The feed at an address that the operator need not know, unless it is as it was.

    Raises
    ------
    ForbiddenAddress, RateLimited, SourceUnavailable, UnreadableSource
        Nothing can be read there.
    """
    call = Call(guarded=True, max_bytes=MAX_FEED_BYTES)
    fetched = get_bytes(web, url, call=call, validators=validators)
    if fetched.body is None:
        if validators is None:
            raise UnreadableSource("the server says that the feed did not change, and was never asked that")
        return FeedReading(None, fetched.validators)
    return FeedReading(parse_syndication(fetched.body, url=url), fetched.validators)


def parse_syndication(body: bytes, *, url: str) -> SourcePlaylist:
    """The rows of a feed document; links in it are relative to ``url``.

    Raises
    ------
    UnreadableSource
        It is no feed, or defines entities, which feeds have no need of.
    """
    prolog = body.replace(b"\0", b"")
    root = _ROOT.search(prolog)
    if b"<!entity" in prolog[: root.start() if root else None].lower():
        raise UnreadableSource("the feed defines entities of its own, which is refused")
    try:
        # A stream: what is not one, the library would take for a URL or the name of a file.
        parsed = feedparser.parse(BytesIO(body), resolve_relative_uris=False, sanitize_html=False)
    except Exception as error:  # it meets damaged feeds with every kind of error
        raise UnreadableSource(f"the feed cannot be read ({type(error).__name__})") from None
    if not parsed.get("version"):
        raise UnreadableSource("there is no RSS or Atom feed at this address")
    rows: list[SourceRow] = []
    skipped: list[SkippedRow] = []
    seen: set[str] = set()
    for position, entry in enumerate(parsed.entries):
        guid = clean_text(entry.get("id"))
        row = _read_entry(entry, parsed.feed, url)
        if guid and guid in seen:
            skipped.append(SkippedRow(position, "duplicate", "the feed has this entry twice", row.title))
        elif not row.title:
            skipped.append(SkippedRow(position, "no_title", "the entry names nothing"))
        else:
            rows.append(row)
        seen.add(guid)
    if parsed.bozo and not isinstance(parsed.bozo_exception, feedparser.CharacterEncodingOverride):
        reason = "the feed is damaged; what stands before the damage was read"
        skipped.append(SkippedRow(len(parsed.entries), "damaged_feed", reason))
    name = clean_text(parsed.feed.get("title")) or urlsplit(url).hostname or "feed"
    return SourcePlaylist(name, SOURCE, tuple(rows), tuple(skipped))


def _read_entry(entry: Mapping[str, Any], feed: Mapping[str, Any], url: str) -> SourceRow:
    title, artist = clean_text(entry.get("title")), clean_text(entry.get("author"))
    if not artist:
        artist, title = split_artist_title(title)
    guid = clean_text(entry.get("id"))
    return SourceRow(
        title=title,
        artist=artist or clean_text(feed.get("author")),
        album=clean_text(feed.get("title")),
        duration_s=read_seconds(entry.get("itunes_duration")),
        identities=((GUID, guid),) if guid else (),
        url=next(_audio_links(entry, url), None),
        released=_read_date(entry.get("published_parsed") or entry.get("updated_parsed")),
    )


def _audio_links(entry: Mapping[str, Any], url: str) -> Iterator[str]:
    """The enclosures that are audio by their type, or by their name where the type says nothing."""
    for link in entry.get("links", ()):
        if link.get("rel") != "enclosure" or not link.get("href"):
            continue
        try:
            address = urljoin(url, str(link["href"]).strip())
            parts = urlsplit(address)
        except ValueError:  # an address with a broken bracket
            continue
        kind = str(link.get("type", "")).partition("/")[0].lower()
        by_name = PurePosixPath(parts.path).suffix.lower() in AUDIO_SUFFIXES
        is_audio = kind == "audio" or (kind not in ("video", "image", "text") and by_name)
        if is_audio and parts.scheme in ("http", "https"):
            yield address


def _read_date(parsed: Any) -> str:
    return f"{parsed[0]:04d}-{parsed[1]:02d}-{parsed[2]:02d}" if parsed else ""
