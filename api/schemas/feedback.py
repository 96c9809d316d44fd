"""What a user says of a track over HTTP, and what comes of it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from apiflask.fields import Integer, List, Nested
from apiflask.validators import OneOf, Range
from marshmallow import ValidationError, validates_schema

from api.schemas.base import (
    Moment,
    NamedTrackSchema,
    PlaylistRefSchema,
    Strict,
    name_field,
    text_field,
)
from api.schemas.jobs import JobSchema
from recommender.catalogue.verdicts import MembershipVerdict
from recommender.records.ids import MAX_ID
from recommender.records.playlists import FeedbackVerdict


def _said(verdicts: tuple[str, ...], *named: str, without: tuple[str, ...]) -> dict[str, Any]:
    return {
        "properties": {"verdict": {"enum": list(verdicts)}},
        "required": ["verdict", *named],
        "not": {"anyOf": [{"required": [name]} for name in without]},
    }


class FeedbackSchema(Strict):
    """Liked, disliked, or a playlist that is right or wrong for the track."""

    verdict = text_field(
        validate=OneOf([verdict.value for verdict in FeedbackVerdict]),
        metadata={
            "description": "`liked` and `disliked` are playlists of the group `taste`; `right` and `wrong`"
            " are said of the playlist that is named."
        },
    )
    playlist = name_field(metadata={"description": "Name of the playlist that is right or wrong."})
    group = name_field(metadata={"description": "Its group; the default group unless given."})
    playlist_id = Integer(
        validate=Range(1, MAX_ID), metadata={"description": "The playlist by its id instead of its name."}
    )

    shape: ClassVar[dict[str, Any]] = {
        "oneOf": [
            _said(("liked", "disliked"), without=("playlist", "playlist_id", "group")),
            _said(("right", "wrong"), "playlist", without=("playlist_id",)),
            _said(("right", "wrong"), "playlist_id", without=("playlist", "group")),
        ]
    }

    @validates_schema
    def _check_playlist(self, data: Mapping[str, Any], **_: Any) -> None:
        """A verdict about a playlist names one, and the others none."""
        verdict = data.get("verdict")
        if verdict not in list(FeedbackVerdict):
            return
        named = [name for name in ("playlist", "playlist_id", "group") if name in data]
        if FeedbackVerdict(verdict).is_taste:
            if named:
                raise ValidationError(f"{verdict!r} has its own playlist; name none.", named[0])
        elif ("playlist" in data) == ("playlist_id" in data):
            raise ValidationError(f"{verdict!r} needs either `playlist` or `playlist_id`.", "playlist")
        elif "playlist_id" in data and "group" in data:
            raise ValidationError("An id needs no group.", "group")


class WithdrawQuery(Strict):
    """What to take back."""

    playlist_id = Integer(
        validate=Range(1, MAX_ID),
        metadata={"description": "Only what was said of this playlist; everything unless given."},
    )


class FeedbackRowSchema(Strict):
    """What was said of the track and one playlist."""

    playlist = Nested(PlaylistRefSchema, required=True)
    group = text_field()
    verdict = text_field(validate=OneOf([verdict.value for verdict in MembershipVerdict]))
    created_at = Moment()


class FeedbackStateSchema(Strict):
    """What was said of a track, where it is now, and the job that learns it."""

    track = Nested(NamedTrackSchema, required=True)
    feedback = List(Nested(FeedbackRowSchema), required=True)
    playlists = List(Nested(PlaylistRefSchema), required=True)
    advice = text_field(
        metadata={"description": "What a group lacks to be answered well; empty when nothing."}
    )
    job = Nested(
        JobSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The fit after which answers know; null when nothing has to be learnt."},
    )
