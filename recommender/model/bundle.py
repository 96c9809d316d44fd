"""Directory format of one trained model: written aside, verified before use, never a pickle.

The index of the library belongs to the encoder and lies beside the bundles, see
:mod:`recommender.model.library_index`. Earlier programs put one into each bundle, which is passed over.
"""

import contextlib
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.config import EncoderConfig
from embeddings.encoder import Standardisation
from embeddings.encoder_files import load_encoder_config
from embeddings.errors import EmbeddingError
from recommender.disk import flush, flush_tree, measure, write_json
from recommender.errors import RecommenderError
from recommender.model.group import GroupModel
from recommender.model.group_file import from_arrays, to_arrays
from recommender.model.index import TrackIndex

# 2: heads for known artists, and what was said of held-out tracks.
FORMAT_VERSION = 2
READABLE_VERSIONS = (1, 2)
MANIFEST, REPORT, STANDARDISATION = "manifest.json", "report.json", "standardisation.npz"
ASIDE_PREFIX = ".bundle-"
ABANDONED_AFTER_S = 3600.0
ENCODER_FILES = ("encoder.tflite", "encoder.json")
_VERSIONED = ("numpy", "faiss-cpu", "ai-edge-litert")


class CorruptBundle(RecommenderError):
    """A bundle is not whole, or not what its manifest says; it must not be served."""

    code = "corrupt_bundle"


@dataclass(frozen=True, eq=False)
class BundleContents:
    """What a refit hands over to be published.  ``created_at`` is in UTC."""

    encoder_directory: Path
    standardisation: Standardisation
    groups: tuple[GroupModel, ...]
    report: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, eq=False)
class LoadedBundle:
    """A verified bundle.

    ``index`` is that of the library, in the space of ``standardisation``; None where nobody asked for it.
    """

    bundle_id: str
    directory: Path
    created_at: datetime
    config: EncoderConfig
    standardisation: Standardisation
    groups: tuple[GroupModel, ...]
    report: dict[str, Any]
    library_versions: dict[str, str]
    index: TrackIndex | None = None


def write_bundle(parent: Path, contents: BundleContents, *, used_ids: Collection[str] = ()) -> Path:
    """Publish ``contents`` as ``parent/<date>-<number>`` and return that directory; its name is the id.

    Everything is written and flushed to a hidden directory first; the rename is atomic, so a reader
    sees a whole bundle or none. ``used_ids`` are never given again, even if their directory is gone.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    aside = Path(tempfile.mkdtemp(prefix=ASIDE_PREFIX, dir=parent))
    try:
        _write_files(aside, contents)
        return _publish(aside, parent, contents, used_ids)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def read_bundle(directory: Path) -> LoadedBundle:
    """Return the verified bundle in ``directory``; raise :class:`CorruptBundle` with the reason."""
    manifest = _verified_manifest(directory)
    with _reasons(directory):
        config = load_encoder_config(directory)
        standardisation = _read_standardisation(directory)
        stated = manifest["encoder"]["fingerprint"]
        if config.fingerprint != stated:
            raise CorruptBundle(f"{directory.name}: encoder {config.fingerprint}, manifest says {stated}")
        return LoadedBundle(
            bundle_id=manifest["id"],
            directory=directory,
            created_at=datetime.fromisoformat(manifest["created_at"]),
            config=config,
            standardisation=standardisation,
            groups=tuple(_read_group(directory, entry["id"]) for entry in manifest["groups"]),
            report=json.loads((directory / REPORT).read_text()),
            library_versions=manifest["library_versions"],
        )


def read_report(directory: Path) -> dict[str, Any]:
    """Return the report of the bundle in ``directory``, whatever the state of its other files."""
    with _reasons(directory):
        report: dict[str, Any] = json.loads((directory / REPORT).read_text())
        return report


def _sweep(parent: Path) -> None:
    """Remove what writers left behind that were killed; a living one is done long before."""
    for abandoned in parent.glob(f"{ASIDE_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - abandoned.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(abandoned, ignore_errors=True)


def _write_files(aside: Path, contents: BundleContents) -> None:
    for name in ENCODER_FILES:
        shutil.copyfile(contents.encoder_directory / name, aside / name)
    np.savez(
        aside / STANDARDISATION, mean=contents.standardisation.mean, scale=contents.standardisation.scale
    )
    (aside / "groups").mkdir()
    for group in contents.groups:
        arrays, described = to_arrays(group)
        np.savez(aside / "groups" / f"{group.group_id}.npz", allow_pickle=False, **arrays)
        write_json(aside / "groups" / f"{group.group_id}.json", described)
    write_json(aside / REPORT, contents.report)


def _publish(aside: Path, parent: Path, contents: BundleContents, used_ids: Collection[str]) -> Path:
    """Name the bundle by its day and the first free number, and rename it into place."""
    files = {name: measure(aside / name) for name in _file_names(aside)}
    day = contents.created_at.date().isoformat()
    names = {path.name for path in parent.glob(f"{day}-*")}.union(used_ids)
    number = 1 + max((_number(name, day) for name in names), default=0)
    while True:
        final = parent / f"{day}-{number}"
        write_json(aside / MANIFEST, _manifest(final.name, aside, contents, files))
        flush_tree(aside)
        try:
            aside.rename(final)
        except OSError:
            if not final.exists():
                raise
            number += 1  # another process took the name since we looked
        else:
            flush(parent)
            return final


def _manifest(
    bundle_id: str, aside: Path, contents: BundleContents, files: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    config = load_encoder_config(aside)
    return {
        "format_version": FORMAT_VERSION,
        "id": bundle_id,
        "created_at": contents.created_at.isoformat(),
        "encoder": {"name": config.name, "fingerprint": config.fingerprint, "dim": config.embedding_dim},
        "groups": [
            {"id": group.group_id, "name": group.group_name, "playlists": list(group.playlist_names)}
            for group in contents.groups
        ],
        "library_versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in _VERSIONED},
        "files": files,
    }


def _verified_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest after comparing every file with it."""
    with _reasons(directory):
        manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text())
        if manifest["format_version"] not in READABLE_VERSIONS:
            raise CorruptBundle(
                f"{directory.name}: format version {manifest['format_version']},"
                f" expected up to {FORMAT_VERSION}"
            )
        needed = {*ENCODER_FILES, STANDARDISATION, REPORT}
        needed |= {
            f"groups/{entry['id']}.{ending}" for entry in manifest["groups"] for ending in ("npz", "json")
        }
        if missing := needed - manifest["files"].keys():
            raise CorruptBundle(f"{directory.name}: the manifest lacks {sorted(missing)}")
        for name in sorted(needed):
            found = measure(directory / name)
            if found != manifest["files"][name]:
                raise CorruptBundle(
                    f"{directory.name}: {name} is {found}, expected {manifest['files'][name]}"
                )
    return manifest


@contextlib.contextmanager
def _reasons(directory: Path) -> Iterator[None]:
    """Turn whatever reading damaged files raises into :class:`CorruptBundle` with its reason."""
    try:
        yield
    except CorruptBundle:
        raise
    except (OSError, ValueError, LookupError, TypeError, EmbeddingError, RecommenderError) as error:
        raise CorruptBundle(f"{directory.name}: {_describe(error)}") from error


def _describe(error: Exception) -> str:
    """Return the reason without the place on disk, which is nobody's business over HTTP."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{Path(error.filename).name}: {error.strerror}"
    return f"{type(error).__name__}: {error}"


def _read_standardisation(directory: Path) -> Standardisation:
    with np.load(directory / STANDARDISATION, allow_pickle=False) as arrays:
        return Standardisation(mean=arrays["mean"], scale=arrays["scale"])


def _read_group(directory: Path, group_id: int) -> GroupModel:
    described = json.loads((directory / "groups" / f"{group_id}.json").read_text())
    with np.load(directory / "groups" / f"{group_id}.npz", allow_pickle=False) as arrays:
        group = from_arrays(dict(arrays), described)
    # Tried once: arrays that do not fit together show now, and the first request does not build the indexes.
    group.score(group.standardisation.mean[None] + 1)
    return group


def _number(name: str, day: str) -> int:
    stem, _, tail = name.rpartition("-")
    return int(tail) if stem == day and tail.isdecimal() else 0


def _file_names(directory: Path) -> list[str]:
    found = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    return sorted(found)
