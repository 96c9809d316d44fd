"""Groups that need not be fitted again: nothing that their fit rests on has changed since.

A new playlist of seven tracks then costs the fit of its own group, whatever else there is.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.config import EncoderConfig
from recommender import model as model_room
from recommender.model.bundle import CorruptBundle, LoadedBundle, read_bundle
from recommender.model.group import GroupModel
from recommender.model.spaces import is_near
from training import folds, groups
from training.groups.fit import GroupLabels
from training.groups.fitting import FitContext, fit_standardisation
from training.groups.labels import LabelledTracks

KEY = "fitted_on"
# The library around a group moves its statistics; so far may they have moved, see is_near.
NEAR = 0.03


@dataclass(frozen=True, eq=False)
class KnownGroup:
    """A fitted group, and what its fit knew of itself."""

    model: GroupModel
    described: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class FittedBefore:
    """The groups of an earlier model."""

    bundle: LoadedBundle | None

    @classmethod
    def of(cls, directory: Path | None, config: EncoderConfig) -> "FittedBefore":
        """Read a bundle; one that is damaged, or of another encoder, knows nothing that helps."""
        try:
            bundle = None if directory is None else read_bundle(directory)
        except CorruptBundle:
            bundle = None
        same = bundle is not None and bundle.config.fingerprint == config.fingerprint
        return cls(bundle if same else None)

    def find(self, labels: GroupLabels, tracks: LabelledTracks, context: FitContext) -> KnownGroup | None:
        """Return the group where fitting it now would give the same; names may have changed."""
        if self.bundle is None:
            return None
        by_id = {group.group_id: group for group in self.bundle.groups}
        described = {group["name"]: group for group in self.bundle.report.get("groups", ())}
        model = by_id.get(labels.group_id)
        said = None if model is None else described.get(model.group_name)
        if model is None or said is None or said.get(KEY) != fit_key(labels, tracks):
            return None
        space = fit_standardisation(tracks.raw, context, tuple(said["view_weights"].items()))
        if not is_near(model.standardisation, space, within=NEAR):
            return None
        playlists = [
            one | {"name": name} for one, name in zip(said["playlists"], labels.playlist_names, strict=True)
        ]
        return KnownGroup(
            replace(model, group_name=labels.group_name, playlist_names=labels.playlist_names),
            {**said, "name": labels.group_name, "playlists": playlists},
        )


FITTED_NOTHING = FittedBefore(None)


def fit_key(labels: GroupLabels, tracks: LabelledTracks) -> str:
    """Sixteen hex digits of all that a group's fit rests on, but for names and the library around it."""
    digest = hashlib.sha256(_program().encode())
    for values in (labels.playlist_ids, tracks.track_ids, tracks.membership, tracks.durations_s, tracks.raw):
        digest.update(repr((values.shape, values.dtype)).encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    digest.update(repr((tracks.artists, tracks.albums)).encode())
    return digest.hexdigest()[:16]


@cache
def _program() -> str:
    """What the fitting is written in: a program that fits otherwise fits anew."""
    digest = hashlib.sha256(Path(folds.__file__).read_bytes())
    for room in (groups, model_room):
        for folder in room.__path__:
            for path in sorted(Path(folder).glob("*.py")):
                digest.update(path.read_bytes())
    return digest.hexdigest()
