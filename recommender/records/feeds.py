"""The plain values that feeds are made of; times are seconds since 1970, UTC."""

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from recommender.records.rows import SourceRow

DUPLICATE, ALBUM = "duplicate", "album"
# The kind of a feed that is read from nowhere: its files are sent, one by one, to be sorted.
DROP = "drop"
DAY_S = 86_400.0
# After how long a recording without audio is looked for again: the first time, the second, and so on.
BACK_OFF_S = (1 * DAY_S, 3 * DAY_S, 7 * DAY_S, 30 * DAY_S)


class FeedState(enum.StrEnum):
    """Where an item of a feed stands."""

    SEEN = "seen"
    RESOLVED = "resolved"
    SCORED = "scored"
    NO_AUDIO = "no_audio"
    SKIPPED = "skipped"
    FAILED = "failed"


# Those of items that are a track which was listened to.
HEARD = (FeedState.RESOLVED, FeedState.SCORED)


@dataclass(frozen=True)
class FeedRow:
    """One row of a source; ``stamp`` changes when what lies behind the row does.

    ``code`` and ``reason`` are given when the row is not to be scored.
    """

    row: SourceRow
    stamp: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class FeedInfo:
    """A feed; ``group`` is None for the group that answers by default.

    ``n_items`` counts its items by state.
    """

    id: int
    name: str
    kind: str
    reference: str
    group: str | None
    min_probability: float
    cursor: dict[str, Any]
    error_code: str | None
    error: str | None
    created_at: float
    read_at: float | None
    n_items: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedItemInfo:
    """One recording of a feed."""

    id: int
    key: str
    row: FeedRow
    state: FeedState
    code: str | None
    sentence: str | None
    track_id: int | None
    tries: int
    next_try_at: float | None
    decision: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Settled:
    """What became of an item: where it stands now, and why."""

    item_id: int
    state: FeedState
    track_id: int | None = None
    code: str | None = None
    sentence: str | None = None


@dataclass(frozen=True)
class Question:
    """What a feed's tracks are asked: which group's playlists they fit, by which bundle."""

    group_name: str
    bundle_id: str


def row_values(row: FeedRow) -> dict[str, Any]:
    """A row as JSON that any database takes; empty values are left out."""
    values = asdict(row.row) | {"stamp": row.stamp, "code": row.code, "reason": row.reason}
    values["identities"] = [list(pair) for pair in row.row.identities]
    if row.row.path is not None:
        # Not as text: the names of files are bytes, and need not be any.
        values["path"] = row.row.path.encode("utf-8", "surrogateescape").hex()
    return {name: _clean(value) for name, value in values.items() if value or value == 0.0}


def read_row(values: Mapping[str, Any]) -> FeedRow:
    """The row in :func:`row_values`."""
    found = {item.name: values[item.name] for item in fields(SourceRow) if item.name in values}
    found["identities"] = tuple((scheme, value) for scheme, value in values.get("identities", ()))
    if "path" in found:
        found["path"] = bytes.fromhex(found["path"]).decode("utf-8", "surrogateescape")
    kept = {name: values.get(name, "") for name in ("stamp", "code", "reason")}
    return FeedRow(SourceRow(**found), **kept)


def back_off_s(tries: int) -> float:
    """How long to leave an item alone after so many tries."""
    return BACK_OFF_S[min(max(tries, 1), len(BACK_OFF_S)) - 1]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
    return [_clean(part) for part in value] if isinstance(value, list) else value
