"""Spotify as an app made in 2026 meets it: log-in with PKCE, its own and shared playlists only, small pages.

Rules and shapes follow the service's documentation; nothing here was recorded from it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from recommender.sources.spotify.session import SpotifyPlace
from tests.fakes.servers import Asked, FakeServer, Reply, moved

CLIENT_ID = "0123456789abcdef0123456789abcdef"
ME = "ada"
LIMITS = {"search": 10}
NEEDED_SCOPES = {
    ("GET", "me/tracks"): "user-library-read",
    ("GET", "me/playlists"): "playlist-read-private",
    ("GET", "items"): "playlist-read-private",
    ("POST", "me/playlists"): "playlist-modify-private",
    ("POST", "items"): "playlist-modify-private",
}


def spotify_id(number: int, kind: str = "t") -> str:
    return f"{kind}{number:021d}"


def track(number: int, title: str = "", artist: str = "", **more: Any) -> dict[str, Any]:
    track_id = spotify_id(number)
    own = {
        "type": "track",
        "id": track_id,
        "uri": f"spotify:track:{track_id}",
        "name": title or f"Piece {number}",
        "duration_ms": 200_000,
        "explicit": False,
        "is_playable": True,
        "is_local": False,
        "disc_number": 1,
        "track_number": 1,
        "external_ids": {"isrc": f"USUM7{number:07d}"},
        "artists": [
            {"id": spotify_id(number, "a"), "name": artist or f"Band {number % 7}", "type": "artist"}
        ],
        "album": {"name": "Album", "album_type": "album", "release_date": "2017-05-26", "type": "album"},
    }
    return own | more


def local_file(title: str, artist: str, *, duration_ms: int = 123_000) -> dict[str, Any]:
    return {
        "type": "track",
        "id": None,
        "uri": f"spotify:local:{artist}:Album:{title}:{duration_ms // 1000}",
        "name": title,
        "duration_ms": duration_ms,
        "is_local": True,
        "artists": [{"name": artist}] if artist else [],
        "album": {"name": "Album"},
    }


def episode(title: str) -> dict[str, Any]:
    return {"type": "episode", "id": spotify_id(1, "e"), "uri": "spotify:episode:1", "name": title}


@dataclass
class FakePlaylist:
    name: str
    items: list[dict[str, Any] | None] = field(default_factory=list)
    owner: str = ME
    collaborative: bool = False
    public: bool = True
    description: str = ""


@dataclass
class Grant:
    """What a log-in was given."""

    scope: str
    is_dead: bool = False


class FakeSpotify(FakeServer):
    def __init__(self) -> None:
        super().__init__()
        self.redirect_uris = ["http://127.0.0.1/callback"]
        self.playlists: dict[str, FakePlaylist] = {}
        self.liked: list[dict[str, Any]] = []
        self.tracks: dict[str, dict[str, Any]] = {}
        self.user_says = "yes"
        self.rotates_refresh_tokens = False
        self.access_lasts_s = 3600
        self.is_legacy = False
        self.items_address_refused = False
        self.owner_has_premium = True
        self.calls_left: int | None = None
        self.next_origin: str | None = None
        self.granted: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self._codes: dict[str, dict[str, str]] = {}
        self._n_made = 0

    @property
    def place(self) -> SpotifyPlace:
        return SpotifyPlace(api=f"{self.url}/v1/", accounts=self.url)

    def end_access(self) -> None:
        """Every access token is over, as after an hour."""
        self.access.clear()

    def revoke(self) -> None:
        """The log-in is over, as after six months or when the user ends it."""
        self.end_access()
        for grant in self.granted.values():
            grant.is_dead = True

    @property
    def api_calls(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path.startswith("/v1/")]

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/authorize":
            return self._authorize(asked)
        if asked.path == "/api/token":
            return self._token(asked)
        return self._api(asked)

    # accounts.spotify.com

    def _authorize(self, asked: Asked) -> Reply:
        given = {name: values[0] for name, values in asked.params.items()}
        if given.get("client_id") != CLIENT_ID:
            return Reply(b"INVALID_CLIENT: Invalid client", 400, content_type="text/plain")
        if not self._is_registered(given.get("redirect_uri", "")):
            return Reply(b"INVALID_CLIENT: Insecure redirect URI", 400, content_type="text/plain")
        has_challenge = re.fullmatch(r"[A-Za-z0-9_-]{43,128}", given.get("code_challenge", ""))
        if given.get("response_type") != "code" or given.get("code_challenge_method") != "S256":
            has_challenge = None
        answer = {"state": given["state"]} if "state" in given else {}
        if not has_challenge:
            return self._send_back(given, answer | {"error": "invalid_request"})
        if self.user_says != "yes":
            return self._send_back(given, answer | {"error": "access_denied"})
        code = self._new("code")
        self._codes[code] = given
        return self._send_back(given, answer | {"code": code})

    def _is_registered(self, uri: str) -> bool:
        """One registered on this machine without a port may be used with any."""
        parts = urlsplit(uri)
        bare = f"http://127.0.0.1{parts.path}" if parts.hostname == "127.0.0.1" else uri
        return uri in self.redirect_uris or bare in self.redirect_uris

    def _send_back(self, given: dict[str, str], answer: dict[str, str]) -> Reply:
        return moved(f"{given['redirect_uri']}?{urlencode(answer)}")

    def _token(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if asked.method != "POST" or form.get("client_id") != CLIENT_ID:
            return self._oauth_error("invalid_client", "Invalid client")
        if form.get("grant_type") == "authorization_code":
            return self._trade_code(form)
        if form.get("grant_type") == "refresh_token":
            return self._trade_refresh(form.get("refresh_token", ""))
        return self._oauth_error("unsupported_grant_type", "grant_type must be known")

    def _trade_code(self, form: dict[str, str]) -> Reply:
        asked_for = self._codes.pop(form.get("code", ""), None)
        if asked_for is None:
            return self._oauth_error("invalid_grant", "Invalid authorization code")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked_for["code_challenge"]:
            return self._oauth_error("invalid_grant", "code_verifier was incorrect")
        if form.get("redirect_uri") != asked_for["redirect_uri"]:
            return self._oauth_error("invalid_grant", "Invalid redirect URI")
        grant = Grant(asked_for.get("scope", ""))
        refresh = self._new("refresh")
        self.granted[refresh] = grant
        return self._give_access(grant, refresh)

    def _trade_refresh(self, refresh: str) -> Reply:
        grant = self.granted.get(refresh)
        if grant is None or grant.is_dead:
            return self._oauth_error("invalid_grant", "Refresh token revoked")
        if not self.rotates_refresh_tokens:
            return self._give_access(grant, None)
        del self.granted[refresh]
        renewed = self._new("refresh")
        self.granted[renewed] = grant
        return self._give_access(grant, renewed)

    def _give_access(self, grant: Grant, refresh: str | None) -> Reply:
        access = self._new("access")
        self.access[access] = grant
        given = {"access_token": access, "token_type": "Bearer", "expires_in": self.access_lasts_s}
        given |= {"scope": grant.scope}
        return _json(given | ({"refresh_token": refresh} if refresh else {}))

    def _oauth_error(self, error: str, description: str) -> Reply:
        return _json({"error": error, "error_description": description}, 400)

    def _new(self, kind: str) -> str:
        self._n_made += 1
        return f"secret-{kind}-{self._n_made}"

    # api.spotify.com

    def _api(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix("/v1/").rstrip("/")
        if refusal := self._refuse_caller(asked, path) or self._refuse_limit(asked, path):
            return refusal
        for method, pattern, answer in self._routes():
            found = re.fullmatch(pattern, path)
            if found and method == asked.method:
                return answer(asked, *found.groups())
        return self.error(403, "Forbidden")  # what was removed answers so

    def _refuse_caller(self, asked: Asked, path: str) -> Reply | None:
        grant = self.access.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if grant is None:
            return self.error(401, "The access token expired")
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                return self.quota_exceeded("1808")
        if not self.owner_has_premium:
            return self.error(403, "Active premium subscription required for the owner of the app")
        needed = NEEDED_SCOPES.get((asked.method, "items" if path.endswith("/items") else path))
        is_granted = not needed or needed in grant.scope.split()
        return None if is_granted else self.error(403, "Insufficient client scope")

    def _refuse_limit(self, asked: Asked, path: str) -> Reply | None:
        limit = asked.one("limit")
        if limit and not 1 <= int(limit) <= LIMITS.get(path, 50):
            return self.error(400, "Invalid limit")
        return None

    def _routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        return [
            ("GET", "me", lambda _: _json({"id": ME, "display_name": "Ada", "account_id": "x"})),
            ("GET", "me/playlists", self._my_playlists),
            ("POST", "me/playlists", self._create),
            ("GET", "me/tracks", self._my_tracks),
            ("GET", r"playlists/(\w+)", self._playlist),
            ("GET", r"playlists/(\w+)/items", self._items),
            ("POST", r"playlists/(\w+)/items", self._add),
            ("GET", r"tracks/(\w+)", self._track),
            ("GET", "search", self._search),
        ]

    def error(self, status: int, message: str, **more: str) -> Reply:
        return _json({"error": {"status": status, "message": message} | more}, status)

    def quota_exceeded(self, retry_after: str) -> Reply:
        said = {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}
        return Reply(json.dumps({"error": said}).encode(), 429, {"Retry-After": retry_after})

    def _my_playlists(self, asked: Asked) -> Reply:
        counted = "tracks" if self.is_legacy else "items"
        listed: list[Any] = [
            {
                "id": key,
                "name": p.name,
                "owner": {"id": p.owner, "display_name": p.owner.title()},
                "collaborative": p.collaborative,
                "public": p.public,
                counted: {"total": len(p.items)},
            }
            for key, p in self.playlists.items()
        ]
        return self._page(asked, listed)

    def _my_tracks(self, asked: Asked) -> Reply:
        return self._page(asked, [{"added_at": "2026-01-05T10:00:00Z", "track": item} for item in self.liked])

    def _rows(self, playlist: FakePlaylist) -> list[Any]:
        name = "track" if self.is_legacy else "item"
        return [
            {"added_at": "2026-01-05T10:00:00Z", "is_local": bool(item and item.get("is_local")), name: item}
            for item in playlist.items
        ]

    def _may_read(self, playlist: FakePlaylist) -> bool:
        return playlist.owner == ME or playlist.collaborative

    def _playlist(self, asked: Asked, key: str) -> Reply:
        playlist = self.playlists.get(key)
        if playlist is None or playlist.owner == "spotify":
            return self.error(404, "Resource not found")
        told: dict[str, Any] = {"id": key, "name": playlist.name, "owner": {"id": playlist.owner}}
        if self._may_read(playlist) and "fields" not in asked.params:
            first = Asked(f"/v1/playlists/{key}/items", {"limit": ["50"]}, {})
            told["items"] = json.loads(self._page(first, self._rows(playlist)).body)
        return _json(told)

    def _items(self, asked: Asked, key: str) -> Reply:
        playlist = self.playlists.get(key)
        if playlist is None or playlist.owner == "spotify":
            return self.error(404, "Resource not found")
        is_first = asked.one("offset", "0") == "0"
        if not self._may_read(playlist) or (self.items_address_refused and is_first):
            return self.error(403, "Forbidden")
        return self._page(asked, self._rows(playlist))

    def _create(self, asked: Asked) -> Reply:
        said = json.loads(asked.body)
        key = spotify_id(len(self.playlists) + 1, "p")
        self.playlists[key] = FakePlaylist(
            said["name"], public=said["public"], description=said["description"]
        )
        return _json({"id": key, "name": said["name"]}, 201)

    def _add(self, asked: Asked, key: str) -> Reply:
        sent = json.loads(asked.body)
        uris = sent["uris"] if isinstance(sent, dict) else sent
        if not 1 <= len(uris) <= 100:
            return self.error(400, "You can add a maximum of 100 tracks per request.")
        ids = [uri.removeprefix("spotify:track:") for uri in uris]
        if any(track_id not in self.tracks for track_id in ids):
            return self.error(400, "Invalid track uri")
        self.playlists[key].items += [self.tracks[track_id] for track_id in ids]
        return _json({"snapshot_id": self._new("snapshot")}, 201)

    def _track(self, _: Asked, key: str) -> Reply:
        found = self.tracks.get(key)
        return _json(found) if found else self.error(404, "Resource not found")

    def _search(self, asked: Asked) -> Reply:
        query = asked.one("q")
        if isrc := re.fullmatch(r"isrc:(\w+)", query):
            found = [t for t in self.tracks.values() if t["external_ids"].get("isrc") == isrc[1]]
        else:
            words = re.sub(r'\b(track|artist):|"', "", query).lower().split()
            found = [t for t in self.tracks.values() if all(word in _words(t) for word in words)]
        page = json.loads(self._page(asked, found, default=5).body)
        return _json({"tracks": page})

    def _page(self, asked: Asked, entries: list[Any], *, default: int = 20) -> Reply:
        limit, offset = int(asked.one("limit", str(default))), int(asked.one("offset", "0"))
        more = offset + limit < len(entries)
        origin = self.next_origin or self.url
        following = f"{origin}{asked.path}?{urlencode({'limit': limit, 'offset': offset + limit})}"
        return _json(
            {
                "href": f"{self.url}{asked.path}",
                "limit": limit,
                "offset": offset,
                "next": following if more else None,
                "previous": None,
                "total": len(entries),
                "items": entries[offset : offset + limit],
            }
        )


def _words(found: dict[str, Any]) -> str:
    return f"{found['name']} {found['artists'][0]['name']}".lower()


def _json(values: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(values).encode(), status)
