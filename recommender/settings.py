"""Environment and file to frozen Settings; the only reader of the environment.

Later wins: the defaults, ``whichlist.toml`` in the data folder, ``WHICHLIST_*`` variables, overrides.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.errors import SettingsError
from recommender.setting_values import (
    number_between,
    one_of,
    parse_callback,
    parse_database_url,
    parse_path,
    parse_paths,
    parse_server,
    parse_text,
)

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
    spotify_client_id: str | None = None
    spotify_redirect_uri: str | None = None
    contact: str | None = None
    allow_urls: str = "off"
    allow_private_addresses: str = "off"
    subsonic_url: str | None = None
    subsonic_user: str | None = None
    subsonic_password: str | None = field(default=None, repr=False)
    jellyfin_url: str | None = None
    jellyfin_user: str | None = None
    jellyfin_token: str | None = field(default=None, repr=False)
    listenbrainz_url: str = "https://api.listenbrainz.org"
    listenbrainz_user: str | None = None
    listenbrainz_token: str | None = field(default=None, repr=False)
    acoustid_url: str = "https://api.acoustid.org"
    acoustid_key: str | None = field(default=None, repr=False)
    remote_cache_mb: int = 2_000
    keep_models: int = 5

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
    def uploads_directory(self) -> Path:
        """Where uploaded files that are kept live, one folder per content."""
        return self.data / "uploads"

    @property
    def maps_directory(self) -> Path:
        """Where the map of the library lives."""
        return self.data / "maps"

    @property
    def spotify_directory(self) -> Path:
        """Where the log-in to Spotify lives, for nobody else to read."""
        return self.data / "spotify"

    @property
    def spotify_callback(self) -> str:
        """Where Spotify sends a browser back to after a log-in."""
        return self.spotify_redirect_uri or f"http://127.0.0.1:{self.port}/callback"

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
        given = re.sub(r"//[^/@]*@", "//...@", repr(values[name]))  # a password may be in there
        raise SettingsError(f"{setting.variable} ({name}): {error}, got {given}") from error


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
    Setting(
        "data", "./data", "Folder of the database, the bundles, the encoders and the caches.", parse_path
    ),
    Setting(
        "database_url", "SQLite in the data folder", "sqlite:/// or postgresql:// URL.", parse_database_url
    ),
    Setting(
        "queue_url",
        "SQLite in the data folder",
        "Where wake-ups travel; postgresql:// for many machines.",
        parse_database_url,
    ),
    Setting(
        "library_roots",
        "none",
        f"Folders that HTTP callers may name, separated by {os.pathsep!r}.",
        parse_paths,
    ),
    Setting("host", "127.0.0.1", "Address to listen on; set an API token before opening it.", parse_text),
    Setting("port", "8000", "Port to listen on.", number_between(0, 65_535, int)),
    Setting("api_token", "none", "When set, every call needs `Authorization: Bearer <token>`.", parse_text),
    Setting("max_upload_mb", "100", "Largest upload accepted, in MB.", number_between(1, 100_000, int)),
    Setting(
        "alpha",
        "0.1",
        "Share of a playlist's own tracks that may be turned away.",
        number_between(0.001, 0.5, float),
    ),
    Setting(
        "pretrained",
        "auto",
        "`off` trains a small network even when the pretrained one is installed.",
        one_of("auto", "off"),
    ),
    Setting(
        "encoder_threads", "2", "Threads of the network in the web process.", number_between(1, 256, int)
    ),
    Setting(
        "embedding_processes",
        "2",
        "Processes that listen to files during a scan.",
        number_between(1, 256, int),
    ),
    Setting(
        "lease_s",
        "30",
        "Seconds after which a silent worker's job is given to another.",
        number_between(0.1, 86_400, float),
    ),
    Setting(
        "spotify_training",
        "refuse",
        "`allow` trains on rows that came from Spotify; read its terms first.",
        one_of("refuse", "allow"),
    ),
    Setting("spotify_client_id", "none", "Client ID of your own Spotify app; it has no secret.", parse_text),
    Setting(
        "spotify_redirect_uri",
        "none",
        "Where Spotify sends browsers back to; `/callback` at 127.0.0.1 and the port unless given.",
        parse_callback,
    ),
    Setting(
        "contact",
        "none",
        "Told to other servers with each call, so that their operators can reach you.",
        parse_text,
    ),
    Setting(
        "allow_urls",
        "off",
        "`on` lets callers of /recommend name an http(s) address, which is then downloaded.",
        one_of("off", "on"),
    ),
    Setting(
        "allow_private_addresses",
        "off",
        "`on` lets feeds and callers name addresses of private networks and of this machine.",
        one_of("off", "on"),
    ),
    Setting("subsonic_url", "none", "Address of your Subsonic, Navidrome or gonic server.", parse_server),
    Setting("subsonic_user", "none", "Your name there.", parse_text),
    Setting(
        "subsonic_password", "none", "Your password there; only a salted digest of it is sent.", parse_text
    ),
    Setting("jellyfin_url", "none", "Address of your Jellyfin server.", parse_server),
    Setting("jellyfin_user", "none", "Your name there: whose favourites and playlists are read.", parse_text),
    Setting("jellyfin_token", "none", "An API key, made in Jellyfin's dashboard.", parse_text),
    Setting(
        "listenbrainz_url", "https://api.listenbrainz.org", "Where fresh releases are read.", parse_server
    ),
    Setting("listenbrainz_user", "none", "Whose fresh releases `listenbrainz:mine` are.", parse_text),
    Setting(
        "listenbrainz_token", "none", "Token of a ListenBrainz user; it raises the rate limit.", parse_text
    ),
    Setting("acoustid_url", "https://api.acoustid.org", "Where recordings are recognised.", parse_server),
    Setting("acoustid_key", "none", "Key of an application registered at acoustid.org.", parse_text),
    Setting(
        "remote_cache_mb",
        "2000",
        "Size in MB above which the oldest downloaded tracks are deleted.",
        number_between(1, 10_000_000, int),
    ),
    Setting(
        "keep_models",
        "5",
        "How many of the newest models, and of those with a score card, are kept.",
        number_between(1, 10_000, int),
    ),
)


def quiet_environment() -> dict[str, str]:
    """The environment for a process whose libraries shall keep their notices to themselves."""
    return dict(os.environ) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
