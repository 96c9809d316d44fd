"""The log of a long-running process: a line for each request that failed and each job, as text or as JSON.

Nothing in it is a secret or names a file of the library, unless ``WHICHLIST_LOG_LEVEL=debug`` asks for it.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from recommender.settings import Settings

_CHATTY = ("huey", "alembic", "waitress.queue")

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class TextLines(logging.Formatter):
    """A line for people; what an exception says may name files, so it is left out unless told."""

    def __init__(self, *, says_all: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._says_all = says_all

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the lines of a traceback."""
        record.exc_text = None  # another handler's rendering, which logging would take over
        return super().format(record)

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 -- logging's name
        """Return the traceback, without the exception's own words unless all is said."""
        if self._says_all or ei[0] is None:
            return super().formatException(ei)
        return "".join(traceback.format_tb(ei[2])) + ei[0].__qualname__


class JsonLines(TextLines):
    """An object a line: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, and the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        } | getattr(record, "event", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr(settings: Settings) -> None:
    """Make what a long-running process has to say visible, in the form that the settings choose."""
    says_all = settings.log_level == "debug"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonLines if settings.log == "json" else TextLines)(says_all=says_all))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for ours in ("whichlist", "api", "recommender", "training", "embeddings"):
        logging.getLogger(ours).setLevel(logging.DEBUG if says_all else logging.INFO)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
