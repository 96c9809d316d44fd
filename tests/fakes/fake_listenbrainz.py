"""ListenBrainz' fresh releases: keys missing when null, 400 for other days, 429 without Retry-After."""

import json
from typing import Any

from tests.fakes.servers import Asked, FakeServer, Reply

GROUP = "4f1c579a-8a9c-4f96-92ae-befcdf3e0d{:02d}"


def release(number: int, **more: Any) -> dict[str, Any]:
    own = {"artist_credit_name": f"Artist {number}", "release_name": f"Release {number}", "caa_id": None}
    dates = {"release_date": "2026-11-20", "release_group_mbid": GROUP.format(number)}
    return own | dates | {"release_group_primary_type": "Album", "release_tags": []} | more


class FakeListenBrainz(FakeServer):
    def __init__(self) -> None:
        super().__init__()
        self.releases: list[Any] = []
        self.users: dict[str, list[Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        if not 1 <= int(asked.one("days", "14")) <= 90:
            return Reply(b'{"code": 400, "error": "days must be between 1 and 90."}', 400)
        if asked.path == "/1/explore/fresh-releases/":
            return _payload(self.releases)
        user = asked.path.removeprefix("/1/user/").removesuffix("/fresh_releases")
        return (
            _payload(self.users[user])
            if user in self.users
            else Reply(b'{"code": 404, "error": "no user"}', 404)
        )


def over_the_limit(reset_in_s: int) -> Reply:
    return Reply(
        b'{"code": 429, "error": "Too many requests"}', 429, {"X-RateLimit-Reset-In": str(reset_in_s)}
    )


def _payload(releases: list[Any]) -> Reply:
    return Reply(json.dumps({"payload": {"total_count": len(releases), "releases": releases}}).encode())
