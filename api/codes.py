"""Every kind of error with its stable code, HTTP status and what to do; the command line shows them too."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One kind of error.  ``code`` and ``status`` are a promise; the sentences may be reworded."""

    code: str
    status: int
    title: str
    action: str


_ADD_A_PLAYLIST = "Add a playlist first: `whichlist add-playlist NAME FOLDER`, or POST /playlists."
_OTHER_FILE = "Try another file; `whichlist doctor` lists the formats that can be read here."

PROBLEMS: tuple[Problem, ...] = (
    Problem("bad_request", 400, "The request cannot be understood", "Compare it with /docs."),
    Problem("unauthorised", 401, "A token is needed", "Send the header `Authorization: Bearer <token>`."),
    Problem("forbidden", 403, "The request was refused", "Send it from a program or a page of this server."),
    Problem(
        "outside_library",
        403,
        "The path is not under a library root",
        "Name a file under a library root, or upload it to POST /recommend.",
    ),
    Problem("not_found", 404, "There is nothing at this address", "See /docs for every route."),
    Problem(
        "track_not_found",
        404,
        "No such track",
        "Search with GET /tracks?query=, scan its folder, or upload the file to POST /recommend.",
    ),
    Problem("playlist_not_found", 404, "No such playlist", "GET /playlists lists them."),
    Problem("group_not_found", 404, "No such playlist group", "GET /playlists shows each one's group."),
    Problem("row_not_found", 404, "No such imported row", "GET /playlists/{id}/matches lists them."),
    Problem("feed_not_found", 404, "No such feed", "GET /feeds lists them."),
    Problem("job_not_found", 404, "No such job", "GET /jobs lists them."),
    Problem("model_not_found", 404, "No such model", "GET /models lists them."),
    Problem(
        "forbidden_address",
        403,
        "The address may not be visited",
        "Name an address of the public internet, or set WHICHLIST_ALLOW_PRIVATE_ADDRESSES=on.",
    ),
    Problem("method_not_allowed", 405, "This address does not take that method", "See /docs."),
    Problem(
        "no_local_audio",
        404,
        "None of your files is this track",
        "Put the track into a folder that is scanned; only what lies there can be listened to.",
    ),
    Problem(
        "spotify_login_failed",
        400,
        "The log-in at Spotify did not come to its end",
        "Begin again: `whichlist spotify login`, or /spotify/login.",
    ),
    Problem(
        "spotify_not_set_up",
        409,
        "There is no Spotify app to log in with",
        "Set WHICHLIST_SPOTIFY_CLIENT_ID; docs/spotify.md says how to get one.",
    ),
    Problem(
        "spotify_login_needed",
        409,
        "Nobody is logged in to Spotify",
        "Log in: `whichlist spotify login`, or /spotify/login in the browser.",
    ),
    Problem(
        "no_fpcalc",
        409,
        "A program is missing",
        "Install Chromaprint's fpcalc: `apt install libchromaprint-tools`, `brew install chromaprint`, or"
        " from https://acoustid.org/chromaprint.",
    ),
    Problem(
        "missing_library",
        409,
        "A library is missing",
        "Install everything: `make setup`; `make setup SERVE=1` leaves out what trains and draws.",
    ),
    Problem("worker_died", 500, "What did the work died", "Its log says more; less memory in use may help."),
    Problem("no_model", 409, "There is no model yet", _ADD_A_PLAYLIST),
    Problem(
        "group_not_fitted",
        409,
        "The group has nothing to compare with yet",
        "Add a playlist to this group, or wait for its job: GET /jobs.",
    ),
    Problem(
        "group_too_small",
        409,
        "The group has a single track",
        "Put tracks into its playlists, or say what else you like or dislike: PUT /tracks/{id}/feedback.",
    ),
    Problem("playlist_exists", 409, "There is a playlist of this name", "Choose another name, or delete it."),
    Problem(
        "track_without_audio",
        409,
        "The track has never been heard and its file cannot be read",
        "Scan the folder that holds it, or upload the file to POST /recommend.",
    ),
    Problem(
        "audio_missing",
        409,
        "The track's audio file is not there",
        "Put the file back, or scan its folder again: `whichlist scan FOLDER`.",
    ),
    Problem(
        "track_not_heard",
        409,
        "The model in service has not heard the track",
        "Scan the folder that holds it; GET /jobs shows whether a scan is under way.",
    ),
    Problem(
        "library_too_small",
        409,
        "The library has too few tracks for that",
        "Ask for a shorter walk, or scan more music.",
    ),
    Problem(
        "not_empty", 409, "There is something already", "Restore into an empty data folder and database."
    ),
    Problem("bad_backup", 422, "The file is no whole backup", "Take another backup; nothing was restored."),
    Problem("job_finished", 409, "The job has ended already", "GET /jobs/{id} shows how it ended."),
    Problem("job_not_failed", 409, "The job did not fail", "GET /jobs/{id} shows how far it is."),
    Problem(
        "corrupt_bundle",
        409,
        "The model is damaged and cannot serve",
        "Promote another one (GET /models), or make one: `whichlist train`.",
    ),
    Problem("upload_too_large", 413, "The upload is too large", "Send a smaller file, or only a part of it."),
    Problem(
        "unsupported_media_type",
        415,
        "The body is not of a type that this route takes",
        "Send JSON, or for POST /recommend multipart/form-data with a part called `file`.",
    ),
    Problem("no_such_range", 416, "That part is not in the file", "Ask for less, or for all of it."),
    Problem("invalid_request", 422, "A parameter or field has a bad value", "`errors` names each one."),
    Problem("no_walk", 422, "No walk can be made", "Name two tracks of the library, and a length from 2 on."),
    Problem("same_track", 422, "Both ends are one track", "Name two different tracks."),
    Problem(
        "urls_not_enabled",
        422,
        "Urls are not enabled",
        "Download the audio and upload it to POST /recommend, or set WHICHLIST_ALLOW_URLS=on.",
    ),
    Problem("unreadable_folder", 422, "The folder cannot be read", "Name a folder that the server can read."),
    Problem("no_audio", 422, "The folder holds no audio", "Name a folder with audio files in it."),
    Problem("undecodable_audio", 422, "The file cannot be read as audio", _OTHER_FILE),
    Problem("missing_decoder", 422, "A decoder is missing", "Install what `detail` names."),
    Problem("no_chromaprint", 422, "The file has no Chromaprint", _OTHER_FILE),
    Problem("chromaprint_timeout", 422, "The file keeps fpcalc busy for too long", _OTHER_FILE),
    Problem("chromaprint_refused", 422, "AcoustID does not take the file's Chromaprint", _OTHER_FILE),
    Problem("silent_audio", 422, "The track is silent", _OTHER_FILE),
    Problem("too_short", 422, "The track is too short", _OTHER_FILE),
    Problem("too_long", 422, "The track is too long", "Send a part of it."),
    Problem("embedding_error", 422, "The track cannot be listened to", _OTHER_FILE),
    Problem(
        "unknown_feed",
        422,
        "This names no feed",
        "Name a folder, a file or a URL that `whichlist score-feed --help` lists.",
    ),
    Problem(
        "which_playlist",
        422,
        "The file holds several playlists",
        "Name one: `--playlist NAME` on the command line, the field `playlist` over HTTP.",
    ),
    Problem("empty_playlist", 422, "The playlist is empty", "Export it again, or choose another."),
    Problem("unknown_format", 422, "No such playlist format", "`detail` names those that are written."),
    Problem("one_playlist_needed", 422, "The format holds one list", "Add `playlist=` with its id or name."),
    Problem("unreadable_source", 422, "The source cannot be read", "`detail` says what it sent instead."),
    Problem("source_error", 502, "The source cannot be read", "`detail` says why."),
    Problem("source_unavailable", 502, "Another server does not answer as it should", "Try again later."),
    Problem(
        "spotify_refused",
        502,
        "Spotify refuses",
        "`detail` says why; docs/spotify.md says what Spotify lets an app do.",
    ),
    Problem("rate_limited", 502, "Another server is busy", "Try again after the time that it names."),
    Problem("model_loading", 503, "The model is being loaded", "Ask again in a moment."),
    Problem("not_ready", 503, "The server cannot answer yet", "`checks` says what is missing."),
    Problem(
        "disk_full", 507, "The disk is full", "Make room on the disk of the data folder, then try again."
    ),
    Problem("internal_error", 500, "The server made a mistake", "Its log says more; please report it."),
    Problem(
        "database_unreachable",
        503,
        "The database does not answer",
        "Check WHICHLIST_DATABASE_URL, then try again.",
    ),
    Problem("schema_outdated", 503, "The database is not that of this version", "Run `whichlist migrate`."),
)
_BY_CODE = {problem.code: problem for problem in PROBLEMS}


def find_problem(code: str) -> Problem | None:
    """Return the documented kind of error with this code."""
    return _BY_CODE.get(code)


def get_problem(code: str) -> Problem:
    """Return the kind of error with a code that this program itself names."""
    return _BY_CODE[code]
