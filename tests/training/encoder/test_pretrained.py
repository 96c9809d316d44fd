"""The pretrained network against what its authors' own code said, and against real music."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.config import MelConfig, PatchConfig
from embeddings.patches import track_patches
from training.encoder import available
from training.encoder.available import checkpoint_folder
from training.encoder.pretrained import MSD_TAGS, MissingWeights, pretrained_encoder, pretrained_tags

SHARED = Path(__file__).parents[4] / "shared"

needs_weights = pytest.mark.skipif(
    checkpoint_folder() is None,
    reason="the pretrained weights are not installed: pip install --no-deps musicnn",
)


def needs(folder: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not folder.is_dir(), reason=f"real music is not beside the project: no {folder}"
    )


@needs_weights
@needs(SHARED / "bench/four_genres")
def test_the_penultimate_layer_says_what_the_original_said():
    with np.load(SHARED / "bench/four_genres/mel_patches.npz") as file:
        patches = file["patches_u8"][::40].astype(np.float32) * file["scale"]
    with np.load(SHARED / "bench/four_genres/tracks.npz") as file:
        expected = file["penultimate"][::40].astype(np.float32).reshape(-1, 200)

    found = np.asarray(pretrained_encoder().trunk_model()(patches.reshape(-1, 187, 96)))

    cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() > 0.999
    np.testing.assert_allclose(found, expected, atol=5e-3)


@pytest.fixture(scope="module")
def tags_of_playlists() -> dict[str, np.ndarray]:
    """Playlist -> mean probability of each tag over up to eight of its tracks."""
    trunk, tags = pretrained_encoder().trunk_model(), pretrained_tags()
    answer = {}
    for playlist in ("hiphop", "chiptune", "fantasy", "platformer"):
        files = sorted((SHARED / "music" / playlist).glob("*.ogg"))[:8]
        patches = [track_patches(f, MelConfig(), PatchConfig(max_patches=3)).patches for f in files]
        answer[playlist] = np.mean([np.asarray(tags(trunk(p))).mean(axis=0) for p in patches], axis=0)
    return answer


@needs_weights
@needs(SHARED / "music")
@pytest.mark.parametrize(
    ("playlist", "tag", "others"),
    [
        ("hiphop", "Hip-Hop", ("fantasy", "platformer", "chiptune")),
        ("hiphop", "electronic", ("fantasy", "platformer")),
        ("chiptune", "electro", ("hiphop", "fantasy", "platformer")),
        ("fantasy", "ambient", ("chiptune",)),
    ],
)
def test_tags_make_sense_on_real_music(tags_of_playlists, playlist, tag, others):
    column = MSD_TAGS.index(tag)

    for other in others:
        assert tags_of_playlists[playlist][column] > tags_of_playlists[other][column], other


@needs_weights
@needs(SHARED / "music")
def test_electronic_is_the_first_tag_of_instrumental_hip_hop(tags_of_playlists):
    assert MSD_TAGS[int(tags_of_playlists["hiphop"].argmax())] == "electronic"


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(available, "find_spec", lambda name: None)

    with pytest.raises(MissingWeights, match=r"pip install --no-deps musicnn"):
        pretrained_encoder()


def test_there_are_fifty_tags():
    assert len(set(MSD_TAGS)) == 50
