"""The user's word over an answer, and what is being learnt while it is given.

What a person said of a track stands before what a model thinks of it: never overruled, never proposed again
where it was ruled out. What the model thinks stays in the answer, beside it.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from recommender.answering.answer import (
    Learning,
    PlaylistRef,
    RankedPlaylist,
    Recommendation,
    Said,
    verdict_of,
)
from recommender.catalogue.verdicts import MembershipVerdict, list_feedback
from recommender.jobs.active import first_active_job
from recommender.records.jobs import JobKind

RIGHT, WRONG = MembershipVerdict.RIGHT.value, MembershipVerdict.WRONG.value
# What ends with another model in service, soon. A training takes long, and changes little of a given song.
LEARNING_JOBS = (JobKind.REFIT, JobKind.ADD_PLAYLIST, JobKind.IMPORT_PLAYLIST, JobKind.SYNC)


def obey(answer: Recommendation, session: Session) -> Recommendation:
    """Return the answer with what the user said of its track, and what is being learnt."""
    answer = replace(answer, learning=being_learnt(session))
    if answer.track.id is None:
        return answer
    words = [row for row in list_feedback(session, answer.track.id) if row.group == answer.group]
    if not words:
        return answer
    said = {row.playlist_id: row.verdict for row in words}
    fitting = fitting_after({row.id for row in answer.playlists if row.model_fits}, said)
    return replace(
        answer,
        said=tuple(Said(PlaylistRef(row.playlist_id, row.playlist), row.verdict) for row in words),
        playlists=_with_words(answer.playlists, said, fitting),
        verdict=verdict_of(len(fitting)),
    )


def fitting_after(fitting: Collection[int], said: Mapping[int, str]) -> set[int]:
    """Return the playlists that a track fits after the user's word on it.

    Where something was said to be right, it is that and nothing else; else what the model finds fitting,
    without what was said to be wrong.

    Parameters
    ----------
    fitting : ids of the playlists that the model finds fitting
    said : playlist id -> ``right`` or ``wrong``
    """
    right = {playlist_id for playlist_id, verdict in said.items() if verdict == RIGHT}
    return right or {playlist_id for playlist_id in fitting if said.get(playlist_id) != WRONG}


def being_learnt(session: Session) -> Learning | None:
    """Return the job after which answers may be others; None when nothing is under way."""
    job = first_active_job(session, LEARNING_JOBS)
    if job is None:
        return None
    name = job.payload.get("name")
    added = f"the playlist {name!r} is added" if name else "playlists are added"
    return Learning(job.id, str(job.payload.get("reason") or added))


def _with_words(
    playlists: tuple[RankedPlaylist, ...], said: Mapping[int, str], fitting: Collection[int]
) -> tuple[RankedPlaylist, ...]:
    """What was said to be right comes first and what was said to be wrong last; else the order stays."""
    place = {RIGHT: 0, None: 1, WRONG: 2}
    ordered = sorted(playlists, key=lambda row: place[said.get(row.id)])
    return tuple(
        replace(row, rank=rank, fits=row.id in fitting, said=said.get(row.id))
        for rank, row in enumerate(ordered, start=1)
    )
