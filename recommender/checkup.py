"""What runs here and what is missing, for the operator: one line each."""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata

from embeddings.decoding.formats import FORMATS
from embeddings.decoding.source import has_libav
from embeddings.decoding.with_ffmpeg import find_ffmpeg
from recommender.catalogue.database import Database, open_database, schema_state
from recommender.catalogue.models import catalogue_counts, current_bundle
from recommender.errors import RecommenderError
from recommender.model.bundle import CorruptBundle, read_bundle
from recommender.settings import Settings
from recommender.sources.servers.fpcalc import find_fpcalc
from recommender.sources.servers.subsonic_calls import check_log_in
from recommender.sources.servers.subsonic_log_in import find_subsonic
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import open_web

LOW_DISK_BYTES = 1_000_000_000
_VERSIONED = ("numpy", "faiss-cpu", "ai-edge-litert", "soundfile", "av", "sqlalchemy", "flask")
_TENSORFLOW = ("tensorflow-cpu", "tensorflow")  # the name depends on the processor and on who installed it


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``action`` says what to do about it, if anything."""

    name: str
    ok: bool
    found: str
    action: str = ""


def examine(settings: Settings, *, base_encoder: str) -> list[Check]:
    """Return every check; nothing is changed, and nothing raises. A server that is set up is asked once.

    ``base_encoder`` names the network that is used before anything is trained.
    """
    checks = [_encoder(base_encoder), _database(settings)]
    if checks[-1].ok:
        checks += _contents(settings)
    checks += [_decoders(), _recognition(settings), *_subsonic(settings), _disk(settings), _versions()]
    return checks


def _encoder(base_encoder: str) -> Check:
    if base_encoder == "msd_musicnn":
        return Check("encoder", True, "msd_musicnn, pretrained")
    action = "For better answers install the pretrained weights: `pip install --no-deps musicnn==0.1.0`."
    return Check("encoder", True, f"{base_encoder}, trained from scratch on your playlists", action)


def _database(settings: Settings) -> Check:
    try:
        state = schema_state(settings)
    except Exception as error:  # whatever the driver raises is the finding
        return Check("database", False, f"{type(error).__name__}: {error}", "Check WHICHLIST_DATABASE_URL.")
    if state.is_current:
        return Check("database", True, f"revision {state.revision}")
    found = f"revision {state.revision or 'none'}, this program needs {state.head}"
    return Check("database", False, found, "Run `whichlist migrate`.")


def _contents(settings: Settings) -> Iterator[Check]:
    database = open_database(settings)
    try:
        with database.read_session() as session:
            counts = catalogue_counts(session)
        found = f"{counts.n_tracks} tracks of {counts.n_artists} artists in {counts.n_playlists} playlists"
        yield Check("library", True, f"{found}; {counts.n_failed_files} files set aside")
        yield _model(database)
    finally:
        database.close()


def _model(database: Database) -> Check:
    with database.read_session() as session:
        champion = current_bundle(session)
    if champion is None:
        return Check("model", True, "none yet", "Add a playlist: `whichlist add-playlist NAME FOLDER`.")
    try:
        bundle = read_bundle(champion.directory)
    except CorruptBundle as error:
        action = "Promote an earlier one (`whichlist models list`), or run `whichlist train`."
        return Check("model", False, str(error), action)
    groups = "; ".join(f"{group.group_name}: {', '.join(group.playlist_names)}" for group in bundle.groups)
    return Check("model", True, f"{champion.id}, heard by {bundle.config.name} ({groups})")


def _decoders() -> Check:
    """Every format by the suffixes that a scan looks for, under the decoder that is asked first."""
    both = [name for known in FORMATS if known.has_libsndfile for name in known.suffixes]
    others = [name for known in FORMATS if not known.has_libsndfile for name in known.suffixes]
    by = "PyAV" if has_libav() else "the ffmpeg program" if find_ffmpeg() else ""
    found = f"{_names(both)} with libsndfile{f', then {by}' if by else ''}"
    if by:
        return Check("decoders", True, f"{found}; {_names(others)} with {by}")
    action = f"For {_names(others)}, and for damaged files, `pip install av` or install ffmpeg."
    return Check("decoders", True, found, action)


def _names(suffixes: list[str]) -> str:
    return ", ".join(dict.fromkeys(suffix.removeprefix(".") for suffix in suffixes))


def _recognition(settings: Settings) -> Check:
    if find_fpcalc() is None:
        action = "To recognise untagged tracks (`whichlist identify`) install Chromaprint's fpcalc."
        return Check("recognition", True, "fpcalc is not there", action)
    if settings.acoustid_key is None:
        return Check("recognition", True, "fpcalc, and no key for AcoustID", "Set WHICHLIST_ACOUSTID_KEY.")
    return Check("recognition", True, "fpcalc, and a key for AcoustID")


def _subsonic(settings: Settings) -> Iterator[Check]:
    """Whether the server that is set up lets us in, and by what; nothing when none is."""
    if settings.subsonic_url is None:
        return
    try:
        server = find_subsonic(settings)
        # Somebody waits for this: tries follow each other at once.
        web = replace(open_web(settings), manners=Manners(sleep=lambda _seconds: None))
        log_in = check_log_in(web, server)
    except RecommenderError as error:
        yield Check("subsonic", False, str(error), "Check the WHICHLIST_SUBSONIC_ settings.")
        return
    yield Check("subsonic", True, f"{server.who}, logged in by {log_in.described}")


def _disk(settings: Settings) -> Check:
    place = settings.data if settings.data.exists() else settings.data.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Check("disk", False, f"{place}: {error.strerror}", "Check WHICHLIST_DATA.")
    found = f"{free / 1e9:.1f} GB free at {settings.data}"
    return Check("disk", free > LOW_DISK_BYTES, found, "" if free > LOW_DISK_BYTES else "Make room.")


def _versions() -> Check:
    known = [f"python {platform.python_version()}"]
    for name in (*_VERSIONED, next(filter(_version_of, _TENSORFLOW), "tensorflow")):
        known.append(f"{name} {_version_of(name) or 'missing'}")
    return Check("versions", True, ", ".join(known))


def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
