"""What a setting's value may be: each function takes one and gives it parsed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def parse_path(value: Any) -> Path:
    """An absolute path."""
    return Path(value).expanduser().resolve()


def parse_paths(value: Any) -> tuple[Path, ...]:
    """Absolute paths, from a list or one text."""
    parts = value.split(os.pathsep) if isinstance(value, str) else value
    return tuple(parse_path(part) for part in parts if str(part))


def parse_text(value: Any) -> str:
    """A text that is not empty."""
    text = str(value).strip()
    if not text:
        raise ValueError("must not be empty")
    return text


def parse_database_url(value: Any) -> str:
    """A database URL; PostgreSQL's short forms are given the driver we ship."""
    text = parse_text(value)
    scheme, separator, rest = text.partition("://")
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    if not separator or scheme not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text


def number_between(low: float, high: float, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A number of one kind within two others."""

    def parse(value: Any) -> Any:
        number = kind(value)
        if not low <= number <= high:
            raise ValueError(f"must lie between {low:g} and {high:g}")
        return number

    return parse


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of some words, in small letters."""

    def parse(value: Any) -> str:
        text = str(value).strip().lower()
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def parse_server(value: Any) -> str:
    """The http(s) address of a server, without a slash at its end."""
    text = parse_text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http:// or https:// address")
    if parts.username is not None:
        raise ValueError("must not hold a name or a password, which have settings of their own")
    return text


def parse_callback(value: Any) -> str:
    """Where Spotify sends a browser back to: https, or http on this machine by its number, as it demands."""
    text = parse_text(value)
    parts = urlsplit(text)
    is_local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if not (parts.hostname and (parts.scheme == "https" or is_local)) or parts.username is not None:
        raise ValueError("must begin with https:// or http://127.0.0.1 (Spotify refuses `localhost`)")
    if parts.path != "/callback" or parts.query or parts.fragment:
        raise ValueError("must end in /callback")
    return text
