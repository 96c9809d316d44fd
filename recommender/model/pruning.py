"""Old models go, because every quick fit publishes one; and with its last model the index of an encoder.

The row goes first and its directory afterwards, so that a kill leaves no row that leads nowhere; what
stays behind without a row is swept an hour later.
"""

import logging
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from recommender.catalogue.database import Database
from recommender.catalogue.models import catalogue_began_at, list_bundles, remove_bundles
from recommender.model.bundle import ABANDONED_AFTER_S
from recommender.model.library_index import forget_indexes
from recommender.model.scorecards import CARD
from recommender.records.models import BundleInfo
from recommender.settings import Settings

_log = logging.getLogger(__name__)


def prune_models(database: Database, settings: Settings) -> list[str]:
    """Remove the models that nobody needs any more; return their ids.

    Called when a model was published, which stands whatever happens here: what cannot be removed is logged.
    """
    try:
        return _prune(database, settings)
    except Exception:
        _log.warning("old models were not removed; the next fit tries again", exc_info=True)
        return []


def _prune(database: Database, settings: Settings) -> list[str]:
    with database.read_session() as session:
        bundles = list_bundles(session)
        began_at = catalogue_began_at(session)
    judged = {path.parent.name for path in settings.scorecards_directory.glob(f"*/{CARD}")}
    kept = models_to_keep(bundles, judged=judged, n_newest=settings.keep_models)
    with database.session() as session:
        # One that was put in service meanwhile stays.
        removed = remove_bundles(session, [bundle.id for bundle in bundles if bundle.id not in kept])
    for bundle_id in removed:
        _remove(settings, bundle_id)
    known = {bundle.id for bundle in bundles}.difference(removed)
    _sweep(settings, known, began_at=began_at)
    encoders = {bundle.fingerprint for bundle in bundles if bundle.id in known}
    forget_indexes(settings.bundles_directory, encoders)
    return removed


def models_to_keep(bundles: Sequence[BundleInfo], *, judged: Collection[str], n_newest: int) -> set[str]:
    """Return the ids of the models to keep.

    These are the one in service and the one before it, the newest ones, and the newest of those that were
    judged: their score cards are what others are compared with.
    """
    newest = sorted(bundles, key=lambda bundle: (bundle.created_at, bundle.id), reverse=True)
    served = sorted(
        (bundle for bundle in bundles if bundle.promoted_at is not None),
        key=lambda bundle: (bundle.state == "champion", bundle.promoted_at or 0.0),
        reverse=True,
    )
    with_card = [bundle for bundle in newest if bundle.id in judged]
    return {bundle.id for bundle in (*served[:2], *newest[:n_newest], *with_card[:n_newest])}


def _remove(settings: Settings, bundle_id: str) -> None:
    """Remove what lies under a model's name; what cannot be removed now is swept later."""
    for parent in (settings.bundles_directory, settings.scorecards_directory):
        shutil.rmtree(parent / bundle_id, ignore_errors=True)


def _sweep(settings: Settings, known: Collection[str], *, began_at: float) -> None:
    """Remove what killed fits and removals left behind; a living fit makes its model known long before.

    What is older than the catalogue belongs to another one, perhaps from before a move to PostgreSQL.
    """
    for parent in (settings.bundles_directory, settings.scorecards_directory):
        for orphan in parent.glob("[0-9]*"):
            if orphan.name not in known and began_at < _changed_at(orphan) < time.time() - ABANDONED_AFTER_S:
                shutil.rmtree(orphan, ignore_errors=True)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # somebody else was faster
        return float("inf")
