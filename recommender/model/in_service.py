"""The model in service: notices a newly promoted bundle, loads it aside, and swaps without a pause."""

import dataclasses
import logging
import threading
import time
from dataclasses import dataclass
from math import inf

from embeddings.decoder_processes import RunApart, run_here
from embeddings.encoder import Encoder
from embeddings.errors import EmbeddingError
from recommender.catalogue.database import Database
from recommender.catalogue.models import current_bundle, current_bundle_id, list_bundles
from recommender.errors import RecommenderError
from recommender.model.bundle import CorruptBundle, LoadedBundle, read_bundle
from recommender.model.library_index import LibraryIndexes
from recommender.records.models import BundleInfo

LOOK_EVERY_S = 0.5
LONGEST_WAIT_S = 5.0
RETRY_REFUSED_S = 30.0
_log = logging.getLogger(__name__)


class NoModel(RecommenderError):
    """Nothing was trained yet, or nothing that was trained can be read."""

    code = "no_model"


class ModelLoading(NoModel):
    """There is a model, which this process has not loaded yet."""

    code = "model_loading"


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A verified bundle and the network that listens for it."""

    bundle: LoadedBundle
    encoder: Encoder


class ModelHolder:
    """Holds the champion for all threads of a process; a request keeps the model it began with."""

    def __init__(
        self,
        database: Database,
        *,
        encoder_threads: int,
        apart: RunApart = run_here,
        look_every_s: float = LOOK_EVERY_S,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self._database = database
        self._encoder_threads, self._apart = encoder_threads, apart
        self._look_every_s, self._longest_wait_s = look_every_s, longest_wait_s
        self._model: ServedModel | None = None
        self.indexes = LibraryIndexes()
        self._refused_at: dict[str, float] = {}
        self._loading = threading.Lock()

    def current(self) -> ServedModel:
        """Return the model in service.

        Each call asks which one that is, so that whoever was told "it is learnt" is answered by what was
        learnt, in every process. While a new one is loaded a call waits for it, but not for longer than
        ``longest_wait_s``; then the one before answers.

        Raises
        ------
        NoModel
            Nothing was trained yet, or no bundle can be read.
        """
        is_loading = False
        if self._model is None or not self._is_current(self._model):
            is_loading = not self.refresh(longest_wait_s=self._longest_wait_s)
        model = self._model
        if model is None and is_loading:
            raise ModelLoading("the model is being loaded: ask again in a moment")
        if model is None:
            raise NoModel("there is no trained model yet: add a playlist first")
        return model

    def refresh(self, *, longest_wait_s: float | None = None) -> bool:
        """Load the champion if it is not the one in service; another thread that is at it is waited for.

        Returns whether it did not have to be waited for longer than ``longest_wait_s``.
        """
        if not self._loading.acquire(timeout=-1 if longest_wait_s is None else longest_wait_s):
            return False
        try:
            self._follow_champion()
        finally:
            self._loading.release()
        return True

    def watch(self) -> threading.Event:
        """Keep looking from a thread of its own, until the event is set that comes back.

        So a new model is mostly loaded before anybody asks.
        """
        stop = threading.Event()
        threading.Thread(target=self._watch, args=(stop,), name="model", daemon=True).start()
        return stop

    def _watch(self, stop: threading.Event) -> None:
        while True:
            try:
                self.refresh()
            except Exception:
                _log.exception("could not look for a new model; the present one keeps serving")
            if stop.wait(self._look_every_s):
                return

    def _is_current(self, model: ServedModel) -> bool:
        try:
            with self._database.read_session() as session:
                champion_id = current_bundle_id(session)
        except Exception:  # whatever else the request needs of the database will say so
            _log.exception("could not look for a new model; the present one keeps serving")
            return True
        is_refused = time.monotonic() - self._refused_at.get(champion_id or "", -inf) < RETRY_REFUSED_S
        return champion_id == model.bundle.bundle_id or is_refused

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
        if time.monotonic() - self._refused_at.get(info.id, -inf) < RETRY_REFUSED_S:
            return None
        try:
            model = load_model(
                self._database,
                info,
                indexes=self.indexes,
                encoder_threads=self._encoder_threads,
                apart=self._apart,
            )
        except CorruptBundle as error:
            self._refused_at[info.id] = time.monotonic()
            _log.error("bundle %s cannot be served: %s", info.id, error)
            return None
        _log.info("now serving bundle %s", info.id)
        return model


def load_model(
    database: Database,
    info: BundleInfo,
    *,
    indexes: LibraryIndexes,
    encoder_threads: int,
    apart: RunApart = run_here,
) -> ServedModel:
    """Return a verified bundle with the index of its encoder, and its network.

    Raises
    ------
    CorruptBundle
        It cannot be served, for the reason given.
    """
    bundle = read_bundle(info.directory)
    try:
        encoder = Encoder.load(info.directory, n_threads=encoder_threads, apart=apart)
    except EmbeddingError as error:
        raise CorruptBundle(f"{info.id}: {error}") from error
    found = indexes.get(database, info.directory, bundle.config, bundle.standardisation)
    # Whoever searches does so in the space of the index.
    bundle = dataclasses.replace(bundle, index=found.index, standardisation=found.space)
    return ServedModel(bundle=bundle, encoder=encoder)
