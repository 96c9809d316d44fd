"""The encoder: values against NumPy, one patch at a time, from many threads, and what it refuses to load."""

import gc
import json
import shutil
import threading
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from embeddings.config import EncoderConfig, MelConfig, View
from embeddings.encoder import Encoder
from embeddings.encoder_files import load_encoder_config, save_encoder_config
from embeddings.errors import EmbeddingError, FingerprintMismatch
from embeddings.patches import track_patches

TINY = Path(__file__).parent.parent / "golden" / "tiny_encoder"


@pytest.fixture
def patches(rng) -> np.ndarray:
    return rng.uniform(0, 5, (9, 187, 96)).astype(np.float32)


@pytest.fixture
def copied(tmp_path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def tiny_reference(patch: np.ndarray) -> np.ndarray:
    """What golden/tiny_encoder/regenerate.py builds, in NumPy: (187, 96) -> (12,)."""
    weights = np.random.default_rng(440).normal(scale=0.2, size=(7, 5, 1, 4)).astype(np.float32)
    cells = np.lib.stride_tricks.sliding_window_view(patch, (7, 5))[::4, ::4]
    maps = np.maximum(np.einsum("ftij,ijk->ftk", cells, weights[:, :, 0]), 0)
    return np.concatenate([maps.mean(axis=(0, 1)), patch.reshape(187, 8, 12).mean(axis=(0, 2))])


class TestEncodePatches:
    def test_values(self, tiny_encoder, patches) -> None:
        embeddings = tiny_encoder.encode_patches(patches)
        assert embeddings.shape == (9, 12)
        assert embeddings.dtype == np.float32
        np.testing.assert_allclose(embeddings, [tiny_reference(patch) for patch in patches], atol=1e-4)

    def test_a_patch_alone_equals_the_same_patch_in_any_batch(self, tiny_encoder, patches) -> None:
        patches[4] *= 1000
        together = tiny_encoder.encode_patches(patches)
        for row in range(len(patches)):
            np.testing.assert_array_equal(
                tiny_encoder.encode_patches(patches[row : row + 1])[0], together[row]
            )
        np.testing.assert_array_equal(tiny_encoder.encode_patches(patches[::-1])[::-1], together)

    def test_no_patches_give_no_embeddings(self, tiny_encoder) -> None:
        assert tiny_encoder.encode_patches(np.zeros((0, 187, 96), np.float32)).shape == (0, 12)

    def test_other_floats_are_taken_and_nothing_is_written_to(self, tiny_encoder, patches) -> None:
        expected = tiny_encoder.encode_patches(patches)
        doubles = patches.astype(np.float64)
        before = doubles.copy()
        np.testing.assert_array_equal(tiny_encoder.encode_patches(doubles), expected)
        np.testing.assert_array_equal(doubles, before)

    def test_many_threads_at_once_get_their_own_answers(self, tiny_encoder, rng) -> None:
        tracks = [rng.uniform(0, 5, (1 + n % 8, 187, 96)).astype(np.float32) for n in range(40)]
        alone = [tiny_encoder.encode_patches(track) for track in tracks]
        with ThreadPoolExecutor(8) as threads:
            at_once = list(threads.map(tiny_encoder.encode_patches, tracks))
        for expected, found in zip(alone, at_once, strict=True):
            np.testing.assert_array_equal(found, expected)

    @pytest.mark.parametrize("n_threads", [1, 3])
    def test_the_number_of_threads_does_not_matter(self, n_threads, tiny_encoder, patches) -> None:
        other = Encoder.load(TINY, n_threads=n_threads)
        np.testing.assert_array_equal(other.encode_patches(patches), tiny_encoder.encode_patches(patches))

    @pytest.mark.parametrize("shape", [(187, 96), (1, 96, 187), (2, 188, 96)])
    def test_other_shapes_are_refused(self, shape, tiny_encoder) -> None:
        with pytest.raises(EmbeddingError, match=r"patches must be \(n_patches, 187, 96\)"):
            tiny_encoder.encode_patches(np.zeros(shape, np.float32))

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_what_is_not_a_number_is_refused(self, bad, tiny_encoder, patches) -> None:
        patches[3, 100, 50] = bad
        with pytest.raises(EmbeddingError, match="not finite"):
            tiny_encoder.encode_patches(patches)


class TestListen:
    def test_the_whole_way_from_a_file(self, tiny_encoder, music, write_audio) -> None:
        path = write_audio("tune.mp3", music(40, sample_rate_hz=44_100, n_channels=2), sample_rate_hz=44_100)
        heard = tiny_encoder.listen(path)
        expected = track_patches(path, tiny_encoder.config.mel, tiny_encoder.config.patches)
        np.testing.assert_array_equal(heard.patches, tiny_encoder.encode_patches(expected.patches))
        np.testing.assert_allclose(heard.vector, heard.patches.mean(axis=0))
        np.testing.assert_array_equal(heard.start_s, expected.start_s)
        assert heard.duration_s == expected.duration_s
        assert heard.patch_s == pytest.approx(2.976)
        assert heard.fingerprint == tiny_encoder.config.fingerprint
        assert set(heard.timing_ms) == {"decode", "mel", "encode"}
        assert all(spent_ms > 0 for spent_ms in heard.timing_ms.values())

    def test_the_same_file_gives_the_same_embedding(self, tiny_encoder, music, write_audio) -> None:
        path = write_audio("tune.ogg", music(20, sample_rate_hz=44_100), sample_rate_hz=44_100)
        np.testing.assert_array_equal(tiny_encoder.listen(path).vector, tiny_encoder.listen(path).vector)

    def test_codecs_hardly_change_it(self, tiny_encoder, music, write_audio) -> None:
        y = music(30, sample_rate_hz=44_100)
        vectors = [
            tiny_encoder.listen(write_audio(name, y, sample_rate_hz=44_100)).vector
            for name in ("a.flac", "a.mp3", "a.ogg")
        ]
        for vector in vectors[1:]:
            np.testing.assert_allclose(vector, vectors[0], rtol=0.15, atol=0.05)


class TestLoad:
    def test_another_network_than_the_described_one(self, copied) -> None:
        network = copied / "encoder.tflite"
        network.write_bytes(network.read_bytes() + b"\0")
        with pytest.raises(FingerprintMismatch, match=r"encoder.tflite has SHA-256 .*3809b44a3831"):
            Encoder.load(copied)

    @pytest.mark.parametrize("name", ["encoder.tflite", "encoder.json"])
    def test_a_missing_file(self, name, copied) -> None:
        (copied / name).unlink()
        with pytest.raises(EmbeddingError, match=f"{name} cannot be read: No such file"):
            Encoder.load(copied)

    def test_something_that_is_no_network(self, copied) -> None:
        (copied / "encoder.tflite").write_bytes(b"no network at all" * 10)
        digest = sha256((copied / "encoder.tflite").read_bytes()).hexdigest()
        save_encoder_config(replace(load_encoder_config(TINY), network_sha256=digest), copied)
        with pytest.raises(EmbeddingError, match="not a network that LiteRT can run"):
            Encoder.load(copied)

    @pytest.mark.parametrize(
        "change", [{"views": (View("trunk", 4), View("timbre", 7))}, {"mel": MelConfig(n_mels=48)}]
    )
    def test_a_description_of_other_shapes(self, change, copied) -> None:
        save_encoder_config(replace(load_encoder_config(TINY), **change), copied)
        with pytest.raises(EmbeddingError, match=r"maps \(1, 187, 96\) to \(1, 12\), expected"):
            Encoder.load(copied)

    def test_nothing_stays_behind_when_a_bundle_is_swapped(self) -> None:
        gc.collect()  # encoders of earlier tests must not end while this one is watched
        encoder = Encoder.load(TINY, n_threads=2)
        before = Counter(thread.name.split("_")[0] for thread in threading.enumerate())["encoder"]
        gone = weakref.ref(encoder)
        threads = [thread for thread in threading.enumerate() if thread in encoder._pool._threads]
        del encoder
        gc.collect()
        assert gone() is None
        for thread in threads:
            thread.join(timeout=5)
        after = Counter(thread.name.split("_")[0] for thread in threading.enumerate())["encoder"]
        assert after == before - len(threads)


class TestConfigFile:
    CONFIG = EncoderConfig(name="a", views=(View("trunk", 2),), network_sha256="0" * 64)

    def test_survives_a_round_trip(self, tmp_path) -> None:
        save_encoder_config(self.CONFIG, tmp_path)
        assert load_encoder_config(tmp_path) == self.CONFIG

    def test_an_edited_one_is_refused_with_both_fingerprints(self, tmp_path) -> None:
        save_encoder_config(self.CONFIG, tmp_path)
        path = tmp_path / "encoder.json"
        values = json.loads(path.read_text())
        values["mel"]["gain"] = 1.0
        path.write_text(json.dumps(values))
        edited = replace(self.CONFIG, mel=MelConfig(gain=1.0))
        with pytest.raises(FingerprintMismatch, match=f"{self.CONFIG.fingerprint}.*{edited.fingerprint}"):
            load_encoder_config(tmp_path)

    def test_one_for_another_front_end_is_refused(self, tmp_path) -> None:
        save_encoder_config(replace(self.CONFIG, front_end=0), tmp_path)
        with pytest.raises(FingerprintMismatch, match="made for front end 0"):
            load_encoder_config(tmp_path)

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": "a", "views": [{"name": "x"}]}', "\xff"])
    def test_something_else_is_refused(self, text, tmp_path) -> None:
        (tmp_path / "encoder.json").write_text(text, encoding="latin-1")
        with pytest.raises(EmbeddingError, match="does not describe an encoder"):
            load_encoder_config(tmp_path)
