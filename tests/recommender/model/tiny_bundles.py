"""A world with a provable answer: playlists on opposite sides of a 12-dimensional space, and its bundle.

The dimension is that of the tiny encoder in ``tests/golden``, so that a bundle of this world can listen too.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from embeddings.encoder_files import load_encoder_config
from recommender.model.bundle import BundleContents, write_bundle
from recommender.model.calibration import Calibration, sorted_closeness
from recommender.model.familiarity import Familiarity
from recommender.model.group import GroupModel
from recommender.model.heads import Head
from recommender.model.named_sets import HeldOutTracks, NamedSets, nearest_closeness
from recommender.model.neighbourhood import Neighbourhood

TINY_ENCODER = Path(__file__).parents[2] / "golden" / "tiny_encoder"
CONFIG = load_encoder_config(TINY_ENCODER)
DIM = CONFIG.embedding_dim
PLAYLISTS = ("hip hop", "electro")
NOBODY = Calibration(
    n_neighbours=5,
    classifier_temperature=1.0,
    neighbour_temperature=1.0,
    classifier_weight=0.5,
    temperature=1.0,
    cosine_spread=1.0,
    distance_spread=1.0,
    closeness=(),
)


@dataclass(frozen=True, eq=False)
class World:
    """Tracks of both playlists and of none, and the models fitted on the first two."""

    track_ids: NDArray[np.int64]
    raw: NDArray[np.float32]
    membership: NDArray[np.bool_]
    standardisation: Standardisation
    groups: tuple[GroupModel, ...]


def make_world(
    *, n_per_playlist: int = 12, n_others: int = 6, seed: int = 440, group: str = "default"
) -> World:
    """Return a world whose playlists point in opposite directions and whose other tracks in a third."""
    rng = np.random.default_rng(seed)
    centres = 5.0 * np.eye(DIM, dtype=np.float32)[[0, 1, 2]]
    side = np.repeat([0, 1, 2], [n_per_playlist, n_per_playlist, n_others])
    raw = (centres[side] + rng.normal(scale=0.8, size=(len(side), DIM))).astype(np.float32)
    track_ids = np.arange(len(side), dtype=np.int64) + 101
    standardisation = Standardisation.fit(raw, {"all": slice(0, DIM)}, {"all": 1.0})
    membership = side[:, None] == np.arange(2)
    model = fit_group(track_ids[side < 2], raw[side < 2], membership[side < 2], standardisation, name=group)
    return World(track_ids, raw, membership, standardisation, (model,))


def fit_group(
    track_ids: NDArray[np.int64],
    raw: NDArray[np.float32],
    membership: NDArray[np.bool_],
    standardisation: Standardisation,
    *,
    name: str = "default",
    group_id: int = 1,
) -> GroupModel:
    """Return a group model with prototypes for a head, calibrated on its own members, each left out."""
    embeddings = standardisation.apply(raw)
    neighbourhood = Neighbourhood(
        track_ids=track_ids,
        embeddings=embeddings,
        lengths=np.linalg.norm((raw - standardisation.mean) * standardisation.scale, axis=1).astype(
            np.float32
        ),
        weights=(membership / membership.sum(axis=0)).astype(np.float32),
    )
    n_labels = membership.shape[1]
    uncalibrated = GroupModel(
        group_id=group_id,
        group_name=name,
        playlist_ids=np.arange(n_labels, dtype=np.int64) + 1,
        playlist_names=PLAYLISTS[:n_labels],
        notes=("",) * n_labels,
        standardisation=standardisation,
        head=Head(4 * neighbourhood.prototypes, np.zeros(n_labels, np.float32)),
        neighbourhood=neighbourhood,
        calibration=replace(NOBODY, closeness=(np.empty(0, np.float32),) * n_labels),
    )
    scores = uncalibrated.score(raw, exclude_ids=[[track_id] for track_id in track_ids.tolist()])
    held_out = scores.closeness
    closeness = sorted_closeness([held_out[membership[:, label], label] for label in range(n_labels)])
    answers = HeldOutTracks(
        closeness=nearest_closeness(held_out),
        own=np.where(membership, scores.probability, 0).max(axis=1),
        first=scores.probability.max(axis=1),
    )
    named_sets = NamedSets({Familiarity.UNNAMED: answers})
    return replace(uncalibrated, calibration=replace(NOBODY, closeness=closeness, named_sets=named_sets))


def contents_of(world: World, *, created_at: datetime | None = None) -> BundleContents:
    """Return what a refit of this world would publish."""
    return BundleContents(
        encoder_directory=TINY_ENCODER,
        standardisation=world.standardisation,
        groups=world.groups,
        report={"balanced_accuracy": 1.0},
        created_at=created_at or datetime(2026, 11, 20, tzinfo=UTC),
    )


def publish_world(world: World, parent: Path) -> Path:
    """Write the bundle of this world and return its directory."""
    return write_bundle(parent, contents_of(world))
