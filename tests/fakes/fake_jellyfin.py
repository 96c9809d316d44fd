"""A Jellyfin 12 server: the token in the Authorization header only, items in pages."""

import json
from typing import Any

from tests.fakes.servers import Asked, FakeServer, Reply

TOKEN = "0123456789abcdef"


def item(item_id: str, name: str, artist: str, **more: Any) -> dict[str, Any]:
    own = {"Id": item_id, "Name": name, "Type": "Audio", "Artists": [artist], "Album": "Album"}
    return own | {"RunTimeTicks": 2_000_000_000, "ProviderIds": {}} | more


class FakeJellyfin(FakeServer):
    def __init__(self) -> None:
        super().__init__()
        self.users = {"Ada": "u1"}
        self.items: list[dict[str, Any]] = []
        self.playlists: dict[str, tuple[str, list[str]]] = {}
        self.favourites: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.total: int | None = None

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f'MediaBrowser Token="{TOKEN}"':
            return Reply(b"", 401)
        if asked.path == "/Users":
            return _json([{"Name": name, "Id": key} for name, key in self.users.items()])
        if asked.path == "/Items":
            return self._items(asked)
        item_id = asked.path.removeprefix("/Items/").removesuffix("/Download")
        body = self.files.get(item_id)
        return Reply(body, content_type="audio/flac") if body else Reply(b"", 404)

    def _items(self, asked: Asked) -> Reply:
        if asked.one("IncludeItemTypes") == "Playlist":
            found = [
                {"Id": key, "Name": name, "Type": "Playlist"} for key, (name, _) in self.playlists.items()
            ]
        elif parent := asked.one("ParentId"):
            by_id = {entry["Id"]: entry for entry in self.items}
            found = [by_id[key] for key in self.playlists[parent][1]]
        elif asked.one("IsFavorite") == "true":
            found = [entry for entry in self.items if entry["Id"] in self.favourites]
        else:
            found = list(reversed(self.items)) if asked.one("SortOrder") == "Descending" else self.items
        start = int(asked.one("StartIndex"))
        total = len(found) if self.total is None else self.total
        page = found[start : start + int(asked.one("Limit"))]
        return _json({"Items": page, "TotalRecordCount": total, "StartIndex": start})


def _json(values: Any) -> Reply:
    return Reply(json.dumps(values).encode())
