"""A library that an earlier program heard is heard again by this one, while the old model serves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from embeddings.encoder_files import is_up_to_date, load_encoder_config, renew_encoder
from recommender.catalogue.database import Database, open_database
from recommender.catalogue.models import current_bundle
from recommender.errors import ChampionChanged
from recommender.jobs import ledger
from recommender.jobs.active import first_active_job
from recommender.records.jobs import JobKind
from recommender.settings import Settings
from training.challenge.succession import hear_the_rest, read_situation, take_over
from training.encoder.available import encoder_of
from training.groups.refit import NothingToLearn, read_learning_set

Progress = Callable[[int, int, str], None]

# Fewer of the playlists' tracks heard again, and the old model knows more: a disk may only be away.
LEAST_SHARE = 0.9


@dataclass(frozen=True)
class Renewal:
    """What came of it: the bundle that took over, None where the old one stays, and why."""

    bundle_id: str | None
    why: str


def outdated_encoder(database: Database, settings: Settings) -> Path | None:
    """Return the directory of the encoder in service if it hears with an earlier front end than today's."""
    with database.read_session() as session:
        champion = current_bundle(session)
    directory = None if champion is None else encoder_of(settings, champion)
    if directory is None or is_up_to_date(load_encoder_config(directory)):
        return None
    return directory


def ask_for_renewal(settings: Settings) -> None:
    """Queue a training, which begins with the renewal, if the library was heard by an earlier program."""
    database = open_database(settings)
    try:
        if outdated_encoder(database, settings) is not None:
            with database.session() as session:
                # One that another worker does already begins with the renewal, too.
                if first_active_job(session, [JobKind.TRAIN]) is None:
                    ledger.enqueue(session, JobKind.TRAIN, {})
    finally:
        database.close()


def renew_front_end(database: Database, settings: Settings, *, progress: Progress) -> Renewal | None:
    """Hear the library again behind this program's front end, and serve that; None where that is not needed.

    What was heard is kept as it comes, so a killed renewal goes on where it was. Files that are away keep the
    old model in service, unless they are few and no playlist loses all of its tracks.
    """
    while True:
        directory = outdated_encoder(database, settings)
        if directory is None:
            return None
        renewed = renew_encoder(directory, settings.encoders_directory)
        hear_the_rest(database, settings, renewed, progress)
        if why_not := _what_is_missing(database, settings, directory, renewed):
            return Renewal(None, why_not)
        began = read_situation(database, settings)
        report = {"reason": "the library was heard again, as this program hears it"}
        try:
            bundle_id = take_over(database, settings, renewed, began=began, report=report, progress=progress)
        except ChampionChanged:
            continue
        return Renewal(bundle_id, "the library was heard again")


def _what_is_missing(database: Database, settings: Settings, old: Path, new: Path) -> str:
    """Say what the old model knows and the new one would not; empty where that is little."""
    before, after = _count_members(database, settings, old), _count_members(database, settings, new)
    n_before, n_after = sum(before.values()), sum(after.values())
    if before.keys() <= after.keys() and n_after >= LEAST_SHARE * n_before:
        return ""
    return (
        f"the old model stays in service: {n_before - n_after} of {n_before} tracks of playlists could not be"
        " heard again, because their files are away or cannot be read"
    )


def _count_members(database: Database, settings: Settings, encoder: Path) -> dict[int, int]:
    """Playlist id -> how many of its tracks an encoder has heard."""
    try:
        groups = read_learning_set(database, settings, load_encoder_config(encoder)).groups
    except NothingToLearn:
        return {}
    return {
        playlist_id: n_tracks
        for labels, tracks in groups
        for playlist_id, n_tracks in zip(
            labels.playlist_ids.tolist(), tracks.membership.sum(axis=0).tolist(), strict=True
        )
    }
