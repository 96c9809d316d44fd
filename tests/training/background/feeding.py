"""A model in service and feeds of made sounds, for tests of scoring feeds; and a worker to be killed.

``python -m tests.training.background.feeding DATA DATABASE_URL LEASE_S`` runs a worker that listens slowly.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder, Standardisation
from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.feed_items import feed_items, scored_items
from recommender.catalogue.feeds import get_feed, register_feed
from recommender.catalogue.files import add_library_root, record_file
from recommender.catalogue.models import add_bundle, promote_bundle
from recommender.catalogue.playlists import ensure_playlist, list_playlists, set_members
from recommender.feeds.batch import ask_for_scores
from recommender.jobs.worker import run_job_here, run_worker
from recommender.model.bundle import BundleContents, write_bundle
from recommender.records.feeds import FeedInfo, FeedItemInfo
from recommender.records.jobs import JobInfo
from recommender.records.playlists import DEFAULT_GROUP
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings, load_settings
from recommender.sources.feeds.reading import find_source
from tests.folders import TINY_ENCODER, listen_and_log, listen_slowly, write_folder
from tests.recommender.model.tiny_bundles import CONFIG, DIM, fit_group
from training.background import feed_batch
from training.background.feed_audio import FeedTools
from training.background.handlers import Tools, build_handler
from training.listening.listeners import MakeListen
from training.listening.scanning import Ears

N_PROCESSES = 2
N_PER_PLAYLIST = 6
PLAYLISTS = ("low", "high")
LOW_HZ, HIGH_HZ = 210.0, 2010.0


@cache
def playlist_vectors() -> NDArray[np.float32]:
    """What the tiny encoder hears in low and in high tones, (2 * N_PER_PLAYLIST, DIM)."""
    encoder = Encoder.load(TINY_ENCODER, n_threads=1)
    with TemporaryDirectory() as folder:
        paths = [
            path
            for name, first_hz in zip(PLAYLISTS, (200.0, 2000.0), strict=True)
            for path in write_folder(Path(folder) / name, n_tracks=N_PER_PLAYLIST, first_hz=first_hz)
        ]
        return np.stack([encoder.listen(path).vector for path in paths])


def serve_model(database: Database, settings: Settings, *, shift: float = 0.0) -> str:
    """Put a model that tells low tones from high ones in service; its id. ``shift`` makes it another one."""
    raw = playlist_vectors()
    membership = np.repeat(np.eye(2, dtype=bool), N_PER_PLAYLIST, axis=0)
    with database.session() as session:
        facts = [
            TrackFacts(title=f"t{n}", artist=f"a{n}", content_sha256=f"playlist {n}") for n in range(len(raw))
        ]
        ids = [
            record_file(session, Path(f"/nowhere/{n}.flac"), size=1, mtime_ns=1, facts=fact)
            for n, fact in enumerate(facts)
        ]
        for track_id, vector in zip(ids, raw, strict=True):
            store_embedding(
                session,
                track_id,
                fingerprint=CONFIG.fingerprint,
                vector=vector,
                patches=vector[None],
                start_s=np.zeros(1),
                patch_s=3.0,
            )
        playlist_ids = _playlist_ids(session, ids)
    track_ids = np.array(ids)
    standardisation = Standardisation.fit(raw, {"all": slice(0, DIM)}, {"all": 1.0})
    group = fit_group(track_ids, raw, membership, standardisation)
    head = replace(group.head, bias=group.head.bias + np.array([shift, -shift], np.float32))
    group = replace(group, playlist_names=PLAYLISTS, playlist_ids=np.array(playlist_ids), head=head)
    contents = BundleContents(
        encoder_directory=TINY_ENCODER,
        standardisation=standardisation,
        groups=(group,),
        report={},
        created_at=datetime.now(UTC),
    )
    directory = write_bundle(settings.bundles_directory, contents)
    with database.session() as session:
        add_bundle(session, directory.name, directory=directory, fingerprint=CONFIG.fingerprint, summary={})
        promote_bundle(session, directory.name)
    return directory.name


def _playlist_ids(session: Any, ids: list[int]) -> list[int]:
    found = [
        ensure_playlist(session, name=name, group=DEFAULT_GROUP, folder=Path("/nowhere") / name)
        for name in PLAYLISTS
    ]
    for label, playlist in enumerate(found):
        set_members(session, playlist.id, ids[label * N_PER_PLAYLIST : (label + 1) * N_PER_PLAYLIST])
    return [playlist.id for playlist in found]


def let_settle(folder: Path, *, age_s: float = 3600.0) -> Path:
    """Make the files of a folder look as if nobody has written to them for a while."""
    for path in folder.iterdir():
        status = path.stat()
        if time.time() - status.st_mtime < age_s / 2:
            os.utime(path, (status.st_atime, status.st_mtime - age_s))
    return folder


def write_releases(folder: Path, *, n_tracks: int) -> Path:
    """Write so many low tones that are none of the model's."""
    write_folder(folder, n_tracks=n_tracks, first_hz=LOW_HZ)
    return let_settle(folder)


def add_feed(database: Database, reference: Path | str, **options: Any) -> FeedInfo:
    """Make a feed known as the command line does."""
    source = find_source(str(reference))
    with database.session() as session:
        if source.path is not None:
            add_library_root(session, source.path if source.path.is_dir() else source.path.parent)
        return register_feed(session, kind=source.kind, reference=source.reference, **options)


def make_feed_tools(make_listen: MakeListen = listen_and_log, **options: Any) -> FeedTools:
    """Tools around the tiny encoder."""
    ears = {name: options.pop(name) for name in ("longest_listen_s", "listen_here") if name in options}

    def open_ears(_settings: Settings, directory: Path) -> Ears:
        fingerprint = load_encoder_config(directory).fingerprint
        return Ears(directory, fingerprint, N_PROCESSES, make_listen=make_listen, **ears)

    return FeedTools(open_ears=open_ears, **options)


def score(
    settings: Settings,
    database: Database,
    feed_id: int,
    *,
    tools: FeedTools | None = None,
    on_progress: Callable[[JobInfo], None] | None = None,
    read_source: bool = True,
) -> JobInfo:
    """Score a feed in this process."""
    with database.session() as session:
        job_id, _ = ask_for_scores(session, feed_id, read_source=read_source)
    handle = build_handler(settings, tools=Tools(feed=tools or make_feed_tools()))
    return run_job_here(settings, job_id, handle, on_progress=on_progress)


def items_of(database: Database, feed_id: int) -> list[FeedItemInfo]:
    with database.read_session() as session:
        return feed_items(session, feed_id)


def states_of(database: Database, feed_id: int) -> dict[str, int]:
    with database.read_session() as session:
        return get_feed(session, feed_id).n_items


def answers_of(database: Database, feed_id: int) -> dict[str, tuple[str, str, float]]:
    """File name -> (bundle, first playlist, its probability) of every scored item."""
    with database.read_session() as session:
        found = list(scored_items(session, feed_id, DEFAULT_GROUP))
        names = {row.id: row.name for row in _playlists(session)}
    answers: dict[str, tuple[str, str, float]] = {}
    for item, bundle_id, results in found:
        first = results["playlists"][0]
        name = Path(item.row.row.path or item.key).name
        assert name not in answers, f"{name} is in the results twice"
        answers[name] = (bundle_id, names[first["id"]], first["probability"])
    return answers


def _playlists(session: Any) -> Any:
    return list_playlists(session)


def main(data: str, database_url: str, lease_s: str) -> None:
    """Work until killed."""
    overrides = {"data": data, "database_url": database_url, "lease_s": lease_s}
    settings = load_settings(overrides, environ={})
    feed_batch.FLUSH_S = 0.1  # so that there is something to see between two files
    handle = build_handler(settings, tools=Tools(feed=make_feed_tools(listen_slowly)))
    run_worker(settings, handle, threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
