"""Environment and file to frozen Settings; the only reader of the environment.

Later wins: the defaults, ``whichlist.toml`` in the data folder, ``WHICHLIST_*`` variables, overrides.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.errors import SettingsError

FILE_NAME = "whichlist.toml"
PREFIX = "WHICHLIST_"


@dataclass(frozen=True)
class Settings:
    """Everything an operator can choose; made by :func:`load_settings`."""

    data: Path
    database_url: str = field(repr=False)
    queue_url: str = field(repr=False)
    library_roots: tuple[Path, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    api_token: str | None = field(default=None, repr=False)
    max_upload_mb: int = 100
    alpha: float = 0.1
    pretrained: str = "auto"
    encoder_threads: int = 2
    embedding_processes: int = 2
    lease_s: float = 30.0
    spotify_training: str = "refuse"

    @property
    def encoders_directory(self) -> Path:
        """Where exported encoders live, one folder per fingerprint."""
        return self.data / "encoders"

    @property
    def bundles_directory(self) -> Path:
        """Where trained bundles live, one folder per bundle id."""
        return self.data / "bundles"

    @property
    def scorecards_directory(self) -> Path:
        """Where score cards live, one folder per bundle id."""
        return self.data / "scorecards"

    @property
    def cache_directory(self) -> Path:
        """What may be deleted at any time: log-mels and other things that can be made again."""
        return self.data / "cache"


def load_settings(
    overrides: Mapping[str, Any] | None = None, *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settings from every source, each value checked.

    Parameters
    ----------
    overrides : mapping, optional
        Field name -> value, e.g. from the command line; None values are passed over.
    environ : mapping, optional
        Stands in for the process environment.
    """
    environ = os.environ if environ is None else environ
    named = {s.field: environ[s.variable] for s in SETTINGS if environ.get(s.variable)}
    chosen = {name: value for name, value in (overrides or {}).items() if value is not None}
    data = _parse("data", {"data": "data"} | named | chosen)
    values = _read_file(data / FILE_NAME) | named | chosen | {"data": data}
    parsed = {name: _parse(name, values) for name in values}
    parsed.setdefault("database_url", f"sqlite:///{data / 'whichlist.sqlite'}")
    parsed.setdefault("queue_url", f"sqlite:///{data / 'queue.sqlite'}")
    return Settings(**parsed)


def _read_file(path: Path) -> dict[str, Any]:
    """The settings file's values; a missing file holds none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from error


def _parse(name: str, values: Mapping[str, Any]) -> Any:
    """One value, checked and converted."""
    setting = next((s for s in SETTINGS if s.field == name), None)
    if setting is None:
        known = ", ".join(s.field for s in SETTINGS)
        raise SettingsError(f"there is no setting {name!r}; there are {known}")
    try:
        return setting.parse(values[name])
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{setting.variable} ({name}): {error}, got {values[name]!r}") from error


def _path(value: Any) -> Path:
    return Path(value).expanduser().resolve()


def _paths(value: Any) -> tuple[Path, ...]:
    parts = value.split(os.pathsep) if isinstance(value, str) else value
    return tuple(_path(part) for part in parts if str(part))


def _text(value: Any) -> str:
    text = str(value).strip()
    if not text:
        raise ValueError("must not be empty")
    return text


def _url(value: Any) -> str:
    """A database URL; PostgreSQL's short forms are given the driver we ship."""
    text = _text(value)
    scheme, separator, rest = text.partition("://")
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg://{rest}"
    if not separator or scheme not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text


def _number(low: float, high: float, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        number = kind(value)
        if not low <= number <= high:
            raise ValueError(f"must lie between {low:g} and {high:g}")
        return number

    return parse


def _one_of(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        text = str(value).strip().lower()
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


@dataclass(frozen=True)
class Setting:
    """One line of the settings table: where a field comes from and what it means."""

    field: str
    default: str
    description: str
    parse: Callable[[Any], Any]

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.field.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("data", "./data", "Folder of the database, the bundles, the encoders and the caches.", _path),
    Setting("database_url", "SQLite in the data folder", "sqlite:/// or postgresql:// URL.", _url),
    Setting(
        "queue_url",
        "SQLite in the data folder",
        "Where wake-ups travel; postgresql:// for many machines.",
        _url,
    ),
    Setting(
        "library_roots", "none", f"Folders that HTTP callers may name, separated by {os.pathsep!r}.", _paths
    ),
    Setting("host", "127.0.0.1", "Address to listen on; set an API token before opening it.", _text),
    Setting("port", "8000", "Port to listen on.", _number(0, 65_535, int)),
    Setting("api_token", "none", "When set, every call needs `Authorization: Bearer <token>`.", _text),
    Setting("max_upload_mb", "100", "Largest upload accepted, in MB.", _number(1, 100_000, int)),
    Setting(
        "alpha",
        "0.1",
        "Share of a playlist's own tracks that may be turned away.",
        _number(0.001, 0.5, float),
    ),
    Setting(
        "pretrained",
        "auto",
        "`off` trains a small network even when the pretrained one is installed.",
        _one_of("auto", "off"),
    ),
    Setting("encoder_threads", "2", "Threads of the network in the web process.", _number(1, 256, int)),
    Setting(
        "embedding_processes", "2", "Processes that listen to files during a scan.", _number(1, 256, int)
    ),
    Setting(
        "lease_s",
        "30",
        "Seconds after which a silent worker's job is given to another.",
        _number(0.1, 86_400, float),
    ),
    Setting(
        "spotify_training",
        "refuse",
        "`allow` trains on rows that came from Spotify; read its terms first.",
        _one_of("refuse", "allow"),
    ),
)
