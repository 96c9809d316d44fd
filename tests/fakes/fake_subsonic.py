"""A Subsonic server as Navidrome answers, or as supysonic does; both are held against a real supysonic.

Failures come with status 200. Navidrome checks tokens and says what it made; supysonic keeps passwords
hashed, so that it misses one where a token comes, and answers what changes something with nothing.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.servers import Asked, FakeServer, Reply

USER, PASSWORD, API_KEY = "ada", "open sesame", "key-of-ada"


@dataclass(frozen=True)
class Make:
    """What kinds of servers differ in: ``log_ins`` -> the code that refuses it, 0 where it is taken."""

    log_ins: dict[str, int]
    own: dict[str, Any]
    says_what_it_made: bool
    unknown_method: int  # an HTTP status


NAVIDROME = Make(
    {"api_key": 42, "token": 0, "password": 0},
    {"version": "1.16.1", "type": "navidrome", "serverVersion": "0.64.0", "openSubsonic": True},
    says_what_it_made=True,
    unknown_method=404,
)
SUPYSONIC = Make(
    {"api_key": 10, "token": 10, "password": 0},
    {"version": "1.10.2"},
    says_what_it_made=False,
    unknown_method=404,
)


def child(track_id: str, title: str, artist: str, **more: Any) -> dict[str, Any]:
    own = {"id": track_id, "parent": "al-1", "isDir": False, "title": title, "artist": artist}
    return own | {"album": "Album", "duration": 200, "suffix": "flac", "type": "music"} | more


class FakeSubsonic(FakeServer):
    def __init__(self, make: Make = NAVIDROME) -> None:
        super().__init__()
        self.make = make
        self.log_ins = dict(make.log_ins)
        self.tracks: dict[str, dict[str, Any]] = {}
        self.playlists: dict[str, tuple[str, list[str]]] = {}
        self.starred: list[str] = []
        self.albums: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.single_as_object = False
        self.says_what_it_made = make.says_what_it_made

    def answer(self, asked: Asked) -> Reply:
        method = asked.path.removeprefix("/rest/").removesuffix(".view")
        if failure := self._check_log_in(asked):
            return failure
        answer = getattr(self, f"_{method}", None)
        return answer(asked) if answer else Reply(b"", self.make.unknown_method, content_type="text/html")

    def fail(self, code: int, message: str) -> Reply:
        return self._envelope("failed", {"error": {"code": code, "message": message}})

    def ok(self, **more: Any) -> Reply:
        return self._envelope("ok", more)

    def _envelope(self, status: str, more: dict[str, Any]) -> Reply:
        own = {"status": status} | self.make.own
        return Reply(json.dumps({"subsonic-response": own | more}).encode())

    def _check_log_in(self, asked: Asked) -> Reply | None:
        """The refusal, or None; a way that is taken by mistake is one too."""
        way = "api_key" if "apiKey" in asked.params else "password" if "p" in asked.params else "token"
        if code := self.log_ins[way]:
            return self.fail(code, "A required parameter is missing." if code == 10 else "Not in this way.")
        if way == "api_key":
            is_right = asked.one("apiKey") == API_KEY and "u" not in asked.params
            return None if is_right else self.fail(44, "Invalid API key")
        if (asked.one("u"), self._shown_password(asked, way)) == (USER, PASSWORD) and asked.one(
            "f"
        ) == "json":
            return None
        return self.fail(40, "Wrong username or password.")

    def _shown_password(self, asked: Asked, way: str) -> str:
        if way == "password":
            sent = asked.one("p")
            return bytes.fromhex(sent.removeprefix("enc:")).decode() if sent.startswith("enc:") else sent
        expected = hashlib.md5(f"{PASSWORD}{asked.one('s')}".encode()).hexdigest()
        return PASSWORD if len(asked.one("s")) >= 6 and asked.one("t") == expected else ""

    def _ping(self, _: Asked) -> Reply:
        return self.ok()

    def _listed(self, entries: list[Any]) -> Any:
        return entries[0] if self.single_as_object and len(entries) == 1 else entries

    def _getPlaylists(self, _: Asked) -> Reply:  # noqa: N802
        listed = [
            {"id": key, "name": name, "songCount": len(ids)} for key, (name, ids) in self.playlists.items()
        ]
        return self.ok(playlists={"playlist": self._listed(listed)} if listed else {})

    def _getPlaylist(self, asked: Asked) -> Reply:  # noqa: N802
        found = self.playlists.get(asked.one("id"))
        if found is None:
            return self.fail(70, "Playlist not found")
        entries = [self.tracks[track_id] for track_id in found[1]]
        own = {"id": asked.one("id"), "name": found[0]}
        return self.ok(playlist=own | ({"entry": self._listed(entries)} if entries else {}))

    def _getStarred2(self, _: Asked) -> Reply:  # noqa: N802
        return self.ok(starred2={"song": [self.tracks[track_id] for track_id in self.starred]})

    def _star(self, asked: Asked) -> Reply:
        self.starred.append(asked.one("id"))
        return self.ok()

    def _unstar(self, asked: Asked) -> Reply:
        self.starred.remove(asked.one("id"))
        return self.ok()

    def _deletePlaylist(self, asked: Asked) -> Reply:  # noqa: N802
        del self.playlists[asked.one("id")]
        return self.ok()

    def _getAlbumList2(self, asked: Asked) -> Reply:  # noqa: N802
        albums = [{"id": key, "name": key} for key in list(self.albums)[: int(asked.one("size"))]]
        return self.ok(albumList2={"album": albums})

    def _getAlbum(self, asked: Asked) -> Reply:  # noqa: N802
        songs = [self.tracks[track_id] for track_id in self.albums[asked.one("id")]]
        return self.ok(album={"id": asked.one("id"), "song": self._listed(songs)})

    def _search3(self, asked: Asked) -> Reply:
        start = int(asked.one("songOffset"))
        page = list(self.tracks.values())[start : start + int(asked.one("songCount"))]
        return self.ok(searchResult3={"song": page} if page else {})

    def _download(self, asked: Asked) -> Reply:
        body = self.files.get(asked.one("id"))
        if asked.one("id") not in self.tracks:
            return self.fail(70, "Track not found")
        return Reply(body, content_type="audio/flac") if body else self.fail(50, "User is not authorized")

    def _createPlaylist(self, asked: Asked) -> Reply:  # noqa: N802
        key = asked.one("playlistId") or f"pl-{len(self.playlists) + 1}"
        name = self.playlists[key][0] if key in self.playlists else asked.one("name")
        self.playlists[key] = (name, list(asked.params.get("songId", [])))
        return self.ok(playlist={"id": key, "name": name}) if self.says_what_it_made else self.ok()

    def _updatePlaylist(self, asked: Asked) -> Reply:  # noqa: N802
        self.playlists[asked.one("playlistId")][1].extend(asked.params.get("songIdToAdd", []))
        return self.ok()
