"""Every setting by name: its default, what it means, and what its value may be."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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

PREFIX = "WHICHLIST_"


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
        "Share of the answers that may name playlists without the right one.",
        number_between(0.001, 0.5, float),
    ),
    Setting(
        "alpha_none",
        "0.05",
        "Share of the tracks with a playlist that may be said to fit none.",
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
        "subsonic_password",
        "none",
        "Your password there; a salted digest of it is sent, itself only where the server needs that.",
        parse_text,
    ),
    Setting("subsonic_api_key", "none", "An API key of an OpenSubsonic server, used first.", parse_text),
    Setting(
        "subsonic_auth",
        "auto",
        "The one way to log in: `token`, `password` or `api_key`; `auto` finds out.",
        one_of("auto", "token", "password", "api_key"),
    ),
    Setting(
        "subsonic_plain_http",
        "off",
        "`on` sends password or key to a server on the public internet without https.",
        one_of("off", "on"),
    ),
    Setting(
        "sync_every_h",
        "0",
        "Hours after which playlists are read again where they came from; 0: when `whichlist sync` says so.",
        number_between(0, 8_760, float),
    ),
    Setting("beets_library", "none", "beets' library file: `beet config` names it.", parse_path),
    Setting("beets_playlists", "none", "Folder of the playlist files that beets writes.", parse_path),
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
    Setting(
        "log",
        "text",
        "`json` writes one object a line for each request that failed and each job.",
        one_of("text", "json"),
    ),
    Setting(
        "log_level",
        "info",
        "`debug` also writes what errors say, which may name files of the library.",
        one_of("info", "debug"),
    ),
)
