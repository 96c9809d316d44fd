"""Tags of every container, against a tagger of another make."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from recommender.sources.folder import read_facts
from recommender.sources.tag_blocks import without_schemes
from recommender.sources.tags import read_tags
from tests.counterparts.others import need_counterparts

# mutagen is under the GPL: it runs with the counterparts and is never loaded with ours.
MUTAGEN = """
import sys
import mutagen
from mutagen import apev2, id3
path, *words = sys.argv[1:]
"""
MBID = "b10bbbfc-cf9e-42e0-be17-e2c3e1d2600d"
WORDS = ["Zoë Ünal", "Élan", "音楽", "-"]


@pytest.fixture
def tune(rng, write_audio) -> Path:
    return write_audio("tune.wav", 0.1 * rng.standard_normal((4 * 22_050, 2)), sample_rate_hz=22_050)


@pytest.fixture
def convert(tune):
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("no ffmpeg on the PATH")

    def run(name: str, *options: str) -> Path:
        path = tune.with_name(name)
        subprocess.run([program, "-v", "error", "-y", "-i", str(tune), *options, str(path)], check=True)
        return path

    return run


def by_mutagen(script: str, path: Path, *words: str) -> None:
    """Let the tagger of another make write into a file."""
    command = [need_counterparts(), "-c", MUTAGEN + script, path, *words]
    subprocess.run(command, check=True)


class TestEveryContainer:
    @pytest.mark.parametrize(
        "name",
        [
            *("a.mp3", "a.m4a", "a.flac", "a.ogg", "a.opus", "a.wma", "a.mka", "a.webm", "a.wv"),
            *("a.caf", "a.aiff", "a.wav", "a.mp4", "a.oga"),
        ],
    )
    def test_title_artist_and_album(self, name, convert) -> None:
        said = {"title": "Zoë 音楽", "artist": "Ünal", "album": "Élan"}
        options = [word for key, value in said.items() for word in ("-metadata", f"{key}={value}")]
        if name.endswith(".aiff"):
            options += ["-write_id3v2", "1"]
        tags = read_tags(convert(name, *options))
        if name.endswith("caf"):  # which has no album, and no more than ASCII from ffmpeg
            assert tags.title
            return
        assert (tags.title, tags.artists) == (said["title"], (said["artist"],))
        assert tags.album == said["album"]

    def test_true_audio(self, convert) -> None:
        """ffmpeg writes no tags there."""
        script = """
from mutagen.trueaudio import TrueAudio
song = TrueAudio(path)
song.add_tags()
for kind, text in zip((id3.TIT2, id3.TPE1, id3.TALB), words, strict=True):
    song.tags.add(kind(encoding=3, text=[text]))
song.save()
"""
        path = convert("a.tta")
        by_mutagen(script, path, "Zoë 音楽", "Ünal", "Élan")
        tags = read_tags(path)
        assert (tags.title, tags.artists, tags.album) == ("Zoë 音楽", ("Ünal",), "Élan")

    def test_rf64(self, convert) -> None:
        path = convert("a.wav", "-rf64", "always", "-metadata", "title=Long", "-metadata", "artist=Ann")
        assert path.read_bytes()[:4] == b"RF64"
        assert (read_tags(path).title, read_tags(path).artists) == ("Long", ("Ann",))

    def test_mp4_under_another_suffix(self, convert) -> None:
        path = convert("a.m4a", "-metadata", "title=Amber", "-metadata", "artist=Tam")
        odd = path.rename(path.with_suffix(".mp3"))
        facts = read_facts(odd)
        assert (facts.title, facts.artist, facts.duration_s) == ("Amber", "Tam", pytest.approx(4, abs=0.1))


class TestId3:
    # Version 2.3 has two encodings only.
    @pytest.mark.parametrize(("version", "encoding"), [(3, 0), (3, 1), (4, 0), (4, 1), (4, 2), (4, 3)])
    def test_every_version_and_encoding(self, version, encoding, convert) -> None:
        path = convert("a.mp3", "-map_metadata", "-1", "-id3v2_version", "0")
        text = "Zoe Unal" if encoding == 0 else "Zoë 音楽"
        script = """
version, encoding, text, mbid = words
tag = id3.ID3()
tag.add(id3.TIT2(encoding=int(encoding), text=[text]))
tag.add(id3.TPE1(encoding=int(encoding), text=["Ann", "Bob"]))
tag.add(id3.TSRC(encoding=0, text=["USABC1200008"]))
tag.add(id3.UFID(owner="http://musicbrainz.org", data=mbid.encode()))
tag.save(path, v2_version=int(version), v23_sep=None if version == "4" else "/")
"""
        by_mutagen(script, path, str(version), str(encoding), text, MBID)
        tags = read_tags(path)
        assert tags.title == text
        assert tags.artists == (("Ann", "Bob") if version == 4 else ("Ann/Bob",))
        assert dict(tags.identities) == {"isrc": "USABC1200008", "mbid": MBID}

    def test_version_1_alone(self, convert) -> None:
        path = convert("a.mp3", "-map_metadata", "-1", "-id3v2_version", "0")
        fields = (b"Old Title", 30), (b"Old Artist", 30), (b"Old Album", 30), (b"1999", 4), (b"", 31)
        path.write_bytes(path.read_bytes() + b"TAG" + b"".join(text.ljust(n, b"\0") for text, n in fields))
        tags = read_tags(path)
        assert (tags.title, tags.artists, tags.album) == ("Old Title", ("Old Artist",), "Old Album")

    @pytest.mark.parametrize("version", [3, 4])
    def test_schemes_against_old_players(self, version, convert) -> None:
        path = convert("a.mp3", "-map_metadata", "-1", "-id3v2_version", "0")
        tag = unsynchronised(version, {"TIT2": "Velvet ÿ Rain", "TPE1": "Anna"})
        path.write_bytes(tag + path.read_bytes())
        tags = read_tags(path)
        assert (tags.title, tags.artists) == ("Velvet ÿ Rain", ("Anna",))

    def test_a_plain_tag_is_left_as_it_is(self, convert) -> None:
        with convert("a.mp3", "-metadata", "title=Plain").open("rb") as file:
            assert without_schemes(file) is None

    def test_a_stale_tag_in_front_of_flac_is_not_believed(self, convert) -> None:
        path = convert("a.flac", "-metadata", "title=New", "-metadata", "artist=Now")
        old = path.with_name("old.mp3")
        script = """
tag = id3.ID3()
tag.add(id3.TIT2(encoding=3, text=["Old"]))
tag.add(id3.TALB(encoding=3, text=["Only there"]))
tag.save(path)
"""
        by_mutagen(script, old)
        path.write_bytes(old.read_bytes() + path.read_bytes())
        tags = read_tags(path)
        assert (tags.title, tags.artists, tags.album) == ("New", ("Now",), "Only there")


def unsynchronised(version: int, texts: dict[str, str]) -> bytes:
    """An ID3v2 tag of UTF-16 frames with an extended header, all written so that no player trips over it."""
    frames = b""
    for name, text in texts.items():
        data = b"\x01" + text.encode("utf-16")
        if version == 4:
            data = data.replace(b"\xff", b"\xff\0")
        size = seven(len(data)) if version == 4 else len(data).to_bytes(4, "big")
        frames += name.encode() + size + (b"\0\x02" if version == 4 else b"\0\0") + data
    extended = seven(6) + b"\x01\0" if version == 4 else (6).to_bytes(4, "big") + bytes(6)
    body = extended + frames if version == 4 else (extended + frames).replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes((version, 0, 0xC0)) + seven(len(body)) + body


def seven(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


class TestApe:
    @pytest.mark.parametrize("name", ["a.mp3", "a.wv"])
    def test_several_artists_behind_mp3_and_wavpack(self, name, convert) -> None:
        path = convert(name, "-map_metadata", "-1", *(("-id3v2_version", "0") if name == "a.mp3" else ()))
        script = """
tag = apev2.APEv2()
tag["Title"], tag["Artist"], tag["ISRC"] = "Broken 音楽", ["Pax", "Rune"], "USABC1200008"
tag["Cover Art (Front)"] = apev2.APEValue(b"x" + bytes(100_000), apev2.BINARY)
tag.save(path)
"""
        by_mutagen(script, path)
        tags = read_tags(path)
        assert (tags.title, tags.artists) == ("Broken 音楽", ("Pax", "Rune"))
        assert tags.identities == (("isrc", "USABC1200008"),)


class TestSeveralOfOneKind:
    @pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.opus", "a.m4a", "a.wma"])
    def test_artists_are_all_kept_in_their_order(self, name, convert) -> None:
        path = convert(name)
        key = {"a.m4a": "\xa9ART", "a.wma": "Author"}.get(name, "artist")
        script = """
file = mutagen.File(path)
if file.tags is None:
    file.add_tags()
file.tags[words[0]] = ["Sol", "Uma", "Vic"]
file.save()
"""
        by_mutagen(script, path, key)
        facts = read_facts(path)
        assert (facts.artist, facts.artists) == ("Sol, Uma, Vic", ("Sol", "Uma", "Vic"))

    @pytest.mark.parametrize("sign", [";", "/", ", ", " / ", "; "])
    def test_isrcs_in_one_field(self, sign, convert) -> None:
        path = convert("a.flac")
        script = """
file = mutagen.File(path)
file["isrc"] = words[0]
file.save()
"""
        by_mutagen(script, path, sign.join(["USABC1200007", "US-ABC-12-00107", "no code"]))
        assert read_tags(path).identities == (("isrc", "USABC1200007"), ("isrc", "USABC1200107"))


def test_damaged_tags_count_as_silent(convert, rng) -> None:
    path = convert("a.mp3", "-metadata", "title=Torn")
    data = path.read_bytes()
    for _ in range(50):
        torn = bytearray(data)
        for place in rng.integers(0, 400, 20):
            torn[place] = rng.integers(256)
        path.write_bytes(torn)
        assert read_facts(path).title
    path.write_bytes(np.random.default_rng(440).bytes(5_000))
    assert read_tags(path).title == ""
