"""Environment and file to frozen Settings; the only reader of the environment.

Later wins: the defaults, ``whichlist.toml`` in the data folder, ``WHICHLIST_*`` variables, overrides.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.errors import SettingsError
from recommender.records.promises import Promise
from recommender.setting_table import SETTINGS

FILE_NAME = "whichlist.toml"


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
    alpha_none: float = 0.05
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
    subsonic_api_key: str | None = field(default=None, repr=False)
    subsonic_auth: str = "auto"
    subsonic_plain_http: str = "off"
    jellyfin_url: str | None = None
    jellyfin_user: str | None = None
    jellyfin_token: str | None = field(default=None, repr=False)
    listenbrainz_url: str = "https://api.listenbrainz.org"
    listenbrainz_user: str | None = None
    listenbrainz_token: str | None = field(default=None, repr=False)
    acoustid_url: str = "https://api.acoustid.org"
    acoustid_key: str | None = field(default=None, repr=False)
    sync_every_h: float = 0.0
    beets_library: Path | None = None
    beets_playlists: Path | None = None
    remote_cache_mb: int = 2_000
    keep_models: int = 5
    log: str = "text"
    log_level: str = "info"

    @property
    def promise(self) -> Promise:
        """How often an answer may be wrong."""
        return Promise(self.alpha, self.alpha_none)

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
    except (TypeError, ValueError, OverflowError) as error:  # the last of an infinite number of megabytes
        given = re.sub(r"//[^/@]*@", "//...@", repr(values[name]))  # a password may be in there
        raise SettingsError(f"{setting.variable} ({name}): {error}, got {given}") from error


def quiet_environment() -> dict[str, str]:
    """The environment for a process whose libraries shall keep their notices to themselves."""
    return dict(os.environ) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
