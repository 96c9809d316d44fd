"""Playlist files of every kind: what is read, what is left out with its reason, what is refused."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from recommender.errors import UnreadableSource
from recommender.records.rows import ISRC, MBID, SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.csv_exports import UnknownColumns
from recommender.sources.files.reading import (
    MAX_BYTES,
    MAX_XML_BYTES,
    WhichPlaylist,
    choose_playlist,
    read_playlist_file,
    read_playlists,
)

MBID_VALUE = "cd2e7c47-16f5-46c6-a37c-a1eb7bf599ff"
ISRC_VALUE = "USUM71900764"
SPOTIFY_VALUE = "spotify:track:4uLU6hMCjMI75M1A2tKUQC"
SPOTIFY_ID = SPOTIFY_VALUE.rpartition(":")[2]


def read_one(data: bytes | str, name: str = "mine.txt", *, folder: str | None = "/music") -> SourcePlaylist:
    content = data.encode() if isinstance(data, str) else data
    [playlist] = read_playlists(content, name=name, folder=None if folder is None else Path(folder))
    return playlist


def read_rows(data: bytes | str, name: str = "mine.txt") -> tuple[SourceRow, ...]:
    return read_one(data, name).rows


def test_m3u_takes_names_lengths_and_places() -> None:
    playlist = read_one(
        "#EXTM3U\r\n#PLAYLIST:Late night\r\n"
        '#EXTINF:201 tvg-name="a, b",Mina - Blue, Deep\r\nMina/Blue.mp3\r\n\r\n'
        "#EXTALB:Album\r\n#EXTINF:-1,Only a title\r\n../other/x.flac\r\n"
        "# a remark\r\n/abs/Some Artist - Some Title.mp3\r\n"
        "#EXTINF:5,R - S\r\nhttps://radio.example/a b.mp3\r\n"
        "#EXTINF:5,R - T\r\nrtsp://radio.example/a\r\n"
        "rtsp://radio.example/b\r\n"
    )
    assert playlist.name == "Late night"
    assert playlist.source == "m3u"
    assert playlist.rows == (
        SourceRow("Blue, Deep", "Mina", duration_s=201.0, path="/music/Mina/Blue.mp3"),
        SourceRow("Only a title", path="/other/x.flac"),
        SourceRow("Some Title", "Some Artist", path="/abs/Some Artist - Some Title.mp3"),
        SourceRow("S", "R", duration_s=5.0, url="https://radio.example/a b.mp3"),
        SourceRow("T", "R", duration_s=5.0),
    )
    assert [(s.position, s.code, s.text) for s in playlist.skipped] == [
        (5, "unsupported_location", "rtsp://radio.example/b")
    ]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a/b.mp3", "/music/a/b.mp3"),
        ("a\\b.mp3", "/music/a/b.mp3"),
        ("../b.mp3", "/b.mp3"),
        ("/x/./y/../b.mp3", "/x/b.mp3"),
        ("C:\\Music\\a b\\c.mp3", "C:/Music/a b/c.mp3"),
        ("\\\\nas\\music\\c.mp3", "//nas/music/c.mp3"),
        ("file:///home/m%C3%A9/a%20b.mp3", "/home/mé/a b.mp3"),
        ("file://localhost/C:/Music/a%23.mp3", "C:/Music/a#.mp3"),
        ("file:///C:/Music/a.mp3", "C:/Music/a.mp3"),
        ("file://localhost//music/a.mp3", "/music/a.mp3"),
        ("file:////nas/music/a.mp3", "//nas/music/a.mp3"),
        ("file://C:/Music/a.mp3", "C:/Music/a.mp3"),
        ("file://nas/music/a.mp3", "//nas/music/a.mp3"),
        ("FILE:/x/a.mp3", "/x/a.mp3"),
        ("Some%20Artist/a.mp3", "/music/Some Artist/a.mp3"),
        ("100%25 %41.mp3", "/music/100%25 %41.mp3"),
    ],
)
def test_places_are_understood_however_they_are_spelled(written: str, path: str) -> None:
    [row] = read_rows(f"#EXTM3U\n{written}\n", "mine.m3u8")
    assert row.path == path


def test_a_relative_path_of_an_upload_stays_what_it_says() -> None:
    playlist = read_one("#EXTM3U\n../a/b.mp3\n", folder=None)
    assert playlist.rows[0].path == "a/b.mp3"


@pytest.mark.parametrize("place", ["a\0b.mp3", "file:///a%00b.mp3", "x" * 9000 + ".mp3"])
def test_places_that_no_file_can_have_name_none(place: str) -> None:
    document = {"playlist": {"track": [{"title": "t", "creator": "a", "location": place}]}}
    assert read_rows(json.dumps(document)) == (SourceRow("t", "a"),)


@pytest.mark.parametrize(
    "encoded",
    [
        "Björk - Jóga\nAcón - Ñu".encode(),
        b"\xef\xbb\xbf" + "Björk - Jóga\nAcón - Ñu".encode(),
        "Björk - Jóga\nAcón - Ñu".encode("cp1252"),
        "Björk - Jóga\n".encode() + "Acón - Ñu".encode("cp1252"),
        "Björk - Jóga\r\nAcón - Ñu".encode("utf-16"),
        "Björk - Jóga\r\nAcón - Ñu".encode("utf-16-le"),
        "Björk - Jóga\r\nAcón - Ñu".encode("utf-16-be"),
        "Björk - Jóga\rAcón - Ñu".encode("utf-32"),
    ],
)
def test_encodings(encoded: bytes) -> None:
    assert read_rows(encoded) == (SourceRow("Jóga", "Björk"), SourceRow("Ñu", "Acón"))


def test_pls_goes_by_its_numbers() -> None:
    playlist = read_one(
        "[Playlist]\nTitle2=B - Two\nFile10=/x/ten.mp3\nFile2=two.mp3\nLength2=12\n"
        "file1=one.mp3\nNumberOfEntries=99\nVersion=2\n"
    )
    assert playlist.source == "pls"
    assert playlist.rows == (
        SourceRow("one", path="/music/one.mp3"),
        SourceRow("Two", "B", duration_s=12.0, path="/music/two.mp3"),
        SourceRow("ten", path="/x/ten.mp3"),
    )


def test_plain_text_in_its_many_forms() -> None:
    playlist = read_one(
        "# my list\n1. Mina - Città vuota\n2) The A-Team – Theme [3:05]\n\n* X — Y\nQ\tZ\n"
        "[Bracket] - Song\nnothing here\nMina/Blue.mp3\n"
    )
    assert playlist.source == "text"
    assert [(row.artist, row.title, row.duration_s) for row in playlist.rows] == [
        ("Mina", "Città vuota", None),
        ("The A-Team", "Theme", 185.0),
        ("X", "Y", None),
        ("Q", "Z", None),
        ("[Bracket]", "Song", None),
        ("", "Blue", None),
    ]
    assert [(s.position, s.code, s.text) for s in playlist.skipped] == [(5, "no_artist", "nothing here")]


def test_a_list_of_spotify_links_is_marked_as_spotifys() -> None:
    playlist = read_one(f"https://open.spotify.com/track/{SPOTIFY_ID}?si=1\n{SPOTIFY_VALUE}\n")
    assert playlist.source == SPOTIFY
    assert {row.identity(SPOTIFY) for row in playlist.rows} == {SPOTIFY_VALUE}


def test_xspf() -> None:
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><playlist version="1" xmlns="http://xspf.org/ns/0/">'
        "<title>Café &amp; bar</title><trackList><track><location>a%20b/c.mp3</location>"
        "<location>https://x.example/c.mp3</location>"
        f"<identifier>https://musicbrainz.org/recording/{MBID_VALUE.upper()}</identifier>"
        f"<identifier>urn:isrc:{ISRC_VALUE}</identifier><identifier>urn:other:1</identifier>"
        "<title>T</title><creator>A</creator><album>B</album><duration>1500</duration>"
        "<extension application='x'><title>no</title></extension></track><track/></trackList></playlist>"
    )
    playlist = read_one(text.encode("latin-1"))
    assert (playlist.name, playlist.source) == ("Café & bar", "xspf")
    assert playlist.rows == (
        SourceRow(
            *("T", "A", "B", 1.5, ((MBID, MBID_VALUE), (ISRC, ISRC_VALUE))),
            path="/music/a b/c.mp3",
            url="https://x.example/c.mp3",
        ),
    )
    assert [s.code for s in playlist.skipped] == ["no_name"]


def test_jspf_with_members_once_or_in_lists() -> None:
    mine = {
        "title": "Weekly",
        "track": [
            {
                "title": "T",
                "creator": "A",
                "duration": 1500,
                "identifier": f"https://musicbrainz.org/recording/{MBID_VALUE}",
                "location": ["https://x.example/c.mp3"],
                "extension": {"https://musicbrainz.org/doc/jspf#track": {"title": "no"}},
            },
            {"title": None, "identifier": [f"https://musicbrainz.org/recording/{MBID_VALUE}", 7]},
            {"creator": ["A"], "title": ["T2"], "duration": "NaN"},
            "no track",
        ],
    }
    playlist = read_one(json.dumps({"playlist": mine}))
    assert (playlist.name, playlist.source) == ("Weekly", "jspf")
    assert playlist.rows == (
        SourceRow("T", "A", "", 1.5, ((MBID, MBID_VALUE),), url="https://x.example/c.mp3"),
        SourceRow(identities=((MBID, MBID_VALUE),)),
        SourceRow("T2", "A"),
    )
    assert [(s.position, s.code) for s in playlist.skipped] == [(3, "no_name")]


ITUNES = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN"
 "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Major Version</key><integer>1</integer>
<key>Tracks</key><dict>
 <key>7</key><dict><key>Track ID</key><integer>7</integer><key>Name</key><string>Rock &#38; Roll</string>
  <key>Artist</key><string>A</string><key>Album</key><string>B</string>
  <key>Total Time</key><integer>1500</integer>
  <key>Location</key><string>file://localhost/C:/Music/A%20B/r.mp3</string></dict>
 <key>8</key><dict><key>Name</key><string>Talk</string><key>Podcast</key><true/></dict>
 <key>9</key><dict><key>Name</key><string>In the cloud</string><key>Artist</key><string>C</string>
  <key>Compilation</key><false/><key>Year</key><integer>1999</integer></dict>
</dict>
<key>Playlists</key><array>
 <dict><key>Name</key><string>Library</string><key>Master</key><true/>
  <key>Playlist Items</key><array><dict><key>Track ID</key><integer>7</integer></dict></array></dict>
 <dict><key>Name</key><string>Podcasts</string><key>Distinguished Kind</key><integer>10</integer></dict>
 <dict><key>Name</key><string>Mine</string><key>Smart Info</key><data>AQEAAw==</data>
  <key>Playlist Items</key><array><dict><key>Track ID</key><integer>9</integer></dict>
  <dict><key>Track ID</key><integer>8</integer></dict><dict><key>Track ID</key><integer>7</integer></dict>
  <dict><key>Track ID</key><integer>70</integer></dict></array></dict>
 <dict><key>Name</key><string>Mine</string></dict>
</array></dict></plist>"""


def test_itunes_gives_the_playlists_that_the_user_made() -> None:
    mine, empty = read_playlists(ITUNES.encode(), name="Library.xml")
    assert (mine.name, mine.source, empty.name, empty.rows) == ("Mine", "itunes", "Mine (2)", ())
    assert mine.rows == (
        SourceRow("In the cloud", "C", released="1999"),
        SourceRow("Rock & Roll", "A", "B", 1.5, path="C:/Music/A B/r.mp3"),
    )
    assert [(s.position, s.code) for s in mine.skipped] == [(1, "not_music"), (3, "missing_track")]


REKORDBOX = """<?xml version="1.0" encoding="UTF-8"?><DJ_PLAYLISTS Version="1.0.0">
<COLLECTION Entries="2"><TRACK TrackID="1" Name="T &amp; U" Artist="A" Album="B" TotalTime="200"
 Location="file://localhost/C:/dj/t%20u.mp3"><TEMPO Inizio="0.1"/></TRACK>
<TRACK TrackID="2" Name="V" Artist="C" Location="file://localhost/Volumes/usb/v.wav"/></COLLECTION>
<PLAYLISTS><NODE Type="0" Name="ROOT" Count="2">
<NODE Name="Set" Type="1" KeyType="0" Entries="3">
<TRACK Key="2"/><TRACK Key="1"/><TRACK Key="9"/></NODE><NODE Type="0" Name="Old">
<NODE Name="By place" Type="1" KeyType="1"><TRACK Key="file://localhost/C:/dj/t%20u.mp3"/></NODE></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>"""


def test_rekordbox_in_its_folders_by_id_and_by_place() -> None:
    by_id, by_place = read_playlists(REKORDBOX.encode(), name="rekordbox.xml")
    first = SourceRow("T & U", "A", "B", 200.0, path="C:/dj/t u.mp3")
    assert (by_id.name, by_id.source) == ("Set", "rekordbox")
    assert by_id.rows == (SourceRow("V", "C", path="/Volumes/usb/v.wav"), first)
    assert [(s.position, s.code, s.text) for s in by_id.skipped] == [(2, "missing_track", "9")]
    assert (by_place.name, by_place.rows) == ("By place", (first,))


@pytest.mark.parametrize(
    ("table", "source", "rows"),
    [
        (
            '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album URI","Album Name",'
            '"Track Duration (ms)","ISRC","Added By"\r\n'
            f'"{SPOTIFY_VALUE}","T, ""1""","x","A, B\\, C","y","Al","1500","us-um7-19-00764","me"\r\n',
            SPOTIFY,
            [SourceRow('T, "1"', "A, B, C", "Al", 1.5, ((ISRC, ISRC_VALUE), (SPOTIFY, SPOTIFY_VALUE)))],
        ),
        (
            "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity\n"
            f"{SPOTIFY_VALUE},T,Al,A;B,2019-03-29,1500,7\n",
            SPOTIFY,
            [SourceRow("T", "A, B", "Al", 1.5, ((SPOTIFY, SPOTIFY_VALUE),), released="2019-03-29")],
        ),
        (
            f"Spotify ID,Artist IDs,Track Name,Album Name,Artist Name(s)\n{SPOTIFY_ID},x,T,Al,A\n",
            SPOTIFY,
            [SourceRow("T", "A", "Al", identities=((SPOTIFY, SPOTIFY_VALUE),))],
        ),
        (
            f"Track name,Artist name,Album,Playlist name,Type,ISRC\nT,A,Al,Mix,Playlist,{ISRC_VALUE}\n",
            "csv",
            [SourceRow("T", "A", "Al", identities=((ISRC, ISRC_VALUE),))],
        ),
        (
            f"Track name,Artist name,Spotify - id\nT,A,{SPOTIFY_ID}\n",
            SPOTIFY,
            [SourceRow("T", "A", identities=((SPOTIFY, SPOTIFY_VALUE),))],
        ),
        (
            "title;artist;album;isrc\nT;A;Al;nonsense\nMina - Blue (Official Video);MinaVEVO;;\n"
            "Song - Remastered 2011;B;Al;\nSolo;C - Topic;;\n01 - Opening;D;;\nSong - B mix;E;;\n",
            "csv",
            [
                SourceRow("T", "A", "Al"),
                SourceRow("Blue", "Mina"),
                SourceRow("Song - Remastered 2011", "B", "Al"),
                SourceRow("Solo", "C"),
                SourceRow("01 - Opening", "D"),
                SourceRow("Song - B mix", "E"),
            ],
        ),
        ("Artist\tTitle\tTime\nA\tT\t3:05\n", "csv", [SourceRow("T", "A", duration_s=185.0)]),
        ("\ufeffTITLE | ARTIST\nT | A\n|\nT | A\n", "csv", [SourceRow("T", "A"), SourceRow("T", "A")]),
        (
            "Title,Artist\n\"Two\nlines\",A\n'=1+1,'-x\n",
            "csv",
            [SourceRow("Two lines", "A"), SourceRow("=1+1", "-x")],
        ),
    ],
)
def test_csv_by_the_names_of_its_columns(table: str, source: str, rows: list[SourceRow]) -> None:
    playlist = read_one(table, "export.csv")
    assert list(playlist.rows) == rows
    assert playlist.source == source


def test_a_csv_with_playlist_names_holds_several() -> None:
    table = "Track name,Artist name,Playlist name\nT,A,One\nU,B,Two\nV,C,One\n"
    one, two = read_playlists(table.encode(), name="all.csv")
    assert [(p.name, [row.title for row in p.rows]) for p in (one, two)] == [
        ("One", ["T", "V"]),
        ("Two", ["U"]),
    ]


def test_a_csv_without_a_known_column_names_those_seen() -> None:
    with pytest.raises(UnknownColumns, match="they are 'id', 'colour', 'weight'"):
        read_one("id;colour;weight\n1;red;2\n2;blue;3\n", "things.txt")


ACCOUNT = {
    "playlists": [
        {
            "name": "Drive",
            "lastModifiedDate": "2026-01-01",
            "items": [
                {
                    "track": {
                        "trackName": "T",
                        "artistName": "A",
                        "albumName": "Al",
                        "trackUri": SPOTIFY_VALUE,
                    }
                },
                {"track": None, "episode": {"episodeName": "E"}, "localTrack": None},
                {"track": None, "episode": None, "localTrack": {"uri": "spotify:local:A+B:Al:T%3A1:200"}},
                {"track": None, "episode": None, "localTrack": None},
            ],
        },
        {"name": "Empty", "items": []},
    ]
}
LIBRARY = {"tracks": [{"artist": "A", "album": "Al", "track": "T", "uri": SPOTIFY_VALUE}], "albums": []}
HEARD = SourceRow("T", "A", "Al", identities=((SPOTIFY, SPOTIFY_VALUE),))


def pack(**files: object) -> bytes:
    """A zip archive; what is no bytes is written as JSON."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return packed.getvalue()


def test_the_account_data_of_spotify_packed_and_not() -> None:
    drive, empty = read_playlists(json.dumps(ACCOUNT).encode(), name="Playlist1.json")
    assert (drive.name, drive.source, empty.name, len(empty.rows)) == ("Drive", SPOTIFY, "Empty", 0)
    assert drive.rows == (HEARD, SourceRow("T:1", "A B", "Al", 200.0))
    assert [(s.position, s.code) for s in drive.skipped] == [(1, "episode"), (3, "no_name")]
    files = {
        "My Data/Playlist1.json": ACCOUNT,
        "My Data/YourLibrary.json": LIBRARY,
        "My Data/StreamingHistory0.json": [{"endTime": "x"}],
        "My Data/ReadMe.txt": b"A - B",
    }
    packed = read_playlists(pack(**files), name="my_spotify_data.zip")
    assert [(p.name, p.source) for p in packed] == [
        ("Drive", SPOTIFY),
        ("Empty", SPOTIFY),
        ("Liked Songs", SPOTIFY),
    ]
    assert packed[2].rows == (HEARD,)


def test_many_exports_in_one_archive() -> None:
    table = f"Track URI,Track Name,Artist Name(s)\n{SPOTIFY_VALUE},T,A\n".encode()
    packed = read_playlists(pack(**{"road_trip.csv": table, "gym.m3u": b"#EXTM3U\nx.mp3\n"}), name="x.zip")
    assert [(p.name, p.source) for p in packed] == [("road_trip", SPOTIFY), ("gym", "m3u")]


@pytest.mark.parametrize(
    ("content", "name", "source"),
    [
        (b"#EXTM3U\nx.mp3\n", "a.xspf", "m3u"),
        (b"[playlist]\nFile1=x.mp3\n", "a.m3u", "pls"),
        (b'<playlist xmlns="http://xspf.org/ns/0/"><trackList/></playlist>', "a.m3u8", "xspf"),
        (b'{"playlist": {"track": []}}', "a.csv", "jspf"),
        (b"title,artist\nT,A\n", "a.m3u", "csv"),
        (b"A - B\n", "a.pls", "text"),
        (b"x.mp3\ny.mp3\n", "a.txt", "m3u"),
    ],
)
def test_the_content_says_what_a_file_is_not_its_name(content: bytes, name: str, source: str) -> None:
    assert read_one(content, name).source == source


@pytest.mark.parametrize(
    "content", [b"#EXTM3U\n", b"[playlist]\nVersion=2\n", b"title,artist\n", b'{"playlists": [{}]}']
)
def test_a_playlist_may_be_empty(content: bytes) -> None:
    assert read_one(content).rows == ()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:9.0,\nsegment0.ts\n", "HLS"),
        (b"Dear diary,\ntoday was nice.\n", "no playlist"),
        (b"ID3\x04" + b"\0" * 100, "is audio"),
        (b"bplist00xx", "export the playlist or library as XML"),
        (b"\x7fELF\x02\x01\0\0\0\0\x10\0", "not text"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"<html><body/></html>", "<html>"),
        (b"<playlist><trackList>", "damaged"),
        (b"<playlist>&nbsp;</playlist>", "damaged"),
        (b"<?xml version='1.0' encoding='rot13'?><playlist/>", "damaged"),
        (b"<a>" * 100, "nested"),
        (b'{"playlist": ', "damaged"),
        (b'{"colours": [], "x": 1}', "holds colours, x"),
        (b"[1, 2]", "no playlist"),
        (b'{"a":' + b"[" * 100_000, "damaged"),
        (b"<plist><dict><key>Playlists</key><array/></dict></plist>", "no playlist of yours"),
        (b"PK\x03\x04 and no more", "archive is damaged"),
        (
            pack(**{"a.json": [1], "b.csv": b"x,y,z\n"}),
            "no file in the archive is a playlist; it holds a.json, b.csv",
        ),
        (pack(**{"a.png": b"x"}), "none of the kinds"),
    ],
)
def test_what_is_no_playlist_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableSource, match=sentence):
        read_playlists(content, name="mine")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "xml",
    [
        f'<!DOCTYPE playlist [<!ENTITY l0 "ha">{LAUGHS}]><playlist><title>&l9;</title></playlist>',
        f'<!DOCTYPE plist [<!ENTITY l0 "ha">{LAUGHS}]><plist><dict><key>&l9;</key></dict></plist>',
        '<!DOCTYPE playlist [<!ENTITY x SYSTEM "file:///etc/passwd">]><playlist><title>&x;</title></playlist>',
        '<!DOCTYPE playlist SYSTEM "file:///etc/passwd"><playlist/>',
        '<!DOCTYPE plist [<!ATTLIST plist a CDATA "x">]><plist/>',
        "<!DOCTYPE DJ_PLAYLISTS><DJ_PLAYLISTS/>",
    ],
)
def test_xml_declares_nothing(xml: str) -> None:
    with pytest.raises(UnreadableSource, match="declares"):
        read_playlists(xml.encode(), name="x.xml")


def test_an_unended_tag_is_not_waited_for() -> None:
    with pytest.raises(UnreadableSource, match="more than 1 MB"):
        read_playlists(b"<playlist><!--" + b"x" * (3 << 20), name="x.xml")


def test_what_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "Library.xml"
    with large.open("wb") as file:
        file.write(b"<plist>")
        file.truncate(1500 << 20)  # takes no room on the disk
    with pytest.raises(UnreadableSource, match="1500 MB, at most 1024 MB"):
        read_playlist_file(large)
    assert large.stat().st_size > MAX_XML_BYTES
    large.write_bytes(b"A - B\n" * (MAX_BYTES // 6 + 1))
    with pytest.raises(UnreadableSource, match="at most 32 MB"):
        read_playlist_file(large)
    with pytest.raises(UnreadableSource, match="at most 32 MB"):
        read_playlists(large.read_bytes(), name="x.txt")


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = pack(**{"Playlist1.json": b" " * (MAX_BYTES + 1)})
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableSource, match="at most 32 MB"):
        read_playlists(bomb, name="x.zip")


def test_more_rows_than_anybody_keeps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.sources.rows.collecting.MAX_ROWS", 100)
    content = b"A - B\n" * 100
    assert len(read_one(content).rows) == 100
    with pytest.raises(UnreadableSource, match="more than 100 rows"):
        read_one(content + b"A - C\n")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.m3u", Path("/dev/zero")):
        with pytest.raises(UnreadableSource):
            read_playlist_file(path)
    (tmp_path / "mine.m3u8").write_text("x.mp3\n")
    [playlist] = read_playlist_file(tmp_path / "mine.m3u8")
    assert (playlist.name, playlist.rows[0].path) == ("mine", str(tmp_path / "x.mp3"))


def test_one_of_several_playlists_is_named() -> None:
    several = read_playlists(json.dumps(ACCOUNT).encode(), name="Playlist1.json")
    assert choose_playlist(several, "Empty").name == "Empty"
    assert choose_playlist(several, " drive ").name == "Drive"
    assert choose_playlist(several[:1]).name == "Drive"
    with pytest.raises(WhichPlaylist, match=r"2 playlists; name one of: 'Drive' \(2\), 'Empty' \(0\)"):
        choose_playlist(several)
    with pytest.raises(WhichPlaylist, match="no playlist called 'Gym'"):
        choose_playlist(several[:1], "Gym")


def test_ten_thousand_rows_keep_their_order_and_their_doubles() -> None:
    lines = [f"Artist {n % 50} - Title {n % 9_000}" for n in range(10_000)]
    rows = read_rows("\n".join(lines))
    assert [f"{row.artist} - {row.title}" for row in rows] == lines
