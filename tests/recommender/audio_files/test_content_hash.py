"""The hash of a recording: unmoved by tags and names, moved by anything that can be heard."""

import hashlib
import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recommender.audio_files.content_hash import content_sha256

SAMPLE_RATE_HZ = 16_000
FORMATS = {
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "wav": ("WAV", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
}
LONG_TEXT = "a comment that spans several pages " * 4000


def encode(name: str, *, tone_hz: float = 440.0, title: str = "", comment: str = "") -> bytes:
    """One second of a tone in a format, with these tags where the format has them."""
    file_format, subtype = FORMATS[name]
    y = 0.5 * np.sin(2 * np.pi * tone_hz * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    buffer = io.BytesIO()
    options = {"samplerate": SAMPLE_RATE_HZ, "channels": 1, "format": file_format, "subtype": subtype}
    with soundfile.SoundFile(buffer, "w", **options) as file:
        if title:
            file.title = title
        if comment:
            file.comment = comment
        file.write(y)
    return buffer.getvalue()


@pytest.fixture
def hash_of(tmp_path: Path) -> Callable[[bytes], str]:
    """Hash of a file with this content."""

    def compute(content: bytes) -> str:
        path = tmp_path / "file.bin"
        path.write_bytes(content)
        return content_sha256(path)

    return compute


def id3v2(n_bytes: int, *, footer: bool = False) -> bytes:
    """An ID3v2.4 tag with so many bytes of frames."""
    size = bytes((n_bytes >> shift) & 0x7F for shift in (21, 14, 7, 0))
    head = b"ID3\x04\x00" + bytes([0x10 if footer else 0]) + size
    return head + b"T" * n_bytes + (b"3DI" + head[3:] if footer else b"")


def ape(n_bytes: int) -> bytes:
    """An APEv2 tag with header and footer and so many bytes of entries."""

    def block(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<4L", 2000, n_bytes + 32, 1, flags) + bytes(8)

    return block(0xA0000000) + b"e" * n_bytes + block(0x80000000)


def chunk(name: bytes, body: bytes, *, order: str = "<") -> bytes:
    """A RIFF or AIFF chunk, padded to an even length."""
    return name + struct.pack(f"{order}L", len(body)) + body + bytes(len(body) % 2)


@pytest.mark.parametrize("name", FORMATS)
def test_tags_do_not_change_the_hash_and_sound_does(name: str, hash_of: Callable[[bytes], str]) -> None:
    plain = encode(name)
    # libsndfile writes broken AIFF files when a comment is long.
    comment = "short" if name == "aiff" else LONG_TEXT
    tagged = [encode(name, title="a"), encode(name, title="b", comment=comment)]
    assert all(content != plain for content in tagged) or name == "mp3"
    assert {hash_of(content) for content in tagged} == {hash_of(plain)}
    assert hash_of(encode(name, tone_hz=441)) != hash_of(plain)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_was_cut_short_is_another_recording(name: str, hash_of: Callable[[bytes], str]) -> None:
    whole = encode(name)
    assert hash_of(whole[: len(whole) * 2 // 3]) != hash_of(whole)


def test_the_name_says_nothing(tmp_path: Path) -> None:
    first, second = tmp_path / "x.flac", tmp_path / "y.mp3"
    for path in (first, second):
        path.write_bytes(encode("flac"))
    assert content_sha256(first) == content_sha256(second)


def test_the_tags_of_mp3_are_taken_off_at_both_ends(hash_of: Callable[[bytes], str]) -> None:
    bare = encode("mp3")
    expected = hashlib.sha256(bare).hexdigest()
    id3v1 = b"TAG" + bytes(125)
    for content in (
        bare,
        id3v2(1000) + bare,
        id3v2(300, footer=True) + id3v2(5) + bare,
        bare + id3v1,
        bare + ape(77),
        id3v2(10) + bare + ape(500) + id3v1,
    ):
        assert hash_of(content) == expected


def test_a_flac_file_is_its_frames(hash_of: Callable[[bytes], str]) -> None:
    content = encode("flac")
    position, is_last = 4, False
    blocks = []
    while not is_last:
        is_last = bool(content[position] & 0x80)
        length = int.from_bytes(content[position + 1 : position + 4], "big")
        blocks.append((content[position] & 0x7F, content[position + 4 : position + 4 + length]))
        position += 4 + length
    frames = content[position:]
    assert frames[:2] in (b"\xff\xf8", b"\xff\xf9")
    assert hash_of(content) == hashlib.sha256(frames).hexdigest()
    picture = bytes([6]) + (50_000).to_bytes(3, "big") + bytes(50_000)
    stream_info = bytes([0]) + (34).to_bytes(3, "big") + blocks[0][1]
    padding = bytes([0x81]) + (10).to_bytes(3, "big") + bytes(10)
    assert hash_of(b"fLaC" + stream_info + picture + padding + frames) == hash_of(content)
    assert hash_of(id3v2(64) + content) == hash_of(content)


def ogg_page(number: int, body: list[bytes], *, serial: int, flags: int = 0) -> bytes:
    """A page of whole packets (checksum left out: nobody here reads it)."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in body)
    header = struct.pack("<4sBBqLLLB", b"OggS", 0, flags, 0, serial, number, 0, len(lacing))
    return header + lacing + b"".join(body)


def test_flac_in_ogg_and_several_streams(hash_of: Callable[[bytes], str]) -> None:
    frames = [b"\xff\xf8" + bytes([n]) * 700 for n in range(3)]

    def ogg_flac(*metadata: bytes, serial: int = 7) -> bytes:
        head = [b"\x7fFLAC\x01\x00" + struct.pack(">H", len(metadata)) + b"fLaC" + bytes(38), *metadata]
        pages = [
            ogg_page(n, [packet], serial=serial, flags=0x02 if n == 0 else 0)
            for n, packet in enumerate([*head, *frames])
        ]
        return b"".join(pages)

    plain = ogg_flac(b"\x84" + b"comment")
    assert hash_of(plain) == hashlib.sha256(b"".join(frames)).hexdigest()
    assert hash_of(ogg_flac(b"\x04" + b"c" * 9000, b"\x86" + b"picture", serial=9)) == hash_of(plain)
    assert hash_of(plain + plain) != hash_of(plain)


def test_a_picture_that_looks_like_audio_on_its_second_page(hash_of: Callable[[bytes], str]) -> None:
    frame = b"\xff\xf8" + b"sound" * 100
    stream_info = b"\x7fFLAC\x01\x00\x00\x01fLaC" + bytes(38)

    def with_picture(first_byte_of_page_two: bytes) -> bytes:
        picture = b"\x86" + b"p" * (255 * 255 - 1)
        begin = struct.pack("<4sBBqLLLB", b"OggS", 0, 0, 0, 7, 1, 0, 255) + b"\xff" * 255 + picture
        rest = first_byte_of_page_two + b"q" * 99
        go_on = struct.pack("<4sBBqLLLB", b"OggS", 0, 0x01, 0, 7, 2, 0, 1) + bytes([len(rest)]) + rest
        head = ogg_page(0, [stream_info], serial=7, flags=0x02)
        return head + begin + go_on + ogg_page(3, [frame], serial=7)

    expected = hashlib.sha256(frame).hexdigest()
    assert hash_of(with_picture(b"\xff")) == hash_of(with_picture(b"\x01")) == expected


def test_wav_is_its_format_and_samples_wherever_they_stand(hash_of: Callable[[bytes], str]) -> None:
    form, samples = struct.pack("<HHLLHH", 1, 1, 16_000, 32_000, 2, 16), bytes(range(200)) * 10

    def wav(*chunks: bytes, magic: bytes = b"RIFF") -> bytes:
        return magic + struct.pack("<L", 4 + sum(map(len, chunks))) + b"WAVE" + b"".join(chunks)

    plain = hash_of(wav(chunk(b"fmt ", form), chunk(b"data", samples)))
    assert plain == hashlib.sha256(form + samples).hexdigest()
    odd = chunk(b"LIST", b"odd length tag!")
    assert hash_of(wav(odd, chunk(b"fmt ", form), odd, chunk(b"data", samples), odd)) == plain
    other_rate = struct.pack("<HHLLHH", 1, 1, 8_000, 16_000, 2, 16)
    assert hash_of(wav(chunk(b"fmt ", other_rate), chunk(b"data", samples))) != plain
    unfinished = b"data" + struct.pack("<L", 0xFFFFFFFF) + samples
    assert hash_of(wav(chunk(b"fmt ", form), unfinished, magic=b"RF64")) == plain


def test_mp4_is_its_media_data(hash_of: Callable[[bytes], str]) -> None:
    media = b"aac frames" * 500

    def box(name: bytes, body: bytes) -> bytes:
        return struct.pack(">L", 8 + len(body)) + name + body

    head = box(b"ftyp", b"M4A isom")
    expected = hashlib.sha256(media).hexdigest()
    wide = struct.pack(">L4sQ", 1, b"mdat", 16 + len(media)) + media
    for content in (
        head + box(b"moov", b"tags") + box(b"mdat", media),
        head + box(b"mdat", media) + box(b"moov", b"other and longer tags"),
        head + box(b"free", bytes(99)) + wide + box(b"moov", b""),
        head + box(b"moov", b"t") + struct.pack(">L4s", 0, b"mdat") + media,
    ):
        assert hash_of(content) == expected


@pytest.mark.parametrize("content", [b"", b"words", b"fLaC", b"RIFF\0\0\0\0WAVE", b"OggS", b"ID3", b"\xff"])
def test_what_holds_no_audio_is_hashed_as_a_whole(content: bytes, hash_of: Callable[[bytes], str]) -> None:
    assert hash_of(content) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", FORMATS)
def test_damage_is_never_an_error(
    name: str, hash_of: Callable[[bytes], str], rng: np.random.Generator
) -> None:
    content = np.frombuffer(encode(name, title="t"), dtype=np.uint8)
    for _ in range(30):
        damaged = content[: rng.integers(1, len(content))].copy()
        rows = rng.integers(0, min(len(damaged), 200), size=8)
        damaged[rows] = rng.integers(0, 256, size=8)
        assert len(hash_of(damaged.tobytes())) == 64


def test_real_recordings_have_different_hashes(shared_music: Path) -> None:
    paths = sorted(shared_music.glob("*/*.ogg"))
    assert len({content_sha256(path) for path in paths}) == len(paths)
