"""Waiting for what another thread or process does. How long that takes is nobody's promise."""

import time
from collections.abc import Callable

LOOK_S = 0.02
PATIENCE_S = 120.0


def wait_for(condition: Callable[[], object], *, what: str = "it", patience_s: float = PATIENCE_S) -> None:
    """Return once ``condition`` holds; TimeoutError when somebody must have died."""
    give_up_at = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{what} did not happen")
        time.sleep(LOOK_S)
