"""Reads a page as a browser does, and says what is wrong with it."""

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "input", "col"}
# What a picture's shapes may be written as: an end tag of their own is not needed.
LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "ping"}


class Page(HTMLParser):
    """The parts of a page that tests ask for, and its faults."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]

    @property
    def text(self) -> str:
        """What can be read, with single spaces."""
        return " ".join(" ".join(self._text).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that holds nothing."""
        self.tags.append((tag, dict(attrs)))
        self.faults += list(_faults(tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        """Note where an element ends."""
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes what was not open")

    def handle_data(self, data: str) -> None:
        """Note what is said, but not how it looks."""
        if self._open and self._open[-1] != "style":
            self._text.append(data)
        elif "url(" in data or "@import" in data:
            self.faults.append("the style sheet loads something")


def _faults(tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    if tag in ("script", "iframe", "object", "embed", "link", "base", "form"):
        yield f"<{tag}> has no place on the page"
    for name, value in attrs:
        is_inner = (value or "").startswith("#")
        if name.startswith("on") or name in LOADING or (name.endswith("href") and not is_inner):
            yield f"<{tag} {name}={value!r}> runs or loads something"
        if name == "style" and "url(" in (value or ""):
            yield f"<{tag} style={value!r}> loads something"
