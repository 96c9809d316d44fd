"""Where the score cards of bundles lie: written by training, read by whoever shows them."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.settings import Settings

CARD, PAGE = "scorecard.json", "index.html"


def write_scorecard(settings: Settings, bundle_id: str, card: Mapping[str, Any], page: str) -> Path:
    """Write the card and its page for a bundle, replacing earlier ones; return their folder.

    Each file is replaced in one step, the card last: who finds it finds its page too.
    """
    folder = settings.scorecards_directory / bundle_id
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / PAGE, page)
    _replace(folder / CARD, json.dumps(card, indent=1, allow_nan=False) + "\n")
    return folder


def read_scorecard(settings: Settings, bundle_id: str) -> dict[str, Any] | None:
    """Return the card of a bundle, None while there is none; a damaged one counts as missing."""
    try:
        card: dict[str, Any] = json.loads((settings.scorecards_directory / bundle_id / CARD).read_bytes())
    except (OSError, ValueError):
        return None
    return card


def read_scorecard_page(settings: Settings, bundle_id: str) -> str | None:
    """Return the page of a bundle's card, None while there is none."""
    try:
        return (settings.scorecards_directory / bundle_id / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _replace(path: Path, text: str) -> None:
    """Write aside, flush, rename: a kill or a full disk leaves what was there."""
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
