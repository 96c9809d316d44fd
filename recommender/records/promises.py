"""How often an answer may be wrong, as the operator has set it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """Two shares that an answer keeps to.

    Attributes
    ----------
    alpha : float
        Of the answers that name playlists, those without the right one.
    alpha_none : float
        Of the tracks that belong into a playlist, those that are called strangers to all.
    """

    alpha: float = 0.1
    alpha_none: float = 0.05


DEFAULT_PROMISE = Promise()
