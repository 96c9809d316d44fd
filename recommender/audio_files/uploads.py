"""Keeping a file that somebody sent: it becomes a track of the catalogue, heard at once."""

import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from embeddings.decoder_processes import RunApart
from embeddings.waveform import read_waveform
from recommender.audio_files.content_hash import content_sha256
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.files import add_library_root, record_file, track_of_content, track_paths
from recommender.catalogue.tracks import find_track, mark_heard
from recommender.disk import flush
from recommender.model.in_service import ServedModel
from recommender.records.tracks import TrackInfo
from recommender.settings import Settings
from recommender.sources.folder import read_facts

_LONGEST_NAME_BYTES = 150
# What may stand in the name of a kept file; the rest could mean something to a shell or a file system.
_UNSAFE = re.compile(r"[^\w .,&'()+\-]+")


def keep_upload(
    database: Database,
    settings: Settings,
    model: ServedModel | None,
    upload: Path,
    *,
    name: str,
    apart: RunApart,
) -> TrackInfo:
    """Listen to a file, keep it below the data folder, and return the track that it is now.

    The same audio sent again is the same track and is kept once. Nothing is left behind when it fails.
    Before there is a model, the file is only decoded; the next scan hears it.

    Raises
    ------
    EmbeddingError
        It cannot be listened to.
    OSError
        It cannot be written.
    """
    heard = model.encoder.listen(upload) if model else None
    duration_s = heard.whole_s if heard else apart(partial(read_waveform, upload, 1))[1]
    facts = apart(partial(read_facts, upload, name=name))
    sha256 = content_sha256(upload)
    with database.read_session() as session:
        known = track_of_content(session, sha256)
        there = track_paths(session, [known]).get(known) if known is not None else None
    is_there = there is not None and there.is_file()
    path = None if is_there else _store(upload, settings.uploads_directory / sha256[:16] / _safe_name(name))
    with database.session() as session:
        add_library_root(session, settings.uploads_directory)
        track_id = known if path is None else None
        if path is not None:
            facts = replace(facts, content_sha256=sha256, duration_s=duration_s)
            size, mtime_ns = path.stat().st_size, path.stat().st_mtime_ns
            track_id = record_file(session, path, size=size, mtime_ns=mtime_ns, facts=facts)
        assert track_id is not None
        if heard is not None:
            mark_heard(session, track_id, duration_s=heard.whole_s, heard_in_part=heard.heard_in_part)
            store_embedding(
                session,
                track_id,
                fingerprint=heard.fingerprint,
                vector=heard.vector,
                patches=heard.patches,
                start_s=heard.start_s,
                patch_s=heard.patch_s,
            )
        return find_track(session, track_id)


def _store(upload: Path, path: Path) -> Path:
    """Write a copy aside and rename it, so that a half-written file never has the name of a whole one."""
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(upload, aside)
        flush(aside)
        aside.replace(path)
        flush(path.parent)
    except OSError:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return path


def _safe_name(name: str) -> str:
    """The sender's name for the file, as far as it can do no harm."""
    clean = _UNSAFE.sub("_", Path(name).name).strip(" .") or "upload"
    suffix = Path(clean).suffix[:20]
    stem = clean.removesuffix(suffix).encode()[: _LONGEST_NAME_BYTES - len(suffix.encode())]
    return stem.decode("utf-8", "ignore") + suffix
