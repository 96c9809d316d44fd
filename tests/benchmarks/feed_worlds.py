"""What the measurements of feeds are made on: a large group of playlists, files, and a feed of stubs."""

import hashlib
import json
import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation, TrackEmbedding
from embeddings.encoder_files import load_encoder_config
from embeddings.stretch import Stretch
from recommender.catalogue.database import migrate, open_database
from recommender.catalogue.feeds import register_feed
from recommender.catalogue.files import add_library_root
from recommender.catalogue.models import add_bundle, promote_bundle
from recommender.feeds.batch import ask_for_scores
from recommender.jobs.worker import run_job_here
from recommender.model.bundle import BundleContents, write_bundle
from recommender.model.calibration import Calibration
from recommender.model.group import GroupModel
from recommender.model.heads import Head
from recommender.model.neighbourhood import Neighbourhood
from recommender.settings import Settings, load_settings
from recommender.sources.feeds.reading import FOLDER
from training.background.feed_audio import FeedTools
from training.background.handlers import Tools, build_handler
from training.listening.listeners import Listen
from training.listening.scanning import Ears

TINY_ENCODER = Path(__file__).parents[1] / "golden" / "tiny_encoder"
N_MEMBERS, N_PLAYLISTS, DIM = 5_000, 20, 260
N_PATCHES = 8


def make_group(n_members: int = N_MEMBERS, n_playlists: int = N_PLAYLISTS, dim: int = DIM) -> GroupModel:
    """Return a group of playlists of equal size around centres of their own."""
    rng = np.random.default_rng(0)
    label = np.arange(n_members) % n_playlists
    raw = draw_tracks(n_members, dim=dim, seed=1)
    standardisation = Standardisation.fit(raw, {"all": slice(0, dim)}, {"all": 1.0})
    membership = label[:, None] == np.arange(n_playlists)
    neighbourhood = Neighbourhood(
        track_ids=np.arange(n_members, dtype=np.int64) + 1,
        embeddings=standardisation.apply(raw),
        lengths=np.linalg.norm(standardisation.standardise(raw), axis=1).astype(np.float32),
        weights=(membership / membership.sum(axis=0)).astype(np.float32),
    )
    closeness = tuple(np.sort(rng.normal(size=250)).astype(np.float32) for _ in range(n_playlists))
    calibration = Calibration(15, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0, closeness)
    return GroupModel(
        group_id=1,
        group_name="default",
        playlist_ids=np.arange(n_playlists, dtype=np.int64) + 1,
        playlist_names=tuple(f"playlist {number}" for number in range(n_playlists)),
        notes=("",) * n_playlists,
        standardisation=standardisation,
        head=Head(4 * neighbourhood.prototypes, np.zeros(n_playlists, np.float32)),
        neighbourhood=neighbourhood,
        calibration=calibration,
    )


def draw_tracks(n_tracks: int, *, dim: int = DIM, seed: int) -> NDArray[np.float32]:
    """Return vectors around the centres of the playlists, (n_tracks, dim)."""
    centres = np.random.default_rng(0).normal(size=(N_PLAYLISTS, dim))
    rng = np.random.default_rng(seed)
    raw = centres[np.arange(n_tracks) % N_PLAYLISTS] + 2 * rng.normal(size=(n_tracks, dim))
    answer: NDArray[np.float32] = raw.astype(np.float32)
    return answer


def copy_files(files: Sequence[Path], folder: Path, *, n_files: int) -> None:
    """Fill a folder with files that are each another recording: the copies end a little sooner."""
    folder.mkdir()
    for number in range(n_files):
        source = files[number % len(files)]
        content = source.read_bytes()
        n_kept = len(content) - len(content) * (number // len(files)) // 100
        (folder / f"{number:04} {source.name}").write_bytes(content[:n_kept])


def listen_to_stub(_directory: Path) -> Listen:
    """Hear in no time what the bytes of a file say."""
    config = load_encoder_config(TINY_ENCODER)

    def listen(path: Path, stretch: Stretch) -> TrackEmbedding:
        seed = int.from_bytes(hashlib.sha256(path.read_bytes()).digest()[:4])
        patches = (
            np.random.default_rng(seed).normal(size=(N_PATCHES, config.embedding_dim)).astype(np.float32)
        )
        start_s = np.arange(N_PATCHES, dtype=np.float64)
        return TrackEmbedding(
            vector=patches.mean(axis=0),
            patches=patches,
            start_s=start_s,
            patch_s=3.0,
            duration_s=30.0,
            fingerprint=config.fingerprint,
            timing_ms={},
        )

    return listen


def score_stubs(data: Path, n_items: int) -> Iterator[tuple[str, float]]:
    """Score a feed of so many stubs; yield figures by name."""
    settings = load_settings({"data": data}, environ={})
    migrate(settings)
    _serve(settings)
    folder = data / "new"
    folder.mkdir()
    for number in range(n_items):
        (folder / f"{number:06}.wav").write_bytes(b"stub %d" % number * 50)
    database = open_database(settings)
    with database.session() as session:
        add_library_root(session, folder)
        feed = register_feed(session, kind=FOLDER, reference=str(folder))
        job_id, _ = ask_for_scores(session, feed.id)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tools = Tools(feed=FeedTools(open_ears=_open_ears))
    job = run_job_here(settings, job_id, build_handler(settings, tools=tools))
    assert job.result["n_items"]["scored"] == n_items, (job.error, job.result)
    assert job.started_at is not None and job.finished_at is not None
    yield "n_items", n_items
    yield "tracks_per_s", n_items / (job.finished_at - job.started_at)
    yield "before_mb", before_mb
    yield "peak_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield "listener_mb", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    serve_again = _serve(settings)
    with database.session() as session:
        job_id, _ = ask_for_scores(session, feed.id, read_source=False)
    job = run_job_here(settings, job_id, build_handler(settings, tools=tools))
    assert job.started_at is not None and job.finished_at is not None
    assert (job.n_done, job.result["bundle"]) == (n_items, serve_again)
    yield "rescored_per_s", n_items / (job.finished_at - job.started_at)
    yield "rescored_peak_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _open_ears(_settings: Settings, _directory: Path) -> Ears:
    return Ears(TINY_ENCODER, load_encoder_config(TINY_ENCODER).fingerprint, 2, make_listen=listen_to_stub)


def _serve(settings: Settings) -> str:
    """Put a model of a few playlists in service; its id."""
    config = load_encoder_config(TINY_ENCODER)
    group = make_group(1_000, 5, config.embedding_dim)
    group = replace(
        group, neighbourhood=replace(group.neighbourhood, track_ids=group.member_ids + 10_000_000)
    )
    contents = BundleContents(
        encoder_directory=TINY_ENCODER,
        standardisation=group.standardisation,
        groups=(group,),
        report={},
        created_at=datetime.now(UTC),
    )
    directory = write_bundle(settings.bundles_directory, contents)
    with open_database(settings).session() as session:
        add_bundle(session, directory.name, directory=directory, fingerprint=config.fingerprint, summary={})
        promote_bundle(session, directory.name)
    return directory.name


def main() -> None:
    """Score a feed of stubs in a data folder that is removed afterwards, and print figures as JSON."""
    place = Path(sys.argv[1])
    try:
        print(json.dumps(dict(score_stubs(place, int(sys.argv[2])))))  # noqa: T201
    finally:
        shutil.rmtree(place, ignore_errors=True)
