"""How a trained encoder takes over: fitted to what the catalogue holds by then, not what it held before."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding, tracks_without_embedding
from recommender.catalogue.files import track_places
from recommender.catalogue.models import current_bundle, promote_bundle
from recommender.catalogue.tracks import mark_heard
from recommender.errors import ChampionChanged
from recommender.settings import Settings
from training.datasets.folder_tracks import hear_files
from training.encoder.available import encoder_of
from training.groups.refit import (
    LearningSet,
    NothingToLearn,
    fit_groups,
    publish,
    read_learning_set,
)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Situation:
    """What a training learns from: its verdict holds as long as the encoder and the playlists are these."""

    champion_id: str | None
    fingerprint: str
    playlist_ids: frozenset[int]

    def has_same_questions(self, other: "Situation") -> bool:
        """Whether nothing but members of the playlists has changed."""
        return (self.fingerprint, self.playlist_ids) == (other.fingerprint, other.playlist_ids)


def contested_playlists(learning_set: LearningSet) -> frozenset[int]:
    """Return the ids of the playlists that have a rival, which are what an encoder is trained on."""
    rivals = (labels.playlist_ids.tolist() for labels, _ in learning_set.groups)
    return frozenset(playlist_id for ids in rivals if len(ids) > 1 for playlist_id in ids)


def take_over(
    database: Database,
    settings: Settings,
    directory: Path,
    *,
    began: Situation,
    report: dict[str, Any],
    progress: Progress,
) -> str:
    """Fit heads on a trained encoder, put them in service, and return the bundle's id.

    Feedback that was fitted meanwhile is learnt: it moved tracks, but asked nothing that the encoder was not
    trained for.

    Raises
    ------
    ChampionChanged
        Playlists came or went meanwhile, or another encoder came into service: the training and its
        comparison are of another library.
    """
    while True:
        now = read_situation(database, settings)
        if now.champion_id != began.champion_id and not began.has_same_questions(now):
            raise ChampionChanged(
                "while the encoder was trained, playlists came or went or another encoder came into service"
            )
        hear_the_rest(database, settings, directory, progress)
        judged = {"compared_with": began.champion_id, "replaced": now.champion_id}
        bundle_id = publish_fitted(database, settings, directory, report | judged)
        try:
            with database.session() as session:
                promote_bundle(session, bundle_id, replacing=now.champion_id)
        except ChampionChanged:
            continue  # one more piece of feedback: look again
        return bundle_id


def publish_fitted(database: Database, settings: Settings, directory: Path, report: dict[str, Any]) -> str:
    """Fit heads on an encoder, on what the catalogue holds now, and publish them as a challenger."""
    learning_set = read_learning_set(database, settings, load_encoder_config(directory))
    groups = fit_groups(learning_set)
    report = report | {"groups": [group.described for group in groups]}
    models = [group.model for group in groups]
    return publish(database, settings, learning_set, models, directory, report=report)


def read_situation(database: Database, settings: Settings) -> Situation:
    """Return what a training that began now would learn from."""
    with database.read_session() as session:
        champion = current_bundle(session)
    if champion is None:
        return Situation(None, "", frozenset())
    directory, playlist_ids = encoder_of(settings, champion), frozenset[int]()
    if directory is not None:
        with suppress(NothingToLearn):
            learning_set = read_learning_set(database, settings, load_encoder_config(directory))
            playlist_ids = contested_playlists(learning_set)
    return Situation(champion.id, champion.fingerprint, playlist_ids)


def hear_the_rest(database: Database, settings: Settings, directory: Path, progress: Progress) -> None:
    """Listen to all tracks that an encoder has not heard, so that no answer waits for that once it serves.

    A file that fails keeps the error that the scan recorded.
    """
    fingerprint = load_encoder_config(directory).fingerprint
    with database.read_session() as session:
        places = track_places(session, tracks_without_embedding(session, fingerprint))
    for done, heard in enumerate(hear_files(places, directory, settings), start=1):
        progress(done, len(places), "hearing the rest of the library anew")
        if heard.embedding is None:
            continue
        with database.session() as session:
            in_part = heard.embedding.heard_in_part
            mark_heard(session, heard.key, duration_s=heard.embedding.whole_s, heard_in_part=in_part)
            store_embedding(
                session,
                heard.key,
                fingerprint=fingerprint,
                vector=heard.embedding.vector,
                patches=heard.embedding.patches,
                start_s=heard.embedding.start_s,
                patch_s=heard.embedding.patch_s,
            )
