"""A file that is being listened to: the tracks in it, and what is kept of each."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from embeddings.decoder_processes import RunApart
from embeddings.errors import DecoderCrashed, DecoderHung
from embeddings.stretch import WHOLE
from recommender.audio_files.content_hash import content_sha256, stretch_sha256
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.files import record_failed_file, record_file
from recommender.catalogue.tracks import mark_heard
from recommender.jobs.steps import Item
from recommender.records.tracks import FoundFile
from recommender.sources.album_tracks import FileTrack, read_tracks
from recommender.sources.cue.images import stat_file
from recommender.sources.folder import facts_of_name
from training.listening.listeners import Heard
from training.listening.plan import item_path


@dataclass(frozen=True)
class OpenFile:
    """A step of a job: ``heard`` is what became of the first of its tracks."""

    item: Item
    file: FoundFile
    tracks: tuple[FileTrack, ...]
    heard: tuple[Heard, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.file.path

    @property
    def next_track(self) -> FileTrack:
        """The first that was not listened to."""
        return self.tracks[len(self.heard)]


def open_file(item: Item, *, apart: RunApart) -> OpenFile:
    """Read what a file says of its tracks, and give each the hash that it is known by.

    Tags are read ``apart``: where a reader dies of them or hangs, the file's name must say what it is.

    Raises
    ------
    OSError
    """
    path = item_path(item.key)
    file, content = stat_file(path), content_sha256(path)
    try:
        tracks = apart(partial(read_tracks, path))
    except (DecoderCrashed, DecoderHung):
        tracks = (FileTrack(WHOLE, facts_of_name(path)),)
    return OpenFile(
        item,
        file,
        tuple(
            replace(track, facts=replace(track.facts, content_sha256=stretch_sha256(content, track.stretch)))
            for track in tracks
        ),
    )


def keep_track(session: Session, file: OpenFile, track: FileTrack, heard: Heard) -> None:
    """Keep a track with what was heard of it, or set it aside."""
    if heard.embedding is None:
        record_failed_file(
            session,
            file.path,
            size=file.file.size,
            mtime_ns=file.file.mtime_ns,
            stretch=track.stretch,
            code=heard.code,
            error=heard.error,
        )
        return
    embedding = heard.embedding
    track_id = record_track(session, file, track)
    mark_heard(session, track_id, duration_s=embedding.whole_s, heard_in_part=embedding.heard_in_part)
    store_embedding(
        session,
        track_id,
        fingerprint=embedding.fingerprint,
        vector=embedding.vector,
        patches=embedding.patches,
        start_s=embedding.start_s,
        patch_s=embedding.patch_s,
    )


def record_track(session: Session, file: OpenFile, track: FileTrack) -> int:
    """Id of the track, at its place in the catalogue."""
    return record_file(
        session,
        file.path,
        size=file.file.size,
        mtime_ns=file.file.mtime_ns,
        stretch=track.stretch,
        facts=track.facts,
    )
