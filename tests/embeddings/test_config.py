"""The fingerprint: equal exactly when embeddings may be compared."""

import json
from dataclasses import replace

import pytest

from embeddings.config import EncoderConfig, MelConfig, PatchConfig, View

CONFIG = EncoderConfig(name="a", views=(View("trunk", 3), View("timbre", 2)), network_sha256="0" * 64)


def test_survives_a_round_trip_through_json() -> None:
    restored = EncoderConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict())))
    assert restored == CONFIG
    assert restored.fingerprint == CONFIG.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        replace(CONFIG, name="b"),
        replace(CONFIG, views=(View("trunk", 2), View("timbre", 3))),
        replace(CONFIG, network_sha256="1" * 64),
        replace(CONFIG, mel=MelConfig(n_mels=48)),
        replace(CONFIG, patches=PatchConfig(max_patches=6)),
        replace(CONFIG, patches=PatchConfig(silence_dbfs=-50.0)),
        replace(CONFIG, front_end=CONFIG.front_end + 1),
    ],
)
def test_fingerprint_changes_with_everything_that_changes_an_embedding(other: EncoderConfig) -> None:
    assert len(CONFIG.fingerprint) == 12
    assert other.fingerprint != CONFIG.fingerprint


def test_views_stand_side_by_side() -> None:
    assert CONFIG.view_slices() == {"trunk": slice(0, 3), "timbre": slice(3, 5)}
    assert CONFIG.embedding_dim == 5


def test_a_patch_lasts_from_its_first_frame_to_its_last() -> None:
    assert CONFIG.patch_s == pytest.approx(186 * 256 / 16_000)
