"""Catalogue queries about trained bundles, and how much the catalogue holds."""

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.tables.base import Base
from recommender.catalogue.tables.library import Artist, AudioFile, Embedding, Track
from recommender.catalogue.tables.playlists import Playlist
from recommender.catalogue.tables.work import CHAMPION, Bundle, Job
from recommender.errors import ChampionChanged, NoSuchBundle
from recommender.records.models import BundleInfo, CatalogueCounts

CHALLENGER = "challenger"
RETIRED = "retired"


def add_bundle(
    session: Session, bundle_id: str, *, directory: Path, fingerprint: str, summary: Mapping[str, Any]
) -> BundleInfo:
    """Make a published directory known, as a challenger; :func:`promote_bundle` puts it in service."""
    session.add(
        Bundle(
            id=bundle_id,
            state=CHALLENGER,
            directory=os.fsencode(directory.resolve()),
            fingerprint=fingerprint,
            summary=dict(summary),
            created_at=time.time(),
        )
    )
    session.flush()
    return get_bundle(session, bundle_id)


def get_bundle(session: Session, bundle_id: str) -> BundleInfo:
    """One bundle.

    Raises
    ------
    NoSuchBundle
        No bundle has this id.
    """
    bundle = session.get(Bundle, bundle_id, populate_existing=True)
    if bundle is None:
        raise NoSuchBundle(f"no bundle has the id {bundle_id!r}")
    return _info(bundle)


def current_bundle(session: Session) -> BundleInfo | None:
    """The champion, or None before anything was trained."""
    bundle = session.scalar(
        select(Bundle).where(Bundle.state == CHAMPION).execution_options(populate_existing=True)
    )
    return None if bundle is None else _info(bundle)


def current_bundle_id(session: Session) -> str | None:
    """Id of the champion: asked for by every request, so nothing else is read."""
    found: str | None = session.scalar(select(Bundle.id).where(Bundle.state == CHAMPION))
    return found


def list_bundles(session: Session) -> list[BundleInfo]:
    """All bundles, newest first."""
    newest = select(Bundle).order_by(Bundle.created_at.desc(), Bundle.id.desc())
    return [_info(bundle) for bundle in session.scalars(newest.execution_options(populate_existing=True))]


def promote_bundle(session: Session, bundle_id: str, *, replacing: str | None = None) -> BundleInfo:
    """Put a bundle in service; the one before is retired, and can be promoted again.

    Raises
    ------
    ChampionChanged
        Another bundle than ``replacing`` is in service: what this one was fitted to is out of date.
    """
    get_bundle(session, bundle_id)
    champion = session.scalar(select(Bundle.id).where(Bundle.state == CHAMPION).with_for_update())
    if replacing is not None and champion != replacing:
        raise ChampionChanged(f"bundle {bundle_id} was to replace {replacing}, but {champion} is in service")
    session.execute(
        update(Bundle).where(Bundle.state == CHAMPION, Bundle.id != bundle_id).values(state=RETIRED)
    )
    session.execute(
        update(Bundle).where(Bundle.id == bundle_id).values(state=CHAMPION, promoted_at=time.time())
    )
    return get_bundle(session, bundle_id)


def retire_champion(session: Session) -> None:
    """Serve nothing, as when the last playlist was removed; any bundle can be promoted again."""
    session.execute(update(Bundle).where(Bundle.state == CHAMPION).values(state=RETIRED))


def remove_bundles(session: Session, bundle_ids: Collection[str]) -> list[str]:
    """Forget bundles; return the ids of those that are gone. One that is in service stays."""
    gone = delete(Bundle).where(Bundle.id.in_(list(bundle_ids)), Bundle.state != CHAMPION)
    statement = gone.returning(Bundle.id)
    return sorted(session.scalars(statement, execution_options={"synchronize_session": False}))


def catalogue_began_at(session: Session) -> float:
    """When the first job was asked for; now, when none ever was."""
    began_at: float | None = session.scalar(select(func.min(Job.created_at)))
    return time.time() if began_at is None else began_at


def catalogue_counts(session: Session) -> CatalogueCounts:
    """How much the catalogue holds, for the operator."""

    def count(table: type[Base]) -> int:
        return session.execute(select(func.count()).select_from(table)).scalar_one()

    failed = select(func.count()).select_from(AudioFile).where(AudioFile.error_code.is_not(None))
    per_encoder = select(Embedding.fingerprint, func.count()).group_by(Embedding.fingerprint)
    per_state = select(Job.state, func.count()).group_by(Job.state)
    return CatalogueCounts(
        n_tracks=count(Track),
        n_artists=count(Artist),
        n_files=count(AudioFile),
        n_failed_files=session.execute(failed).scalar_one(),
        n_playlists=count(Playlist),
        n_embeddings=dict(session.execute(per_encoder).tuples().all()),
        n_bundles=count(Bundle),
        n_jobs=dict(session.execute(per_state).tuples().all()),
    )


def _info(bundle: Bundle) -> BundleInfo:
    return BundleInfo(
        id=bundle.id,
        state=bundle.state,
        directory=Path(os.fsdecode(bundle.directory)),
        fingerprint=bundle.fingerprint,
        created_at=bundle.created_at,
        promoted_at=bundle.promoted_at,
        summary=dict(bundle.summary),
    )
