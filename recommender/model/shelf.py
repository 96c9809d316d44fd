"""Models asked by name beside the one in service: loaded when first asked for, the last few kept."""

import threading
from collections import OrderedDict
from contextlib import suppress

from embeddings.decoder_processes import RunApart, run_here
from recommender.catalogue.database import Database
from recommender.catalogue.models import get_bundle
from recommender.model.bundle import CorruptBundle
from recommender.model.in_service import ModelHolder, NoModel, ServedModel, load_model
from recommender.records.models import BundleInfo

# Each holds a network and the vectors of its playlists: enough to compare two with the one in service.
N_KEPT = 2


class ModelShelf:
    """Hands out the model that a request names; shared by all threads of a process."""

    def __init__(
        self,
        database: Database,
        holder: ModelHolder,
        *,
        encoder_threads: int,
        apart: RunApart = run_here,
        n_kept: int = N_KEPT,
    ) -> None:
        self._database, self._holder = database, holder
        self._encoder_threads, self._apart, self._n_kept = encoder_threads, apart, n_kept
        self._kept: OrderedDict[str, ServedModel] = OrderedDict()
        self._using, self._loading = threading.Lock(), threading.Lock()

    def get(self, model_id: str | None = None) -> ServedModel:
        """Return the model of an id, or without one the model in service.

        Raises
        ------
        NoModel
            None is in service.
        NoSuchBundle
            There is none of this id (any more).
        CorruptBundle
            It cannot be served.
        """
        if model_id is None:
            return self._holder.current()
        with suppress(NoModel):
            served = self._holder.current()
            if served.bundle.bundle_id == model_id:
                return served
        kept = self._take(model_id)
        if kept is not None:
            return kept
        with self._loading:  # one at a time: loading takes memory for two
            return self._take(model_id) or self._load(model_id)

    def _take(self, model_id: str) -> ServedModel | None:
        with self._using:
            if model_id in self._kept:
                self._kept.move_to_end(model_id)
            return self._kept.get(model_id)

    def _load(self, model_id: str) -> ServedModel:
        info = self._find(model_id)
        try:
            model = load_model(
                self._database,
                info,
                indexes=self._holder.indexes,
                encoder_threads=self._encoder_threads,
                apart=self._apart,
            )
        except CorruptBundle:
            self._find(model_id)  # it may have been removed meanwhile
            raise
        with self._using:
            self._kept[model_id] = model
            while len(self._kept) > self._n_kept:
                self._kept.popitem(last=False)
        return model

    def _find(self, model_id: str) -> BundleInfo:
        with self._database.read_session() as session:
            return get_bundle(session, model_id)
