"""Read playlists again where they came from: what is new is added, what went is said."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embeddings.errors import EmbeddingError
from recommender.catalogue.origins import list_followed, mark_asked
from recommender.errors import RecommenderError
from recommender.jobs.run import JobRun
from recommender.playlists.file_exchange import import_from_file
from recommender.playlists.library_hints import LibraryHints
from recommender.records.matches import ImportReport
from recommender.records.playlists import Followed
from recommender.settings import Settings
from recommender.sources.files.reading import choose_playlist, read_playlist_file
from training.background.server_import import Asked, Listen, Publish, SourceImport
from training.listening.outcome import Outcome


@dataclass
class _Sync:
    """One job under way; ``outcome`` is of all its playlists together."""

    run: JobRun
    settings: Settings
    listen: Listen
    outcome: Outcome = field(default_factory=lambda: Outcome(paths=()))
    encoder: Path | None = None

    def read_again(self, followed: Followed) -> dict[str, Any]:
        """What came of one playlist, for a program; one that cannot be read stays as it is."""
        said: dict[str, Any] = {
            "playlist": followed.playlist.id,
            "name": followed.playlist.name,
            "from": str(followed.origin.reference).encode("utf-8", "replace").decode(),
        }
        with self.run.database.session() as session:
            mark_asked(session, followed.playlist.id)
        before = followed.playlist.n_tracks
        try:
            report = self._bring_in(followed)
        except (RecommenderError, EmbeddingError) as error:
            return said | {"code": error.code, "error": str(error)}
        return said | {
            "rows": report.counts,
            "n_before": before,
            "n_now": report.playlist.n_tracks,
            "is_changed": report.members_changed,
            "kept_out": list(report.kept_out),
            "went": list(report.went),
            "refusal": report.refusal,
        }

    def _bring_in(self, followed: Followed) -> ImportReport:
        if isinstance(followed.origin.reference, Path):
            return self._read_file(followed, followed.origin.reference)
        asked = Asked(
            reference=followed.origin.reference,
            name=followed.playlist.name,
            group=followed.playlist.group,
            keep_gone=not self.run.job.payload.get("take_out"),
        )
        importing = SourceImport.begin(self.run, self.settings, asked)
        outcome, self.encoder, report = importing.bring_in(self.listen)
        self._add(outcome)
        return report

    def _read_file(self, followed: Followed, path: Path) -> ImportReport:
        hints = LibraryHints(self.run.database)
        playlist = choose_playlist(read_playlist_file(path, hints=hints), followed.origin.which)
        report = import_from_file(
            self.run.database,
            playlist,
            name=followed.playlist.name,
            group=followed.playlist.group,
            allow_spotify=self.settings.spotify_training == "allow",
            if_exists=None,
            origin=followed.origin,
            keep_gone=not self.run.job.payload.get("take_out"),
            queue_fit=False,
        ).report
        self.outcome.is_changed |= report.members_changed and report.n_trainable > 0
        self.outcome.playlists.append(report.playlist.id)
        return report

    def _add(self, outcome: Outcome) -> None:
        self.outcome.paths += outcome.paths
        self.outcome.n_files += outcome.n_files
        self.outcome.n_new += outcome.n_new
        self.outcome.playlists += outcome.playlists
        self.outcome.is_changed |= outcome.is_changed


def sync_playlists(settings: Settings, listen: Listen, publish: Publish, run: JobRun) -> dict[str, Any]:
    """Payload ``playlists`` (ids), ``take_out``: each is brought up to date with where it came from."""
    with run.database.read_session() as session:
        followed = list_followed(session, run.job.payload["playlists"])
    sync = _Sync(run, settings, listen)
    came = []
    for n_over, entry in enumerate(followed):
        run.progress(n_over, len(followed), f"reading {entry.playlist.name}")
        came.append(sync.read_again(entry))
    result: dict[str, Any] = {"synced": came}
    if sync.outcome.is_changed:
        encoder = sync.encoder or listen(run, sync.outcome)
        result |= publish(run, sync.outcome, encoder, reason="playlists were read again where they came from")
    run.progress(len(followed), len(followed), _sentence(came))
    return result


def _sentence(came: list[dict[str, Any]]) -> str:
    unread = sum("error" in entry for entry in came)
    changed = sum(bool(entry.get("is_changed")) for entry in came)
    said = f"{len(came)} playlists read again, {changed} changed"
    return said + (f", {unread} could not be read" if unread else "")
