"""The model in service: notices a newly promoted bundle, loads it aside, and swaps without a pause."""

import dataclasses
import logging
import threading
import time
from dataclasses import dataclass

from embeddings.encoder import Encoder
from embeddings.errors import EmbeddingError
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.models import current_bundle, list_bundles
from recommender.errors import RecommenderError
from recommender.model.bundle import INDEX, CorruptBundle, LoadedBundle, build_index, read_bundle
from recommender.model.index import TrackIndex
from recommender.records.models import BundleInfo

LOOK_EVERY_S = 0.5
RETRY_REFUSED_S = 30.0
_log = logging.getLogger(__name__)


class NoModel(RecommenderError):
    """Nothing was trained yet, or nothing that was trained can be read."""

    code = "no_model"


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A verified bundle and the network that listens for it."""

    bundle: LoadedBundle
    encoder: Encoder


class ModelHolder:
    """Holds the champion for all threads of a process; a request keeps the model it began with."""

    def __init__(
        self, database: Database, *, encoder_threads: int, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._database = database
        self._encoder_threads = encoder_threads
        self._look_every_s = look_every_s
        self._model: ServedModel | None = None
        self._looked_at = -float("inf")
        self._refused_at: dict[str, float] = {}
        self._loading = threading.Lock()

    def current(self) -> ServedModel:
        """Return the model in service.

        The first call waits for it; later ones never do: a new champion is loaded by a thread of its
        own while the previous one keeps answering.

        Raises
        ------
        NoModel
            Nothing was trained yet, or no bundle can be read.
        """
        model = self._model
        if model is None:
            self.refresh()
            model = self._model
        elif time.monotonic() - self._looked_at > self._look_every_s:
            self._looked_at = time.monotonic()
            threading.Thread(target=self._refresh_in_background, daemon=True).start()
        if model is None:
            raise NoModel("there is no trained model yet: add a playlist first")
        return model

    def refresh(self) -> None:
        """Look at the database now, and load the champion if it is not the one in service."""
        with self._loading:
            self._looked_at = time.monotonic()
            self._follow_champion()

    def _refresh_in_background(self) -> None:
        if not self._loading.acquire(blocking=False):
            return  # another thread is at it
        try:
            self._follow_champion()
        except Exception:
            _log.exception("could not look for a new model; the present one keeps serving")
        finally:
            self._loading.release()

    def _follow_champion(self) -> None:
        with self._database.read_session() as session:
            champion = current_bundle(session)
        if champion is None:
            self._model = None
        elif self._model is None or self._model.bundle.bundle_id != champion.id:
            self._model = self._load(champion) or self._model or self._load_any_before(champion)

    def _load_any_before(self, champion: BundleInfo) -> ServedModel | None:
        """Return the newest earlier model that can be read: a damaged champion must not stop the service."""
        with self._database.read_session() as session:
            bundles = list_bundles(session)
        served_before = (b for b in bundles if b.promoted_at is not None and b.id != champion.id)
        by_service = sorted(served_before, key=lambda b: b.promoted_at or 0.0, reverse=True)
        return next((model for bundle in by_service if (model := self._load(bundle))), None)

    def _load(self, info: BundleInfo) -> ServedModel | None:
        """Return the loaded bundle, or None (and log why) when it cannot be served."""
        if time.monotonic() - self._refused_at.get(info.id, -float("inf")) < RETRY_REFUSED_S:
            return None
        try:
            model = load_model(self._database, info, encoder_threads=self._encoder_threads)
        except CorruptBundle as error:
            self._refused_at[info.id] = time.monotonic()
            _log.error("bundle %s cannot be served: %s", info.id, error)
            return None
        _log.info("now serving bundle %s", info.id)
        return model


def load_model(database: Database, info: BundleInfo, *, encoder_threads: int) -> ServedModel:
    """Return a verified bundle and its network; a missing index is made again.

    Raises
    ------
    CorruptBundle
        It cannot be served, for the reason given.
    """
    bundle = read_bundle(info.directory)
    try:
        encoder = Encoder.load(info.directory, n_threads=encoder_threads)
    except EmbeddingError as error:
        raise CorruptBundle(f"{info.id}: {error}") from error
    if bundle.index is None:
        bundle = dataclasses.replace(bundle, index=_rebuilt_index(database, bundle))
    return ServedModel(bundle=bundle, encoder=encoder)


def _rebuilt_index(database: Database, bundle: LoadedBundle) -> TrackIndex:
    """Return the index made again from the database, and put it back in its place."""
    with database.read_session() as session:
        track_ids, raw = load_embeddings(session, bundle.config.fingerprint)
    index = build_index(bundle.config, bundle.standardisation, track_ids, raw)
    try:
        index.save(bundle.directory / INDEX)
    except OSError as error:
        _log.warning("the rebuilt index cannot be kept: %s", error)
    return index
