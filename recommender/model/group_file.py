"""A fitted group as arrays for an .npz file and plain values for JSON, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from recommender.model.calibration import Calibration, Familiar
from recommender.model.familiarity import Familiarity, MemberArtists
from recommender.model.group import GroupModel, SpacedHead
from recommender.model.heads import Head
from recommender.model.named_sets import HeldOutTracks, NamedSets
from recommender.model.neighbourhood import Neighbourhood

Arrays = dict[str, NDArray[Any]]

_NOT_NUMBERS = frozenset({"closeness", "familiar", "named_sets"})


def to_arrays(group: GroupModel) -> tuple[Arrays, dict[str, Any]]:
    """Return arrays for an .npz file and plain values for JSON; :func:`from_arrays` is the inverse."""
    calibration, closeness = group.calibration, group.calibration.closeness
    names = sorted(set(group.artists.names))
    number_of = {name: number for number, name in enumerate(names)}
    arrays: Arrays = {
        "playlist_ids": group.playlist_ids,
        "mean": group.standardisation.mean,
        "scale": group.standardisation.scale,
        "head_weights": group.head.weights,
        "head_bias": group.head.bias,
        "member_ids": group.neighbourhood.track_ids,
        "member_embeddings": group.neighbourhood.embeddings,
        "member_lengths": group.neighbourhood.lengths,
        "member_weights": group.neighbourhood.weights,
        "member_artists": np.array([number_of[name] for name in group.artists.names], dtype=np.int64),
        "closeness": np.concatenate(closeness) if closeness else np.empty(0, np.float32),
        "n_closeness": np.array([len(column) for column in closeness], dtype=np.int64),
    }
    for number, spaced in enumerate(group.familiar_heads):
        arrays |= _familiar_head(spaced, number)
    for kind, held_out in calibration.named_sets.held_out.items():
        arrays |= {
            f"held_out_{kind.label}_{item.name}": getattr(held_out, item.name) for item in fields(held_out)
        }
    numbers = {
        item.name: getattr(calibration, item.name)
        for item in fields(Calibration)
        if item.name not in _NOT_NUMBERS
    } | {"familiar": asdict(calibration.familiar) if calibration.familiar else None}
    return arrays, {
        "group_id": group.group_id,
        "group_name": group.group_name,
        "playlist_names": list(group.playlist_names),
        "notes": list(group.notes),
        "calibration": numbers,
        "artists": names,
        "n_familiar_heads": len(group.familiar_heads),
    }


def from_arrays(arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any]) -> GroupModel:
    """Put a model together again from what :func:`to_arrays` gave.

    Models of the first format hold neither artists, nor heads for known ones, nor what was said of held-out
    tracks; they answer as well as they can until the library has been fitted again.
    """
    ends = np.cumsum(arrays["n_closeness"])[:-1]
    numbers = dict(described["calibration"])
    familiar = Familiar(**found) if (found := numbers.pop("familiar")) else None
    closeness = tuple(np.split(arrays["closeness"], ends)) if len(arrays["n_closeness"]) else ()
    names = described.get("artists", [])
    return GroupModel(
        group_id=described["group_id"],
        group_name=described["group_name"],
        playlist_ids=arrays["playlist_ids"],
        playlist_names=tuple(described["playlist_names"]),
        notes=tuple(described["notes"]),
        standardisation=Standardisation(arrays["mean"], arrays["scale"]),
        head=Head(arrays["head_weights"], arrays["head_bias"]),
        neighbourhood=Neighbourhood(
            track_ids=arrays["member_ids"],
            embeddings=arrays["member_embeddings"],
            lengths=arrays["member_lengths"],
            weights=arrays["member_weights"],
        ),
        calibration=Calibration(
            closeness=closeness, **numbers, familiar=familiar, named_sets=NamedSets(_read_held_out(arrays))
        ),
        artists=MemberArtists(tuple(names[number] for number in arrays.get("member_artists", ()))),
        familiar_heads=tuple(
            _read_familiar_head(arrays, number) for number in range(described.get("n_familiar_heads", 0))
        ),
    )


def _familiar_head(spaced: SpacedHead, number: int) -> Arrays:
    return {
        f"familiar_{number}_mean": spaced.standardisation.mean,
        f"familiar_{number}_scale": spaced.standardisation.scale,
        f"familiar_{number}_weights": spaced.head.weights,
        f"familiar_{number}_bias": spaced.head.bias,
    }


def _read_held_out(arrays: Mapping[str, NDArray[Any]]) -> dict[Familiarity, HeldOutTracks]:
    names = [item.name for item in fields(HeldOutTracks)]
    return {
        kind: HeldOutTracks(*(arrays[f"held_out_{kind.label}_{name}"] for name in names))
        for kind in Familiarity
        if f"held_out_{kind.label}_{names[0]}" in arrays
    }


def _read_familiar_head(arrays: Mapping[str, NDArray[Any]], number: int) -> SpacedHead:
    mean, scale, weights, bias = (
        arrays[f"familiar_{number}_{name}"] for name in ("mean", "scale", "weights", "bias")
    )
    return SpacedHead(Standardisation(mean, scale), Head(weights, bias))
