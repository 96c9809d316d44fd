"""Make a playlist of what a server has: rows matched with the library, missing audio fetched and heard."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session

from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.embeddings import heard_tracks
from recommender.catalogue.files import track_paths
from recommender.catalogue.identities import remember_server_ids, tracks_at_paths, tracks_with_identity
from recommender.catalogue.tracks import tracks_by_id, update_track
from recommender.errors import SourceError
from recommender.jobs.run import JobRun
from recommender.matching.identity import match_rows
from recommender.playlists.file_exchange import refuse_empty
from recommender.playlists.importing import import_playlist
from recommender.playlists.members import IfExists
from recommender.records.matches import ImportReport, Match, Method, Strength
from recommender.records.playlists import DEFAULT_GROUP, Origin
from recommender.records.rows import JELLYFIN, SUBSONIC, SourcePlaylist, SourceRow
from recommender.records.tracks import UNKNOWN_ARTIST, TrackFacts, TrackInfo
from recommender.settings import Settings
from recommender.sources.references import can_fetch, fetch_original, read_source
from recommender.sources.web.reading import Web, open_web
from training.listening.outcome import Outcome, sentence

BATCH = 10  # files fetched before they are heard: the cache may be smaller than the playlist
N_SHOWN = 100
_SERVERS = (SUBSONIC, JELLYFIN)
Listen = Callable[[JobRun, Outcome], Path]


class Publish(Protocol):
    """Serves what has changed and says what came of it."""

    def __call__(self, run: JobRun, outcome: Outcome, encoder: Path, *, reason: str) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Asked:
    """What is to be read, which playlist it becomes, and whether songs that went from there stay in it."""

    reference: str
    name: str | None
    group: str
    if_exists: IfExists | None = None
    keep_gone: bool = False

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "Asked":
        """What a job's payload says."""
        choice = payload.get("if_exists")
        return cls(
            reference=payload["reference"],
            name=payload.get("name"),
            group=payload.get("group") or DEFAULT_GROUP,
            if_exists=IfExists(choice) if choice else None,
        )


@dataclass
class SourceImport:
    """One import under way; ``heard`` is row -> track, ``refused`` the rows whose audio did not come."""

    run: JobRun
    settings: Settings
    asked: Asked
    web: Web
    playlist: SourcePlaylist
    heard: dict[int, int] = field(default_factory=dict)
    refused: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def begin(cls, run: JobRun, settings: Settings, asked: Asked) -> "SourceImport":
        """Read the playlist that ``asked`` names."""
        web = open_web(settings)

        def tell(n_done: int, n_total: int) -> None:
            run.progress(n_done, n_total, "reading the playlist")

        playlist = read_source(asked.reference, settings, web=web, progress=tell)
        refuse_empty(playlist)
        return cls(run, settings, asked, web, playlist)

    def bring_in(self, listen: Listen) -> tuple[Outcome, Path, ImportReport]:
        """Fetch and listen to what is missing, then fill the playlist."""
        outcome = Outcome(paths=())
        encoder = listen(self.run, outcome)
        for fetched in self._fetch_batches(self._missing_rows(encoder)):
            batch = Outcome(paths=tuple(fetched.values()))
            encoder = listen(self.run, batch)
            with self.run.database.session() as session:
                self._recognise(session, fetched)
            outcome.paths += batch.paths
            outcome.n_files += batch.n_files
            outcome.n_new += batch.n_new
        with self.run.database.session() as session:
            report = self._fill(session)
        outcome.is_changed = report.n_trainable > 0 and (report.members_changed or outcome.n_new > 0)
        outcome.playlists.append(report.playlist.id)
        return outcome, encoder, report

    def describe(self, report: ImportReport) -> dict[str, Any]:
        """Say what became of the rows."""
        return {
            "rows": report.counts,
            "playlist": report.playlist.id,
            "refusal": report.refusal,
            "kept_out": list(report.kept_out),
            "n_fetched": len(self.heard),
            "n_not_fetched": len(self.refused),
            "not_fetched": self.refused[:N_SHOWN],
        }

    def _missing_rows(self, encoder: Path) -> list[int]:
        """Rows that are not surely a track, or one that this encoder has not heard and whose file is gone.

        Only those that the source may have audio of.
        """
        fingerprint = load_encoder_config(encoder).fingerprint
        with self.run.database.read_session() as session:
            matches = self._match(session)
            track_ids = [match.track_id for match in matches if match.track_id is not None]
            heard = heard_tracks(session, track_ids, fingerprint)
            paths = track_paths(session, track_ids)
        there = heard | {track_id for track_id, path in paths.items() if path.is_file()}
        return [
            row
            for row, match in enumerate(matches)
            if not (match.strength is Strength.STRONG and match.track_id in there)
            and not _is_decided(match)
            and can_fetch(self.playlist.rows[row])
        ]

    def _match(self, session: Session) -> list[Match]:
        """The match of each row: what is heard or linked by the server's own id is sure."""
        rows = self.playlist.rows
        linked = self.heard | {
            row: track_id for row, track_id in _linked_rows(session, rows).items() if row not in self.heard
        }
        return [
            match
            if match.strength is Strength.STRONG or _is_decided(match) or row not in linked
            else Match(linked[row], Strength.STRONG, Method.SERVER, 1.0)
            for row, match in enumerate(match_rows(session, rows))
        ]

    def _fetch_batches(self, rows: Sequence[int]) -> Iterator[dict[int, Path]]:
        """Row -> file, so few at a time that they are heard before the cache needs their room."""
        batch: dict[int, Path] = {}
        room = self.settings.remote_cache_mb * 1_000_000 / 2
        for n_over, row in enumerate(rows):
            self.run.progress(n_over, len(rows), "fetching what is not in the library")
            path = self._fetch(row, keep=batch.values())
            if path is not None:
                batch[row] = path
            if len(batch) == BATCH or sum(path.stat().st_size for path in batch.values()) > room:
                yield batch
                batch = {}
        if batch:
            yield batch

    def _fetch(self, row: int, *, keep: Collection[Path]) -> Path | None:
        asked = self.playlist.rows[row]
        try:
            return fetch_original(asked, self.settings, web=self.web, keep=keep)
        except SourceError as error:
            named = f"{asked.artist} - {asked.title}"
            self.refused.append({"track": named, "code": error.code, "error": str(error)})
            return None

    def _recognise(self, session: Session, fetched: dict[int, Path]) -> None:
        """Note which tracks the files became, under what the server says where their tags are silent."""
        at = tracks_at_paths(session, [str(path) for path in fetched.values()])
        alone = {path: next(iter(there.values())) for path, there in at.items() if len(there) == 1}
        found = {row: alone[str(path)] for row, path in fetched.items() if str(path) in alone}
        infos = tracks_by_id(session, list(found.values()))
        for row, track_id in found.items():
            if infos[track_id].title == fetched[row].stem:
                update_track(session, track_id, _facts_of(self.playlist.rows[row], infos[track_id]))
        self.heard |= found
        self._link(session, found)

    def _fill(self, session: Session) -> ImportReport:
        matches = self._match(session)
        report = import_playlist(
            session,
            self.playlist,
            group=self.asked.group,
            name=self.asked.name,
            matches=matches,
            allow_spotify=self.settings.spotify_training == "allow",
            if_exists=self.asked.if_exists,
            origin=Origin(self.asked.reference),
            keep_gone=self.asked.keep_gone,
        )
        sure = {
            row: m.track_id for row, m in enumerate(matches) if m.strength is Strength.STRONG and m.track_id
        }
        self._link(session, sure)
        return report

    def _link(self, session: Session, tracks: dict[int, int]) -> None:
        """Remember the server's ids of these rows' tracks."""
        for scheme in _SERVERS:
            named = ((track_id, self.playlist.rows[row].identity(scheme)) for row, track_id in tracks.items())
            remember_server_ids(session, scheme, ((track_id, value) for track_id, value in named if value))


def _is_decided(match: Match) -> bool:
    return match.method is Method.DECISION


def _linked_rows(session: Session, rows: Sequence[SourceRow]) -> dict[int, int]:
    """Row -> the one track that the server's id of the row belongs to."""
    linked: dict[int, int] = {}
    for scheme in _SERVERS:
        values = {row: value for row, asked in enumerate(rows) if (value := asked.identity(scheme))}
        known = tracks_with_identity(session, scheme, values.values())
        linked |= {row: known[value][0] for row, value in values.items() if len(known.get(value, ())) == 1}
    return linked


def _facts_of(row: SourceRow, info: TrackInfo) -> TrackFacts:
    return TrackFacts(
        title=row.title or info.title,
        artist=row.artist or UNKNOWN_ARTIST,
        album=row.album,
        duration_s=info.duration_s,
    )


def import_source(settings: Settings, listen: Listen, publish: Publish, run: JobRun) -> dict[str, Any]:
    """Payload ``reference``, ``name``, ``group``, ``if_exists``: what a server has becomes the playlist."""
    importing = SourceImport.begin(run, settings, Asked.of(run.job.payload))
    outcome, encoder, report = importing.bring_in(listen)
    result = publish(run, outcome, encoder, reason=f"playlist {report.playlist.name!r} was imported")
    counts = report.counts
    said = f"{counts['used']} of {counts['rows']} rows used, {counts['review']} to review,"
    said += f" {counts['unmatched']} unmatched; {sentence(result)}"
    said += f"; {len(report.kept_out)} stay out, as you took them out" if report.kept_out else ""
    said += f"; {report.refusal}" if report.refusal else ""
    run.progress(outcome.n_files, outcome.n_files, said)
    return result | importing.describe(report)
