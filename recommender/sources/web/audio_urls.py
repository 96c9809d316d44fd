"""The audio behind a URL that a caller names, while the caller waits."""

from collections.abc import Callable
from pathlib import Path

from recommender.settings import Settings
from recommender.sources.web.reading import Call, Downloaded, Web, download

DEADLINE_S = 20.0


def audio_fetcher(settings: Settings, web: Web) -> Callable[[str, Path], Downloaded] | None:
    """A function that puts the audio at a URL into a file; None unless the operator allows it.

    What it fetches is as large as an upload may be, and it waits for no server that is busy.
    """
    if settings.allow_urls != "on":
        return None
    call = Call(
        guarded=True, max_bytes=settings.max_upload_mb * 1_000_000, deadline_s=DEADLINE_S, patience_s=0.0
    )
    return lambda url, to: download(web, url, to, call=call)
