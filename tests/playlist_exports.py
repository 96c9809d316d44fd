"""Eight tracks with awkward names, and the files that programs of all kinds would write of a list of them."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from recommender.sources.files import serato
from tests.folders import write_track

DURATION_S = 25.0


class Track(NamedTuple):
    """What is in a file's tags, and where it lies in the library."""

    artist: str
    title: str
    album: str

    @property
    def place(self) -> str:
        """Its path below the library's folder."""
        number = TRACKS.index(self) + 1
        return f"{self.artist}/{self.album}/{number:02} {self.title}.flac"


TRACKS = (
    Track("Zoë Lindqvist", "Älvdans", "Nätter"),
    Track("A+B Quartet", "100% Wool #2", "Plus+Minus"),
    Track("Haruka Fake", "夜の海", "港"),
    Track("The Nobodies", "Round (Radio Edit)", "Left; Right"),
    Track("Ola & Søn", "It's O'Hare", "Ærø"),
    Track("Кира Тестова", "Зимний свет", "Окна"),
    Track("Delta feat. Echo", "Harbour", "Lights"),
    Track("Miró Café", "Où vas-tu", "Été"),
)
LATIN = tuple(track for track in TRACKS if track.artist not in ("Haruka Fake", "Кира Тестова"))


def write_library(folder: Path) -> list[Path]:
    """Write the tracks, tagged, each where it belongs; their paths in order."""
    return [
        write_track(
            folder / track.place, tone_hz=300.0 + 70 * number, duration_s=DURATION_S, **track._asdict()
        )
        for number, track in enumerate(TRACKS)
    ]


class Export(NamedTuple):
    """A file as a program writes it, and the tracks that its rows are."""

    written_by: str
    name: str
    data: bytes
    tracks: tuple[Track, ...] = TRACKS


def exports() -> Iterator[Export]:
    """One of each."""
    yield from _lists_of_places()
    yield from _tables()
    yield from _of_djs()
    yield from _of_windows()


def m3u(tracks: Sequence[Track] = TRACKS, *, end: str = "\n", shown: str = "{artist} - {title}") -> str:
    lines = ["#EXTM3U"]
    for track in tracks:
        lines += [f"#EXTINF:{DURATION_S:.0f},{shown.format(**track._asdict())}", track.place]
    return end.join([*lines, ""])


def _lists_of_places() -> Iterator[Export]:
    decomposed = unicodedata.normalize("NFD", m3u())
    yield Export("Apple Music", "apple.m3u8", m3u(end="\r", shown="{title} - {artist}").encode())
    yield Export("a Mac (NFD)", "mac.m3u8", decomposed.encode())
    yield Export("Winamp, Windows-1252", "winamp.m3u", m3u(LATIN, end="\r\n").encode("cp1252"), LATIN)
    yield Export("an old Mac, MacRoman", "old.m3u", m3u(LATIN, end="\r").encode("mac_roman"), LATIN)
    for country, encoding, artist in (
        ("Japan, Shift-JIS", "cp932", "Haruka Fake"),
        ("Japan, EUC", "euc_jp", "Haruka Fake"),
        ("China, GBK", "gbk", "Haruka Fake"),
        ("Russia, KOI8-R", "koi8_r", "Кира Тестова"),
        ("Russia, Windows-1251", "cp1251", "Кира Тестова"),
    ):
        tracks = tuple(t for t in TRACKS if t.artist == artist or (t[0].isascii() and t[1].isascii()))
        tracks = tuple(t for t in tracks if t.place.isascii() or t.artist == artist)
        yield Export(f"a player in {country}", "list.m3u", m3u(tracks).encode(encoding), tracks)
    uris = "\n".join("file:///music/" + quote(track.place) for track in TRACKS)
    yield Export("Lollypop (file:// and %)", "lollypop.m3u", f"#EXTM3U\n{uris}\n".encode())


# The headings of the first six, the release date and the length, as Exportify's own languages have them.
LANGUAGES = {
    "es": "URI de la canción|Nombre de la canción|URI(s) del artista|Nombre(s) del artista|URI del álbum"
    "|Nombre del álbum|Fecha de lanzamiento del álbum|Duración de la canción (ms)",
    "pt": "URI da faixa|Nome da faixa|URI(s) do artista|Nome(s) do artista|URI do álbum|Nome do álbum"
    "|Data de lançamento do álbum|Duração da faixa (ms)",
    "de": "Track-URI|Track-Name|Künstler-URI(s)|Künstlername(n)|Album-URI|Album-Name"
    "|Veröffentlichungsdatum des Albums|Track-Dauer (ms)",
    "fr": "URI du titre|Nom du titre|URI(s) de l'artiste|Nom(s) de l'artiste|URI de l'album|Nom de l'album"
    "|Date de sortie de l'album|Durée du titre (ms)",
    "nl": "Nummer URI|Nummernaam|Artiest-URI|Naam van artiest|Album-URI|Naam van album"
    "|Releasedatum van het album|Nummerduur (ms)",
    "sv": "Låtens URI|Låtens namn|Artistens URI|Artistens namn|Albumets URI|Albumets namn"
    "|Albumets releasedatum|Låtlängd (ms)",
    "el": "URI κομματιού|Όνομα κομματιού|URI καλλιτέχνη/ων|Όνομα/τα καλλιτέχνη|URI άλμπουμ|Όνομα άλμπουμ"
    "|Ημερομηνία κυκλοφορίας άλμπουμ|Διάρκεια κομματιού (ms)",
    "ar": "رابط الأغنية (URI)|اسم الأغنية|روابط الفنانين (URI)|أسماء الفنانين|رابط الألبوم (URI)|اسم الألبوم"
    "|تاريخ إصدار الألبوم|مدة الأغنية (بالمللي ثانية)",
    "ja": "トラックURI|トラック名|アーティストURI|アーティスト名|アルバムURI|アルバム名|アルバム発売日"
    "|トラックの長さ（ミリ秒）",
    "a language of its own": "c1|c2|c3|c4|c5|c6|c7|c8",
}


def spotify_uri(kind: str, number: int) -> str:
    return f"spotify:{kind}:{number:022}"


def exportify(language: str, *, short: bool = False) -> bytes:
    """What Exportify writes in a language; ``short`` without the addresses of artists and albums."""
    places = (0, 1, 5, 3, 6, 7) if short else range(8)
    rows = [LANGUAGES[language].split("|")]
    for number, track in enumerate(TRACKS):
        row = [spotify_uri("track", number), track.title, spotify_uri("artist", number), track.artist]
        rows.append(
            [*row, spotify_uri("album", number), track.album, "2020-01-01", f"{1000 * DURATION_S:.0f}"]
        )
    return table([[row[place] for place in places] for row in rows])


def table(rows: Sequence[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(encoding)


def _tables() -> Iterator[Export]:
    for language in LANGUAGES:
        yield Export(f"Exportify in {language}", "exportify.csv", exportify(language))
    takeout = [["Video ID", "Song Title", "Album Title", "Artist Name 1", "Artist Name 2"]]
    takeout += [[f"id{n}", t.title, t.album, t.artist, ""] for n, t in enumerate(TRACKS)]
    yield Export("Google Takeout (YouTube Music)", "music library songs.csv", table(takeout))
    for service in ("Deezer", "Tidal", "Qobuz"):
        rows = [["Track name", "Artist name", "Album", "Playlist name", "Type", "ISRC", f"{service} - id"]]
        rows += [
            [t.title, t.artist, t.album, "Mine", "Playlist", "", str(916_424 + n)]
            for n, t in enumerate(TRACKS)
        ]
        yield Export(f"TuneMyMusic from {service}", "My playlist.csv", table(rows))
    rows = [["title", "artist", "album", "isrc", "addedDate"]]
    rows += [[t.title, t.artist, t.album, "", "2024-01-01T00:00:00Z"] for t in TRACKS]
    yield Export("Soundiiz", "soundiiz.csv", table(rows, delimiter=";"))
    rows = [["#", "Artwork", "Track Title", "Artist", "Album", "Genre", "BPM", "Rating", "Time", "Key"]]
    rows += [
        [str(n), "", t.title, t.artist, t.album, "House", "128.00", "", "00:25", "8A"]
        for n, t in enumerate(TRACKS)
    ]
    yield Export("rekordbox, as text", "set.txt", table(rows, delimiter="\t", encoding="utf-16"))
    rows = [["Name", "Artist", "Composer", "Album", "Genre", "Size", "Time", "Disc Number"]]
    rows += [[t.title, t.artist, "", t.album, "", "100", f"{DURATION_S:.0f}", "1"] for t in TRACKS]
    yield Export("iTunes, as text", "itunes.txt", table(rows, delimiter="\t", encoding="utf-16"))
    rows = [["Titel", "Interpret", "Hinzugefügt am"], *([t.title, t.artist, "2024-01-01"] for t in TRACKS)]
    yield Export("a table in German", "liste.csv", table(rows, delimiter=";", encoding="utf-8"))


def tag(name: str, inside: str = "", **said: str) -> str:
    """An element of XML."""
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in said.items())
    return f"<{name}{attributes}>{inside}</{name}>"


def windows(track: Track, root: str = "C:\\Music\\") -> str:
    """Where a track lies, as Windows writes it."""
    return root + track.place.replace("/", "\\")


def traktor(tracks: Sequence[Track] = TRACKS, *, playlists: Sequence[str] = ("Set",)) -> bytes:
    """A collection with playlists of these names, each of all its tracks."""
    entries, keys = "", ""
    for track in tracks:
        *folders, file = track.place.split("/")
        directory = "".join(f"/:{part}" for part in ("Music", *folders)) + "/:"
        place = tag("LOCATION", DIR=directory, FILE=file, VOLUME="C:", VOLUMEID="a")
        said = tag("ALBUM", TITLE=track.album) + tag("INFO", PLAYTIME=f"{DURATION_S:.0f}")
        cue = tag("CUE_V2", NAME="n.n.", TYPE="0", START="1.5")
        entries += tag("ENTRY", place + said + cue, TITLE=track.title, ARTIST=track.artist)
        keys += tag("ENTRY", tag("PRIMARYKEY", TYPE="TRACK", KEY=f"C:{directory}{file}"))
    nodes = ""
    for name in playlists:
        node = tag("NODE", tag("PLAYLIST", keys, TYPE="LIST", UUID="u"), TYPE="PLAYLIST", NAME=name)
        nodes += tag("NODE", tag("SUBNODES", node), TYPE="FOLDER", NAME="a folder")
    nodes += tag("NODE", tag("PLAYLIST", TYPE="LIST"), TYPE="PLAYLIST", NAME="_LOOPS")
    nodes += tag("NODE", tag("SMARTLIST"), TYPE="SMARTLIST", NAME="Recent")
    tree = tag("NODE", tag("SUBNODES", nodes), TYPE="FOLDER", NAME="$ROOT")
    whole = tag("HEAD") + tag("COLLECTION", entries) + tag("SETS") + tag("PLAYLISTS", tree)
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n{tag("NML", whole, VERSION="19")}'.encode()
    )


def serato_library(tracks: Sequence[Track] = TRACKS) -> bytes:
    """A ``database V2``, by the bytes: Whichlist writes none."""

    def field(name: bytes, value: bytes | str) -> bytes:
        data = value.encode("utf-16-be") if isinstance(value, str) else value
        return name + len(data).to_bytes(4, "big") + data

    made = field(b"vrsn", "2.0/Serato Scratch LIVE Database")
    for track in tracks:
        texts = {
            b"ttyp": "flac",
            b"pfil": f"Music/{track.place}",
            b"tsng": track.title,
            b"tart": track.artist,
        }
        texts |= {b"talb": track.album, b"tlen": "00:25.00"}
        made += field(b"otrk", b"".join(map(field, texts, texts.values())) + field(b"bmis", b"\0"))
    return made


def crate(tracks: Sequence[Track] = TRACKS) -> bytes:
    """A crate of Serato's."""
    return serato.write_crate([f"/Music/{track.place}" for track in tracks])


def zipped(**members: bytes) -> bytes:
    """An archive of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _of_djs() -> Iterator[Export]:
    yield Export("Traktor", "collection.nml", traktor())
    yield Export("Serato, a crate alone", "Set%%Early.crate", crate())
    yield Export("Serato, the library", "database V2", serato_library())
    folder = {"_Serato_/Subcrates/Set.crate": crate(), "_Serato_/database V2": serato_library()}
    yield Export("Serato, its folder as zip", "_Serato_.zip", zipped(**folder))
    songs, listed = "", []
    for track in TRACKS:
        said = {"path": windows(track), "songlength": "25.01", "artist": track.artist, "title": track.title}
        songs += tag("song", **said, remix="")
        members = "".join(tag(name, escape(said[name])) for name in ("artist", "title", "songlength"))
        listed += [f"#EXTVDJ:<time>21:10</time>{members}", windows(track)]
    yield Export("VirtualDJ, a folder", "Set.vdjfolder", tag("VirtualFolder", songs).encode())
    yield Export("VirtualDJ, M3U", "Set.m3u", "\r\n".join(listed).encode())
    songs = ""
    for track in TRACKS:
        tags = tag("Tags", Author=track.artist, Title=track.title, Album=track.album)
        songs += tag("Song", tags + tag("Infos", SongLength="25.01") + tag("Poi"), FilePath=windows(track))
    yield Export("VirtualDJ, the library", "database.xml", tag("VirtualDJ_Database", songs).encode())


def _of_windows() -> Iterator[Export]:
    wpl, zpl, asx = "", "", ""
    for track in TRACKS:
        wpl += tag("media", src=windows(track, "..\\"))
        said = {"albumTitle": track.album, "albumArtist": track.artist, "trackTitle": track.title}
        zpl += tag("media", src=windows(track), trackArtist=track.artist, duration="25000", **said)
        # As it is written by hand and by old programs: no sign is escaped, and tags are not always ended.
        asx += f"<Entry><Title>{track.title}</Title><AUTHOR>{track.artist}</AUTHOR>"
        asx += f'<Ref Href = "../{track.place}" />'
        asx += '<Duration value="00:00:25.0"></Entry>\n'
    for kind, media, program in (("wpl", wpl, "Windows Media Player (WPL)"), ("zpl", zpl, "Zune (ZPL)")):
        smil = tag("smil", tag("head", tag("title", "Mine")) + tag("body", tag("seq", media)))
        yield Export(program, f"Mine.{kind}", f'<?{kind} version="1.0"?>\r\n{smil}'.encode())
    whole = f'<ASX Version = "3.0">\n<Title>Mine</Title>{asx}</ASX>'
    yield Export("Windows Media Player (ASX)", "Mine.asx", whole.encode())
