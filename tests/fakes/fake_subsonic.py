"""A Subsonic server as Navidrome answers: failures with status 200, tokens checked, playlists written."""

import hashlib
import json
from typing import Any

from tests.fakes.servers import Asked, FakeServer, Reply

USER, PASSWORD = "ada", "open sesame"


def child(track_id: str, title: str, artist: str, **more: Any) -> dict[str, Any]:
    own = {"id": track_id, "parent": "al-1", "isDir": False, "title": title, "artist": artist}
    return own | {"album": "Album", "duration": 200, "suffix": "flac", "type": "music"} | more


class FakeSubsonic(FakeServer):
    def __init__(self) -> None:
        super().__init__()
        self.tracks: dict[str, dict[str, Any]] = {}
        self.playlists: dict[str, tuple[str, list[str]]] = {}
        self.starred: list[str] = []
        self.albums: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.single_as_object = False
        self.says_what_it_made = True

    def answer(self, asked: Asked) -> Reply:
        method = asked.path.removeprefix("/rest/").removesuffix(".view")
        if failure := self._check_token(asked):
            return failure
        answer = getattr(self, f"_{method}", None)
        return answer(asked) if answer else self.fail(0, f"no method {method}")

    def fail(self, code: int, message: str) -> Reply:
        return self._envelope("failed", {"error": {"code": code, "message": message}})

    def ok(self, **more: Any) -> Reply:
        return self._envelope("ok", more)

    def _envelope(self, status: str, more: dict[str, Any]) -> Reply:
        own = {"status": status, "version": "1.16.1", "type": "navidrome", "openSubsonic": True}
        return Reply(json.dumps({"subsonic-response": own | more}).encode())

    def _check_token(self, asked: Asked) -> Reply | None:
        if "p" in asked.params:
            return self.fail(0, "the password was sent in the clear")
        expected = hashlib.md5(f"{PASSWORD}{asked.one('s')}".encode()).hexdigest()
        salted = len(asked.one("s")) >= 6
        if salted and (asked.one("u"), asked.one("t")) == (USER, expected) and asked.one("f") == "json":
            return None
        return self.fail(40, "Wrong username or password")

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
        return Reply(body, content_type="audio/flac") if body else self.fail(50, "User is not authorized")

    def _createPlaylist(self, asked: Asked) -> Reply:  # noqa: N802
        key = asked.one("playlistId") or f"pl-{len(self.playlists) + 1}"
        name = self.playlists[key][0] if key in self.playlists else asked.one("name")
        self.playlists[key] = (name, list(asked.params.get("songId", [])))
        return self.ok(playlist={"id": key, "name": name}) if self.says_what_it_made else self.ok()

    def _updatePlaylist(self, asked: Asked) -> Reply:  # noqa: N802
        self.playlists[asked.one("playlistId")][1].extend(asked.params.get("songIdToAdd", []))
        return self.ok()
