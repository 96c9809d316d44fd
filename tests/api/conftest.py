"""A small library of made sounds behind a real application: playlists of low and of high notes."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from apiflask import APIFlask
from flask.testing import FlaskClient
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from api.app import create_app
from api.services import Services, find_services
from embeddings.encoder import Encoder, Standardisation, TrackEmbedding
from recommender.audio_files.content_hash import content_sha256
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.files import record_file
from recommender.catalogue.models import add_bundle, promote_bundle
from recommender.catalogue.playlists import create_playlist, set_members
from recommender.model.bundle import BundleContents, write_bundle
from recommender.settings import Settings
from recommender.sources.folder import read_facts
from tests.api.openapi_check import CheckedClient
from tests.recommender.model.tiny_bundles import CONFIG, DIM, TINY_ENCODER, fit_group

SAMPLE_RATE_HZ = 16_000
N_PER_PLAYLIST = 6
N_TRACKS = 2 * N_PER_PLAYLIST
PLAYLISTS = ("low", "high")
TRACK_IDS = np.arange(N_TRACKS, dtype=np.int64) + 1


@dataclass(frozen=True, eq=False)
class HeardTrack:
    """A file of the library and what the tiny encoder says of it."""

    path: Path
    playlist: str | None
    embedding: TrackEmbedding


@dataclass(frozen=True, eq=False)
class Sounds:
    """Folders of made sounds: a library, and files outside it."""

    library: Path
    outside: Path
    heard: tuple[HeardTrack, ...]


@dataclass(frozen=True, eq=False)
class Filled:
    """A catalogue that holds the sounds, with a model fitted on them in service."""

    settings: Settings
    database: Database
    sounds: Sounds
    track_ids: tuple[int, ...]
    playlist_ids: tuple[int, ...]
    bundle_ids: tuple[str, ...]


def make_notes(*, pitch_hz: float, seed: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float64]:
    """Return 4 s of a chord about ``pitch_hz`` over noise that is as low or as high, (n_samples,)."""
    rng = np.random.default_rng(seed)
    t = np.arange(4 * sample_rate_hz) / sample_rate_hz
    pitches = pitch_hz * rng.uniform(0.8, 1.25, size=3)
    # Noise that is the same sound at every rate: many sines, spread evenly on a logarithmic scale.
    low, high = (50.0, 1000.0) if pitch_hz < 1000 else (1000.0, 3900.0)
    frequencies_hz = np.exp(rng.uniform(np.log(low), np.log(high), size=200))[:, None]
    noise = np.sin(2 * np.pi * (frequencies_hz * t + rng.random((200, 1)))).mean(axis=0)
    return 0.5 * np.sin(2 * np.pi * pitches[:, None] * t).mean(axis=0) + rng.uniform(0.5, 1.0) * noise


def write_notes(path: Path, *, pitch_hz: float, seed: int) -> Path:
    """Write :func:`make_notes` to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # libsndfile's own way cannot write every name
        soundfile.write(
            file, make_notes(pitch_hz=pitch_hz, seed=seed), samplerate=SAMPLE_RATE_HZ, format="WAV"
        )
    return path


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    """The files, each listened to once."""
    folder = tmp_path_factory.mktemp("sounds")
    library, outside = folder / "library", folder / "outside"
    encoder = Encoder.load(TINY_ENCODER)
    heard = []
    for label, (name, pitch_hz) in enumerate(zip(PLAYLISTS, (200.0, 3000.0), strict=True)):
        for number in range(N_PER_PLAYLIST):
            path = library / name / f"Artist {label}{number} - Piece {number}.wav"
            write_notes(path, pitch_hz=pitch_hz, seed=10 * label + number)
            heard.append(HeardTrack(path, name, encoder.listen(path)))
    write_notes(library / "unscanned" / "Nobody - Low news.wav", pitch_hz=210.0, seed=90)
    write_notes(outside / "Nobody - High news.wav", pitch_hz=2900.0, seed=91)
    return Sounds(library, outside, tuple(heard))


@pytest.fixture
def settings(make_settings: Callable[..., Settings], sounds: Sounds) -> Settings:
    """Settings of the test's own database; files of the library may be named."""
    return make_settings(library_roots=[sounds.library])


@pytest.fixture(scope="session")
def bundles(sounds: Sounds, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Two bundles fitted on the sounds, whose ids are those that an empty database gives."""
    raw = np.stack([track.embedding.vector for track in sounds.heard])
    membership = np.array([[track.playlist == name for name in PLAYLISTS] for track in sounds.heard])
    standardisation = Standardisation.fit(raw, {"all": slice(0, DIM)}, {"all": 1.0})
    group = replace(fit_group(TRACK_IDS, raw, membership, standardisation), playlist_names=PLAYLISTS)
    contents = BundleContents(
        encoder_directory=TINY_ENCODER,
        standardisation=standardisation,
        groups=(group,),
        report={"balanced_accuracy": 1.0},
        created_at=datetime.now(UTC),
    )
    parent = tmp_path_factory.mktemp("bundles")
    return tuple(write_bundle(parent, contents) for _ in range(2))


@pytest.fixture
def filled(settings: Settings, database: Database, sounds: Sounds, bundles: tuple[Path, ...]) -> Filled:
    """The catalogue with both playlists and two bundles, the first in service."""
    with database.session() as session:
        track_ids = tuple(_record(session, track) for track in sounds.heard)
        playlist_ids = tuple(create_playlist(session, name=name).id for name in PLAYLISTS)
        for label, playlist_id in enumerate(playlist_ids):
            members = track_ids[label * N_PER_PLAYLIST : (label + 1) * N_PER_PLAYLIST]
            set_members(session, playlist_id, members)
        for made in bundles:
            directory = settings.bundles_directory / made.name
            shutil.copytree(made, directory)
            summary = {"encoder": CONFIG.name}
            add_bundle(
                session, made.name, directory=directory, fingerprint=CONFIG.fingerprint, summary=summary
            )
        promote_bundle(session, bundles[0].name)
    assert track_ids == tuple(TRACK_IDS.tolist())
    return Filled(settings, database, sounds, track_ids, playlist_ids, tuple(made.name for made in bundles))


def _record(session: Session, track: HeardTrack) -> int:
    status = track.path.stat()
    facts = replace(read_facts(track.path), content_sha256=content_sha256(track.path), duration_s=4.0)
    track_id = record_file(session, track.path, size=status.st_size, mtime_ns=status.st_mtime_ns, facts=facts)
    store_embedding(
        session,
        track_id,
        fingerprint=track.embedding.fingerprint,
        vector=track.embedding.vector,
        patches=track.embedding.patches,
        start_s=track.embedding.start_s,
        patch_s=track.embedding.patch_s,
    )
    return track_id


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[APIFlask]:
    """The application; ask for ``filled`` as well to give it something to answer with."""
    app = create_app(settings)
    yield app
    find_services(app).apart.close()
    find_services(app).database.close()


@pytest.fixture
def services(app: APIFlask) -> Services:
    """What the application's views use."""
    return find_services(app)


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A client that holds every response to the OpenAPI document."""
    app.test_client_class = CheckedClient
    return app.test_client()
