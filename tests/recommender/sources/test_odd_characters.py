"""One odd character in one title must not cost a whole library, nor a space behind a comma its columns."""

import pytest

from recommender.errors import UnreadableSource
from recommender.sources.files import safe_xml
from recommender.sources.files.reading import read_playlists

XSPF = (
    '<?xml version="1.0" encoding="{encoding}"?><playlist xmlns="http://xspf.org/ns/0/" version="1">'
    "<trackList>"
    "<track><title>{title}</title><creator>Kim</creator></track>"
    "<track><title>Second &amp; last</title><creator>Lee</creator></track></trackList></playlist>"
)


def titles(content: bytes) -> list[str]:
    [playlist] = read_playlists(content, name="list.xspf")
    return [row.title for row in playlist.rows]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"Blue\x04Note", "Blue Note"),
        (b"Blue&#4;Note", "Blue Note"),
        (b"Blue&#x1F;Note", "Blue Note"),
        (b"Blue&#xD800;Note", "Blue Note"),
        (b"Blue&#99999999;Note", "Blue Note"),
        (b"Caf\xe9", "Caf\N{REPLACEMENT CHARACTER}"),
        (b"Caf&#233; &#x1F3A7;", "Café 🎧"),
        ("Café 音楽".encode(), "Café 音楽"),
    ],
)
@pytest.mark.parametrize("n_a_chunk", [1 << 16, 1, 7])
def test_characters_that_xml_forbids(raw, shown, n_a_chunk, monkeypatch) -> None:
    monkeypatch.setattr(safe_xml, "CHUNK_BYTES", n_a_chunk)
    content = XSPF.format(encoding="UTF-8", title="TITLE").encode().replace(b"TITLE", raw)
    assert titles(content) == [shown, "Second & last"]


def test_another_encoding_is_what_it_says() -> None:
    content = XSPF.format(encoding="ISO-8859-1", title="Café\x04").encode("latin-1")
    assert titles(content) == ["Café", "Second & last"]


def test_two_bytes_a_character() -> None:
    content = XSPF.format(encoding="UTF-16", title="Café").encode("utf-16")
    assert titles(content) == ["Café", "Second & last"]


def test_no_entity_gets_past_the_parser() -> None:
    evil = b'<!DOCTYPE p\x01laylist [<!ENTITY a "b">]><playlist><trackList/></playlist>'
    with pytest.raises(UnreadableSource):
        read_playlists(evil, name="list.xspf")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_space_behind_the_delimiter_shifts_nothing(delimiter) -> None:
    lines = [["Track name", "Artist name"], ['"Blue Note, Live"', '"Kim, Jr."'], ["Plain", "Lee"]]
    text = "\n".join(f"{delimiter} ".join(line) for line in lines)
    [playlist] = read_playlists(text.encode(), name="list.csv")
    assert [(row.title, row.artist) for row in playlist.rows] == [
        ("Blue Note, Live", "Kim, Jr."),
        ("Plain", "Lee"),
    ]
