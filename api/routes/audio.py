"""``/tracks/{id}/audio``, ``/waveform`` and ``/cover``: hear and see a track, and nothing else."""

import mimetypes
from typing import Any

from apiflask import APIBlueprint
from flask import Response, make_response, send_file
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.answers import WaveformQuery, WaveformSchema
from api.services import services
from recommender.audio_files.covers import track_cover
from recommender.audio_files.playback import cut_out, draw_waveform, track_place
from recommender.records.tracks import Place

blueprint = APIBlueprint("audio", __name__, tag="tracks")

# What browsers call these; Python's own table leaves some out or knows them by older names.
_TYPES = {".flac": "audio/flac", ".opus": "audio/ogg", ".oga": "audio/ogg", ".ogg": "audio/ogg"}
_TYPES |= {".m4a": "audio/mp4", ".m4b": "audio/mp4", ".wav": "audio/wav", ".aac": "audio/aac"}
_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S
_AUDIO: dict[str, str | dict[str, dict[str, Any]]] = {
    "content": {"audio/*": {}, "application/octet-stream": {}}
}
_SENT: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: _AUDIO | {"description": "The file as it is; of an album in one file the track alone, as WAV"},
    206: _AUDIO | {"description": "The part that the header Range asked for"},
    **{status: {"description": text} for status, text in describe_problems(404, 409, 416).items()},
}
_PICTURE: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"content": {"image/jpeg": {}, "image/svg+xml": {}}, "description": "The picture"},
    **{status: {"description": text} for status, text in describe_problems(404, 409, 422).items()},
}


@blueprint.get("/tracks/<int:track_id>/audio")
@blueprint.doc(responses=_SENT)
def get_audio(track_id: int) -> Response:
    """Send the track's audio file; parts of it where the header ``Range`` asks.

    A track of an album that lies in one file is cut out of it, and sent as WAV.
    """
    place = track_place(services().database, track_id)
    if not place.stretch.is_whole:
        return _send_stretch(place)
    path = place.path
    known = mimetypes.guess_type(path.name)[0] or ""
    kind = _TYPES.get(path.suffix.lower()) or (known if known.startswith("audio/") else "")
    return make_response(
        send_file(path, mimetype=kind or "application/octet-stream", conditional=True, max_age=_HOUR_S)
    )


@blueprint.get("/tracks/<int:track_id>/cover")
@blueprint.doc(responses=_PICTURE)
def get_cover(track_id: int) -> Response:
    """Send the track's picture, small: that of its tags or its folder, else one of its own sound."""
    ours = services()
    cover = track_cover(
        track_place(ours.database, track_id).path, ours.settings.cache_directory / "covers", apart=ours.apart
    )
    response = Response(cover.content, content_type=cover.kind)
    response.cache_control.private = True
    response.cache_control.max_age = _DAY_S
    return response


def _send_stretch(place: Place) -> Response:
    """A part of a file; what browsers ask for again and again has a tag that is the same each time."""
    known = place.path.stat()
    tag = f"{known.st_mtime_ns}-{known.st_size}-{place.stretch.start_s}-{place.stretch.end_s}"
    with cut_out(place, apart=services().apart) as wav:
        # Opened here and sent later: what is open can be read when its name is gone.
        return make_response(
            send_file(
                wav,
                mimetype="audio/wav",
                conditional=True,
                max_age=_HOUR_S,
                etag=tag,
                last_modified=known.st_mtime,
            )
        )


@blueprint.get("/tracks/<int:track_id>/waveform")
@blueprint.input(WaveformQuery, location="query", unknown=RAISE)
@blueprint.output(WaveformSchema)
@blueprint.doc(responses=describe_problems(404, 409, 422))
def get_waveform(track_id: int, query_data: dict[str, Any]) -> Any:
    """Show how loud the track is from moment to moment; its file is decoded from end to end."""
    ours = services()
    return draw_waveform(track_place(ours.database, track_id), query_data["points"], apart=ours.apart)
