"""Catalogue queries about tracks, their artists and their identities."""

import re
import time
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS, insert_or_keep
from recommender.catalogue.tables.library import Artist, AudioFile, Identity, Track
from recommender.errors import NoSuchTrack
from recommender.records.ids import MAX_ID
from recommender.records.tracks import UNKNOWN_ARTIST, TrackFacts, TrackInfo

SPOTIFY = "spotify"
_SPOTIFY_URL = re.compile(r"https?://open\.spotify\.com/(?:intl-[a-z]+/)?track/([A-Za-z0-9]+)")


def upsert_track(session: Session, facts: TrackFacts, *, allow_spotify: bool = False) -> int:
    """Id of the track with these facts: the one with the same content, brought up to date, or a new one.

    A row that came from Spotify is not trainable unless ``allow_spotify``, which the operator's
    setting decides.
    """
    track_id = _same_track(session, facts)
    if track_id is None:
        track_id = _insert_track(session, facts, allow_spotify=allow_spotify)
    else:
        update_track(session, track_id, facts)
    _add_identities(session, track_id, facts.identities)
    return track_id


def update_track(session: Session, track_id: int, facts: TrackFacts) -> None:
    """Give a track the title, artist, album and identities of these facts, as after retagging."""
    values = {
        "title": facts.title,
        "artist_id": _artist_id(session, facts.artists[0] if facts.artists else facts.artist),
        "artists": "\n".join(facts.artists) if len(facts.artists) > 1 else None,
        "album": facts.album,
    }
    if facts.duration_s is not None:
        values["duration_s"] = facts.duration_s
    session.execute(update(Track).where(Track.id == track_id).values(values))
    schemes = {scheme for scheme, _ in facts.identities}
    session.execute(delete(Identity).where(Identity.track_id == track_id, Identity.scheme.in_(schemes)))
    _add_identities(session, track_id, facts.identities)


def mark_heard(session: Session, track_id: int, *, duration_s: float, heard_in_part: str | None) -> None:
    """Keep how long a track is, as listening to it found out, and whether only a part could be heard."""
    values = {"duration_s": duration_s, "heard_in_part": heard_in_part}
    session.execute(update(Track).where(Track.id == track_id).values(values))


def tracks_in_part(session: Session, folder_tracks: Sequence[int] | None = None) -> dict[int, str]:
    """Track id -> how much was heard, for tracks heard in part; of all, or of those named."""
    rows = session.execute(select(Track.id, Track.heard_in_part).where(Track.heard_in_part.is_not(None)))
    wanted = None if folder_tracks is None else set(folder_tracks)
    return {row.id: row.heard_in_part or "" for row in rows if wanted is None or row.id in wanted}


def find_track(session: Session, reference: str | int) -> TrackInfo:
    """The track that a reference names.

    Parameters
    ----------
    reference : str or int
        A track id, ``isrc:...``, ``mbid:...``, ``spotify:track:...`` or its URL. A path is for
        :func:`recommender.catalogue.files.track_of_file`, after it was confined to the library roots.

    Raises
    ------
    NoSuchTrack
        Nothing answers to it. Of several tracks with one ISRC the oldest in the catalogue answers.
    """
    scheme, value = parse_reference(reference)
    query = _infos()
    if scheme == "id":
        query = query.where(Track.id == int(value))
    else:
        named = select(Identity.track_id).where(Identity.scheme == scheme, Identity.value == value)
        query = query.where(Track.id.in_(named))
    row = session.execute(query.order_by(Track.id).limit(1)).first()
    if row is None:
        raise NoSuchTrack(f"no track in the catalogue answers to {str(reference)!r}")
    return _info(row)


def parse_reference(reference: str | int) -> tuple[str, str]:
    """(scheme, value) of a reference that is not a path: id, isrc, mbid or spotify."""
    text = str(reference).strip()
    if text.isascii() and text.isdigit() and int(text) <= MAX_ID:
        return "id", text
    if spotify := _SPOTIFY_URL.match(text):
        return SPOTIFY, spotify[1]
    scheme, _, value = text.partition(":")
    if scheme == SPOTIFY and value.startswith("track:"):
        return SPOTIFY, value.removeprefix("track:")
    if scheme in ("isrc", "mbid") and value:
        return scheme, normalise_identity(scheme, value)
    raise NoSuchTrack(
        f"{text!r} is no track reference: give a track id, isrc:..., mbid:..., spotify:track:... or a path"
    )


def normalise_identity(scheme: str, value: str) -> str:
    """The one spelling under which an identity is kept."""
    if scheme == "isrc":
        return re.sub(r"[\s-]", "", value).upper()
    return value.strip().lower() if scheme == "mbid" else value.strip()


def tracks_by_id(session: Session, track_ids: Sequence[int]) -> dict[int, TrackInfo]:
    """Track id -> track; ids the catalogue does not hold are left out."""
    found: dict[int, TrackInfo] = {}
    for start in range(0, len(track_ids), CHUNK_ROWS):
        wanted = [int(track_id) for track_id in track_ids[start : start + CHUNK_ROWS]]
        for row in session.execute(_infos().where(Track.id.in_(wanted))):
            found[row[0]] = _info(row)
    return found


def list_tracks(
    session: Session,
    *,
    after_id: int = 0,
    limit: int = 50,
    query: str | None = None,
    heard_in_part: bool = False,
) -> list[TrackInfo]:
    """Tracks in the order of their ids, those after one id; ``query`` is looked for in title and artist.

    With ``heard_in_part`` only those that could not be decoded wholly.
    """
    statement = _infos().where(Track.id > after_id)
    if heard_in_part:
        statement = statement.where(Track.heard_in_part.is_not(None))
    if query:
        columns = (Track.title, Artist.name, Track.artists)
        matches = [column.icontains(query, autoescape=True) for column in columns]
        statement = statement.where(or_(*matches))
    return [_info(row) for row in session.execute(statement.order_by(Track.id).limit(limit))]


def delete_track(session: Session, track_id: int) -> None:
    """Forget a track with its files, memberships and embeddings; a later scan may find its file again."""
    gone = session.execute(delete(Track).where(Track.id == track_id).returning(Track.artist_id)).first()
    if gone is None:
        raise NoSuchTrack(f"no track in the catalogue has the id {track_id}")
    still_used = select(Track.id).where(Track.artist_id == gone[0]).exists()
    session.execute(delete(Artist).where(Artist.id == gone[0], ~still_used))


def _infos() -> Select[Any]:
    """One row per track, in the order of TrackInfo's fields."""
    path = (
        select(AudioFile.path_text)
        .where(AudioFile.track_id == Track.id)
        .order_by(AudioFile.path)
        .limit(1)
        .correlate(Track)
        .scalar_subquery()
    )
    return select(
        Track.id,
        Track.title,
        Artist.id,
        credit(),
        Track.album,
        Track.duration_s,
        Track.source,
        Track.licence,
        Track.trainable,
        path,
        Track.heard_in_part,
        Track.artists,
    ).join(Artist, Artist.id == Track.artist_id)


def credit() -> ColumnElement[str]:
    """The artists of a track as they are shown: all of several, else the one that it is filed under."""
    return func.coalesce(func.replace(Track.artists, "\n", ", "), Artist.name)


def _info(row: Row[Any]) -> TrackInfo:
    values = tuple(row)
    artists = tuple(values[-1].splitlines()) if values[-1] else (values[3],)
    return TrackInfo(*(*values[:-1], artists))


def _same_track(session: Session, facts: TrackFacts) -> int | None:
    """The track with the same audio; for rows without audio, the one with the same Spotify id."""
    if facts.content_sha256:
        return session.scalar(select(Track.id).where(Track.content_sha256 == facts.content_sha256))
    spotify_ids = [value for scheme, value in facts.identities if scheme == SPOTIFY]
    named = select(Identity.track_id).where(Identity.scheme == SPOTIFY, Identity.value.in_(spotify_ids))
    return session.scalar(select(func.min(Track.id)).where(Track.id.in_(named)))


def _insert_track(session: Session, facts: TrackFacts, *, allow_spotify: bool) -> int:
    values = {
        "title": facts.title,
        "artist_id": _artist_id(session, facts.artists[0] if facts.artists else facts.artist),
        "artists": "\n".join(facts.artists) if len(facts.artists) > 1 else None,
        "album": facts.album,
        "duration_s": facts.duration_s,
        "content_sha256": facts.content_sha256,
        "source": facts.source,
        "licence": facts.licence,
        "trainable": facts.source != SPOTIFY or allow_spotify,
        "created_at": time.time(),
    }
    if facts.content_sha256 is None:
        return session.execute(insert(Track).values(values).returning(Track.id)).scalar_one()
    # Another worker may hear the same audio at the same moment, under another name.
    insert_or_keep(session, Track, [values])
    same = select(Track.id).where(Track.content_sha256 == facts.content_sha256)
    return session.execute(same).scalar_one()


def _add_identities(session: Session, track_id: int, identities: Sequence[tuple[str, str]]) -> None:
    rows = [
        {"track_id": track_id, "scheme": scheme, "value": normalise_identity(scheme, value)}
        for scheme, value in identities
    ]
    insert_or_keep(session, Identity, rows)


def _artist_id(session: Session, name: str) -> int:
    """The artist of this name, whatever its case, width or spacing; made when new."""
    name = " ".join(name.split()) or UNKNOWN_ARTIST
    key = unicodedata.normalize("NFKC", name).casefold()
    insert_or_keep(session, Artist, [{"name": name, "key": key}])
    return session.execute(select(Artist.id).where(Artist.key == key)).scalar_one()
