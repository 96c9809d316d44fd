"""From a question to its answer: stored embeddings first, else listening to the file now."""

import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from recommender.answering.answer import AskedTrack, Recommendation
from recommender.answering.headline import explanation, headline
from recommender.answering.ranking import GroupNotFitted, Query, RankingOptions, choose_group, recommend
from recommender.answering.said import obey
from recommender.audio_files.content_hash import content_sha256, stretch_sha256
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings, load_patches
from recommender.catalogue.files import track_of_content, track_of_file, track_places
from recommender.catalogue.playlists import find_group
from recommender.catalogue.tracks import find_track, parse_reference, tracks_by_id
from recommender.errors import NoSuchEmbedding, NoSuchTrack, RecommenderError
from recommender.model.in_service import ServedModel
from recommender.records.models import StoredPatches
from recommender.records.rows import SPOTIFY
from recommender.records.tracks import Place, TrackInfo
from recommender.sources.album_tracks import read_track
from recommender.sources.folder import read_facts, resolve_in_roots

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class UrlsNotEnabled(RecommenderError):
    """A url was given, and the operator did not allow that."""

    code = "urls_not_enabled"


class TrackWithoutAudio(RecommenderError):
    """A track is known by name only: never heard by this encoder, and no file to listen to."""

    code = "track_without_audio"


def ask_by_reference(
    database: Database,
    model: ServedModel,
    reference: str,
    *,
    options: RankingOptions,
    library_roots: Callable[[], Sequence[Path]] | None,
    fetch: Callable[[str, Path], object] | None = None,
    resolve_spotify: Callable[[str], int] | None = None,
) -> Recommendation:
    """Return the answer for the track that ``reference`` names.

    Parameters
    ----------
    reference : str
        A track id, ``isrc:...``, ``mbid:...``, ``spotify:track:...`` or its URL, a path, or the URL of audio.
    library_roots : callable, optional
        Says where a path may lie; None lets it lie anywhere, for the person at the command line.
    fetch : callable, optional
        ``fetch(url, path)`` puts the audio at a URL into a file; None: URLs are not allowed.
    resolve_spotify : callable, optional
        Gives the track that an unknown Spotify id means; None: only those seen before are known.

    Raises
    ------
    NoSuchTrack, NoSuchGroup, GroupNotFitted, OutsideLibrary, TrackWithoutAudio, UrlsNotEnabled
        The question cannot be answered.
    EmbeddingError
        The file cannot be listened to.
    """
    _check_group(database, model, options)
    if fetch is not None and _is_url(reference):
        query = _query_by_url(database, reference, model, fetch)
    else:
        query = _query_by_reference(database, reference, model, library_roots, resolve_spotify)
    return _answer(database, query, model, options)


def ask_by_file(
    database: Database, model: ServedModel, path: Path, *, options: RankingOptions, name: str | None = None
) -> Recommendation:
    """Return the answer for a file that the catalogue need not know; ``name`` stands in for the file's."""
    _check_group(database, model, options)
    query = _query_by_file(database, path, model, name=name)
    return _answer(database, query, model, options)


def _answer(database: Database, query: Query, model: ServedModel, options: RankingOptions) -> Recommendation:
    """The model's answer under the user's word; shortened only then, so that what was said is not cut off."""
    whole = replace(options, top=None)
    answer = recommend(query, model.bundle, options=whole, describe=partial(_describe, database))
    with database.read_session() as session:
        answer = obey(answer, session)
    answer = replace(answer, headline=headline(answer), explanation=explanation(answer))
    return replace(answer, playlists=answer.playlists[: options.top])


def _check_group(database: Database, model: ServedModel, options: RankingOptions) -> None:
    """Refuse a group before anything is listened to; say whether it is unknown or only not fitted yet."""
    try:
        choose_group(model.bundle.groups, options.group)
    except GroupNotFitted:
        if options.group is not None:
            with database.read_session() as session:
                find_group(session, options.group)
        raise


def _describe(database: Database, track_ids: Sequence[int]) -> dict[int, TrackInfo]:
    with database.read_session() as session:
        return tracks_by_id(session, track_ids)


def _query_by_reference(
    database: Database,
    reference: str,
    model: ServedModel,
    library_roots: Callable[[], Sequence[Path]] | None,
    resolve_spotify: Callable[[str], int] | None,
) -> Query:
    try:
        scheme, value = parse_reference(reference)
    except NoSuchTrack:
        if _URL.match(reference):
            raise UrlsNotEnabled("the address of a song is not taken here") from None
        path = Path(reference)
        resolved = path.resolve() if library_roots is None else resolve_in_roots(path, library_roots())
        return _query_by_path(database, resolved, model)
    try:
        return _query_by_track(database, lambda session: find_track(session, reference), model)
    except NoSuchTrack:
        if scheme != SPOTIFY or resolve_spotify is None:
            raise
    track_id = resolve_spotify(value)
    return _query_by_track(database, lambda session: find_track(session, track_id), model)


def _is_url(reference: str) -> bool:
    """Whether a reference is a URL of audio, and not one that names a track of the catalogue."""
    try:
        parse_reference(reference)
    except NoSuchTrack:
        return bool(_URL.match(reference))
    return False


def _query_by_url(
    database: Database, url: str, model: ServedModel, fetch: Callable[[str, Path], object]
) -> Query:
    started = perf_counter()
    with tempfile.TemporaryDirectory(prefix="whichlist-") as folder:
        path = Path(folder) / "download"  # nothing of the URL reaches the disk
        fetch(url, path)
        spent_ms = 1000 * (perf_counter() - started)
        name = Path(unquote(urlsplit(url).path)).name or "download"
        query = _query_by_file(database, path, model, name=name)
    return replace(query, timing_ms={"download": spent_ms} | dict(query.timing_ms))


def _query_by_file(database: Database, path: Path, model: ServedModel, *, name: str | None = None) -> Query:
    """A recording that the catalogue has in another file is that track, which must not speak for itself."""
    track = None
    with suppress(OSError), database.read_session() as session:  # listening says better what is wrong with it
        track_id = track_of_content(session, content_sha256(path))
        track = None if track_id is None else tracks_by_id(session, [track_id]).get(track_id)
    if track is not None:
        return _listen(Place(path), model, AskedTrack(track.id, track.title, track.artist, track.duration_s))
    facts = model.encoder.apart(partial(read_facts, path, name=name))
    asked = AskedTrack(id=None, title=facts.title, artist=facts.artist, duration_s=None)
    return _listen(Place(path), model, asked)


def _query_by_path(database: Database, path: Path, model: ServedModel) -> Query:
    try:
        return _query_by_track(database, lambda session: track_of_file(session, path), model)
    except NoSuchTrack:
        if _is_file(path):
            return _query_by_file(database, path, model)
    return _query_by_stretch(database, path, model)


def _query_by_stretch(database: Database, path: Path, model: ServedModel) -> Query:
    """A track of an album in one file, ``album.flac#3``, that the catalogue has not got under this path."""
    file, track = model.encoder.apart(partial(read_track, path))
    with database.read_session() as session:
        track_id = track_of_content(session, stretch_sha256(content_sha256(file), track.stretch))
        known = None if track_id is None else tracks_by_id(session, [track_id]).get(track_id)
    asked = AskedTrack(
        id=None if known is None else known.id,
        title=track.facts.title if known is None else known.title,
        artist=track.facts.artist if known is None else known.artist,
        duration_s=None,
    )
    return _listen(Place(file, track.stretch), model, asked)


def _query_by_track(database: Database, find: Callable[[Any], TrackInfo], model: ServedModel) -> Query:
    """Return the stored embedding; when this encoder has not heard the track yet, listen to its file."""
    started = perf_counter()
    fingerprint = model.bundle.config.fingerprint
    with database.read_session() as session:
        track = find(session)
        asked = AskedTrack(
            id=track.id,
            title=track.title,
            artist=track.artist,
            duration_s=track.duration_s,
            heard_in_part=track.heard_in_part,
        )
        try:
            patches = load_patches(session, track.id, fingerprint)
        except NoSuchEmbedding:
            place = track_places(session, [track.id]).get(track.id)
        else:
            _, vectors = load_embeddings(session, fingerprint, [track.id])
            return _stored_query(asked, vectors[0], patches, look_up_ms=1000 * (perf_counter() - started))
    if place is None or not _is_file(place.path):
        raise TrackWithoutAudio(
            f"track {track.id} has not been heard by the encoder of model {model.bundle.bundle_id},"
            " and has no file that can be read"
        )
    return _listen(place, model, asked)


def _stored_query(
    asked: AskedTrack, vector: NDArray[np.float32], stored: StoredPatches, *, look_up_ms: float
) -> Query:
    return Query(
        track=asked,
        vector=vector,
        patches=stored.patches,
        start_s=stored.start_s,
        patch_s=stored.patch_s,
        timing_ms={"look_up": look_up_ms},
    )


def _listen(place: Place, model: ServedModel, asked: AskedTrack) -> Query:
    heard = model.encoder.listen(place.path, place.stretch)
    return Query(
        track=replace(asked, duration_s=heard.whole_s, heard_in_part=heard.heard_in_part),
        vector=heard.vector,
        patches=heard.patches,
        start_s=heard.start_s,
        patch_s=heard.patch_s,
        timing_ms=dict(heard.timing_ms),
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder that may not be entered
        return False
