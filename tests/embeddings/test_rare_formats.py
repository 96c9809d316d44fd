"""Formats that few people have, made by hand: one-bit sound in two containers, and what telephones record."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from tests.embeddings.reading import read

DSD_HZ = 2_822_400
TONE_HZ, DURATION_S, PEAK = 1_000.0, 1.6, 0.4


@pytest.fixture(scope="module")
def bits() -> np.ndarray:
    """(n_samples,) uint8, 0 or 1: a tone as a sigma-delta modulator of second order writes it."""
    t = np.arange(round(DURATION_S * DSD_HZ)) / DSD_HZ
    found = bytearray(len(t))
    first = second = 0.0
    fed_back = 1.0
    for n, value in enumerate((PEAK * np.sin(2 * np.pi * TONE_HZ * t)).tolist()):
        first += value - fed_back
        second += first - fed_back
        found[n] = second >= 0
        fed_back = 1.0 if second >= 0 else -1.0
    return np.frombuffer(bytes(found), dtype=np.uint8)


def write_dsf(path: Path, bits: np.ndarray) -> None:
    """Sony's DSF file format specification 1.01; one channel, blocks of 4096 bytes, the first bit last."""
    data = np.packbits(bits, bitorder="little").tobytes()
    data += b"\x69" * (-len(data) % 4096)
    shape = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, DSD_HZ, 1, len(bits), 4096, 0)
    chunks = shape + b"data" + struct.pack("<Q", 12 + len(data)) + data
    path.write_bytes(b"DSD " + struct.pack("<QQQ", 28, 28 + len(chunks), 0) + chunks)


def write_dff(path: Path, bits: np.ndarray) -> None:
    """Philips' DSDIFF 1.5, uncompressed."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return name + struct.pack(">Q", len(body)) + body + b"\0" * (len(body) % 2)

    shape = chunk(b"FS  ", struct.pack(">I", DSD_HZ)) + chunk(b"CHNL", struct.pack(">H", 1) + b"C   ")
    shape += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    body = b"DSD " + chunk(b"FVER", struct.pack(">I", 0x01050000)) + chunk(b"PROP", b"SND " + shape)
    body += chunk(b"DSD ", np.packbits(bits).tobytes())
    path.write_bytes(b"FRM8" + struct.pack(">Q", len(body)) + body)


@pytest.mark.parametrize(("suffix", "write"), [(".dsf", write_dsf), (".dff", write_dff)])
def test_one_bit_sound(suffix, write, bits, tmp_path) -> None:
    path = tmp_path / f"tone{suffix}"
    write(path, bits)
    windows = read(path)
    assert windows.unheard is None
    assert windows.duration_s == pytest.approx(DURATION_S, abs=0.02)
    assert_tone(windows.signals[0], peak=PEAK)


@pytest.mark.parametrize(
    ("codec", "suffix", "rate_hz"), [("libopencore_amrnb", ".amr", 8_000), ("libspeex", ".spx", 16_000)]
)
def test_speech_codecs(codec, suffix, rate_hz, tmp_path) -> None:
    try:
        av.codec.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV has no encoder {codec}")
    path = tmp_path / f"tone{suffix}"
    t = np.arange(3 * rate_hz) / rate_hz
    tone = (32_767 * PEAK * np.sin(2 * np.pi * TONE_HZ * t)).astype(np.int16)
    with av.open(path, "w", format="amr" if suffix == ".amr" else "ogg") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = "mono"
        n_frame = rate_hz // 50
        for start in range(0, len(tone), n_frame):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + n_frame], "s16", "mono")
            frame.sample_rate, frame.pts = rate_hz, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    windows = read(path)
    assert windows.unheard is None
    assert windows.duration_s == pytest.approx(3.0, abs=0.05)
    assert_tone(windows.signals[0], peak=PEAK, within_db=3)


def assert_tone(y: np.ndarray, *, peak: float, within_db: float = 1) -> None:
    """The middle of a signal at 16 kHz is the tone, as loud as it was."""
    middle = y[len(y) // 4 : -len(y) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    heard_hz = np.argmax(spectrum) * 16_000 / len(middle)
    assert heard_hz == pytest.approx(TONE_HZ, abs=5)
    level_db = 20 * np.log10(np.sqrt(2 * np.mean(middle**2)) / peak)
    assert abs(level_db) < within_db
