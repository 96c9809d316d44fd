"""A folder of audio: what is found, what the tags say, and which paths may be named."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recommender.errors import OutsideLibrary, UnreadableFolder
from recommender.records.tracks import UNKNOWN_ARTIST, FileFormat, TrackFacts
from recommender.sources.folder import (
    PassedOver,
    library_folders,
    read_facts,
    read_format,
    resolve_in_roots,
    walk_audio,
)
from tests.folders import write_track

MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


def touch(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found_names(folder: Path, *, roots: tuple[Path, ...] = ()) -> list[str]:
    return [os.fspath(file.path.relative_to(folder)) for file in walk_audio(folder, roots=roots)]


def test_audio_files_are_found_by_path_at_any_depth(tmp_path: Path) -> None:
    for name in ("b.mp3", "a/z.FLAC", "a.ogg", "a b.opus", "a/deep/er.m4a", "cover.jpg", "list.m3u", "noend"):
        touch(tmp_path / name)
    touch(tmp_path / ".hidden" / "x.mp3")
    touch(tmp_path / "._mac.mp3")
    assert found_names(tmp_path) == ["a b.opus", "a.ogg", "a/deep/er.m4a", "a/z.FLAC", "b.mp3"]


def test_the_order_is_that_of_the_whole_paths(tmp_path: Path) -> None:
    for name in ("a/x.mp3", "a-b/x.mp3", "a.mp3", "a0/x.mp3", "ä/x.mp3"):
        touch(tmp_path / name)
    names = found_names(tmp_path)
    assert names == sorted(names, key=os.fsencode)


def test_size_and_time_come_with_the_file(tmp_path: Path) -> None:
    path = touch(tmp_path / "a.mp3", b"12345")
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    [file] = walk_audio(tmp_path)
    assert (file.path, file.size, file.mtime_ns) == (path, 5, 1_700_000_000_123_456_789)


def test_names_that_are_no_text_are_found_byte_for_byte(tmp_path: Path) -> None:
    name = b"bad\xff\xfe \xf0\x9f\x8e\xa7.mp3"
    touch(tmp_path / os.fsdecode(name))
    [file] = walk_audio(tmp_path)
    assert os.fsencode(file.path.name) == name
    assert read_facts(file.path).title == "bad�� 🎧"


def test_links_are_followed_to_files_inside_the_roots_only(tmp_path: Path) -> None:
    library, playlist, outside = tmp_path / "lib", tmp_path / "lib" / "playlist", tmp_path / "private"
    playlist.mkdir(parents=True)
    target = touch(library / "all" / "song.mp3")
    secret = touch(outside / "secret.mp3")
    (playlist / "good.mp3").symlink_to(target)
    (playlist / "bad.mp3").symlink_to(secret)
    (playlist / "broken.mp3").symlink_to(tmp_path / "nowhere.mp3")
    (playlist / "loop").symlink_to(playlist)
    (playlist / "away").symlink_to(outside)
    assert found_names(playlist) == []
    assert found_names(playlist, roots=(library,)) == ["good.mp3"]


def test_a_folder_beside_the_root_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "x.mp3").symlink_to(touch(tmp_path / "lib-private" / "x.mp3"))
    assert found_names(tmp_path / "lib") == []


@pytest.mark.parametrize("name", ["missing", "file.mp3"])
def test_what_is_no_folder_is_refused_by_name(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "file.mp3")
    with pytest.raises(UnreadableFolder, match=name):
        list(walk_audio(tmp_path / name))
    with pytest.raises(UnreadableFolder, match=name):
        library_folders(tmp_path / name)


def test_the_folders_of_a_library_are_its_playlists(tmp_path: Path) -> None:
    for name in ("hip hop", "electro", ".cache"):
        (tmp_path / name).mkdir()
    touch(tmp_path / "loose.mp3")
    (tmp_path / "linked").symlink_to(tmp_path / "electro")
    assert library_folders(tmp_path) == [tmp_path / "electro", tmp_path / "hip hop"]


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".wav"])
def test_tags_are_read(tmp_path: Path, suffix: str) -> None:
    path = write_track(
        tmp_path / f"x{suffix}", tone_hz=300, title=" A  title ", artist="An Artist", album="An Album"
    )
    facts = read_facts(path)
    assert facts.duration_s == pytest.approx(3.5, abs=0.05)
    expected = TrackFacts(title="A title", artist="An Artist", album="An Album", duration_s=facts.duration_s)
    assert facts == expected


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".wav"])
def test_formats_are_read(tmp_path: Path, suffix: str) -> None:
    found = read_format(write_track(tmp_path / f"x{suffix.upper()}", tone_hz=300))
    assert (found.container, found.sample_rate_hz) == (suffix[1:], 16_000)
    assert found.bit_rate_kbps > 0
    assert found.properties[:2] == (f"{suffix[1:]} files", "at 16 kHz")


@pytest.mark.parametrize(
    ("bit_rate_kbps", "said"),
    [(0.0, ""), (64.0, "of at most 64 kbit/s"), (65.0, "of at most 112 kbit/s"), (900.0, "")],
)
def test_bit_rates_are_told_in_bands(bit_rate_kbps: float, said: str) -> None:
    assert FileFormat("mp3", 44_100, bit_rate_kbps).properties[2] == said


def test_a_header_that_cannot_be_read_leaves_the_suffix(tmp_path: Path) -> None:
    assert read_format(touch(tmp_path / "x.flac", b"no flac")) == FileFormat("flac")
    assert read_format(tmp_path / "missing.mp3") == FileFormat("mp3")


def id3_frame(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">LH", len(body), 0) + body


def write_mp3(path: Path, *frames: bytes) -> Path:
    """An mp3 of a second of noise with an ID3v2.3 tag."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(440).uniform(-0.1, 0.1, 16_000)
    soundfile.write(buffer, noise, samplerate=16_000, format="MP3")
    body = b"".join(frames)
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return touch(path, b"ID3\x03\x00\x00" + size + body + buffer.getvalue())


def test_identities_are_read_from_mp3(tmp_path: Path) -> None:
    path = write_mp3(
        tmp_path / "x.mp3",
        id3_frame(b"TIT2", b"\x00Title"),
        id3_frame(b"TPE2", b"\x00Album Artist"),
        id3_frame(b"TSRC", b"\x00us-s1z-99-00001"),
        id3_frame(b"UFID", b"http://musicbrainz.org\x00" + MBID.encode()),
    )
    facts = read_facts(path)
    assert (facts.title, facts.artist) == ("Title", "Album Artist")
    assert facts.identities == (("isrc", "USS1Z9900001"), ("mbid", MBID))


def test_identities_are_read_from_vorbis_comments(tmp_path: Path) -> None:
    source = write_track(tmp_path / "x.flac", tone_hz=300).read_bytes()
    comments = [f"MUSICBRAINZ_TRACKID={MBID.upper()}", "ISRC=QMFME1712345", "LICENSE=CC-BY-4.0", "TITLE=t"]
    packed = b"".join(struct.pack("<L", len(text)) + text.encode() for text in comments)
    body = struct.pack("<L", 0) + struct.pack("<L", len(comments)) + packed
    block = bytes([4]) + len(body).to_bytes(3, "big") + body
    # A second comment block straight after STREAMINFO (4 + 4 + 34 bytes); the reader takes both.
    path = touch(tmp_path / "y.flac", source[:42] + block + source[42:])
    facts = read_facts(path)
    assert facts.identities == (("isrc", "QMFME1712345"), ("mbid", MBID))
    assert facts.licence == "CC-BY-4.0"


def test_what_has_not_the_form_of_an_identity_is_no_identity(tmp_path: Path) -> None:
    path = write_mp3(
        tmp_path / "x.mp3",
        id3_frame(b"TSRC", b"\x00none"),
        id3_frame(b"UFID", b"http://musicbrainz.org\x00not-a-uuid"),
    )
    assert read_facts(path).identities == ()


@pytest.mark.parametrize(
    ("name", "title", "artist"),
    [
        ("Artist - Title.mp3", "Title", "Artist"),
        ("03. Artist - Title - Remix.mp3", "Title - Remix", "Artist"),
        ("just a name.mp3", "just a name", UNKNOWN_ARTIST),
        (" - .mp3", "-", UNKNOWN_ARTIST),
        ("99 Luftballons.mp3", "99 Luftballons", UNKNOWN_ARTIST),
        ("AC-DC - T.N.T..mp3", "T.N.T.", "AC-DC"),
    ],
)
def test_without_tags_the_name_speaks(tmp_path: Path, name: str, title: str, artist: str) -> None:
    path = touch(tmp_path / name, b"no audio at all")
    assert read_facts(path) == TrackFacts(title=title, artist=artist)
    assert read_facts(touch(tmp_path / "upload.tmp"), name=name) == TrackFacts(title=title, artist=artist)


def test_control_characters_in_tags_become_spaces(tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "x.mp3", id3_frame(b"TIT2", b"\x00two\nlines\x07"))
    assert read_facts(path).title == "two lines"


def test_a_path_is_resolved_in_the_root_that_has_it(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    song = touch(second / "p" / "song.mp3")
    first.mkdir()
    roots = (first, second)
    assert resolve_in_roots(song, roots) == song
    assert resolve_in_roots(Path("p/song.mp3"), roots) == song
    assert resolve_in_roots(Path("p/../p/./song.mp3"), roots) == song
    assert resolve_in_roots(first, roots) == first
    assert resolve_in_roots(Path("p/none.mp3"), roots) == first / "p" / "none.mp3"


def test_paths_outside_are_refused_alike_whether_they_exist_or_not(tmp_path: Path) -> None:
    root = tmp_path / "lib"
    inside = touch(root / "a.mp3")
    secret = touch(tmp_path / "secret.mp3")
    touch(tmp_path / "lib2" / "x.mp3")
    (root / "link.mp3").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    (root / "round").symlink_to(root / "round")
    refused = [
        secret,
        tmp_path / "missing.mp3",
        root / ".." / "secret.mp3",
        Path("../secret.mp3"),
        Path("../missing.mp3"),
        root / "link.mp3",
        root / "folder" / "secret.mp3",
        Path("folder/secret.mp3"),
        tmp_path / "lib2" / "x.mp3",
        Path("nul\0l.mp3"),
        Path("round/x.mp3"),
        Path("/etc/passwd"),
    ]
    sentences = set()
    for path in refused:
        with pytest.raises(OutsideLibrary) as caught:
            resolve_in_roots(path, (root,))
        sentences.add(str(caught.value))
    assert sentences == {"this path does not lie under a library root"}
    with pytest.raises(OutsideLibrary):
        resolve_in_roots(inside, ())


def test_what_a_walk_passes_over_is_counted_and_named(tmp_path: Path) -> None:
    music, elsewhere = tmp_path / "music", touch(tmp_path / "elsewhere" / "x.mp3")
    for name in ("a.mp3", "b.webm", "c.mka", "cover.jpg", "back.JPG", "list.cue", "README", ".hidden.mp3"):
        touch(music / name)
    (music / "out.mp3").symlink_to(elsewhere)
    (music / "folder").symlink_to(elsewhere.parent)
    passed_over = PassedOver()
    found = [file.path.name for file in walk_audio(music, passed_over=passed_over)]
    assert found == ["a.mp3", "b.webm", "c.mka"]
    assert passed_over.suffixes == {".jpg": 2, "without a suffix": 1}
    assert passed_over.sheets == {"list.cue": "it names no audio track with a beginning (INDEX 01)"}
    assert passed_over.n_links == 2
    assert passed_over.sentence == (
        "passed over: 3 files that by their names are no audio (.jpg 2, without a suffix 1), "
        "1 cue sheets of no use (list.cue: it names no audio track with a beginning (INDEX 01)), "
        "2 links to folders, or out of the library's folders"
    )
    assert PassedOver().sentence == ""
