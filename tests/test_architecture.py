"""The layout, the import table and the homes of libraries, read from the source itself."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from api.terminal import TRAINING_LIBRARIES

REPOSITORY = Path(__file__).parent.parent
Check = Callable[[str, str], list[str]]

PACKAGES = ("embeddings", "recommender", "training", "api")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_ROOM_MODULES = 20
SETTINGS_MODULE = "recommender/settings.py"

# importer -> what of our own it may import. The command line may reach into training, inside functions only.
IMPORT_TABLE = {
    "embeddings": ("embeddings",),
    "recommender": ("embeddings", "recommender"),
    "training": ("embeddings", "recommender", "training"),
    "api": ("embeddings.decoder_processes", "embeddings.errors", "recommender", "api"),
    "migrations": ("recommender.catalogue.tables",),
}
COMMAND_LINE = "api/cli.py"

# What every room may use: plain values, errors, settings, and files that are whole after a power cut.
FOUNDATIONS = {
    "embeddings": ("errors",),
    "recommender": ("errors", "settings", "setting_table", "setting_values", "disk", "records"),
    "api": ("version",),
}
# package -> room -> the rooms of the same package that it may import. A room is a folder, or a module beside
# folders. Nothing stands here that is not used, so this is what the house looks like.
ROOMS = {
    "embeddings": {
        "decoding": (),
        "windows": (),
        "stretch": (),
        "config": (),
        "line_plots": (),
        "mel": ("config",),
        "level": ("config",),
        "encoder_files": ("config",),
        "channels": ("config", "mel"),
        "pictures": ("audio", "decoding"),
        "audio": ("decoding", "stretch", "windows"),
        "waveform": ("audio", "decoding", "stretch"),
        "patches": ("audio", "config", "decoding", "level", "mel", "stretch"),
        "network": ("config", "encoder_files"),
        "other_process": (),
        "decoder_processes": ("other_process",),
        "encoder": (
            *("audio", "config", "decoder_processes", "encoder_files", "network", "patches"),
            "stretch",
        ),
    },
    "recommender": {
        "sources.tag_blocks": (),
        "sources.tags": ("sources.tag_blocks",),
        "sources.rows": (),
        "sources.cue": ("sources.rows",),
        "sources.folder": ("sources.cue", "sources.tags"),
        "sources.album_tracks": ("sources.cue", "sources.folder", "sources.tags"),
        "sources.web": (),
        "sources.files": ("sources.cue", "sources.rows"),
        "sources.beets": ("sources.files", "sources.rows"),
        "sources.library_survey": ("sources.folder",),
        "sources.servers": ("sources.rows", "sources.web"),
        "sources.spotify": ("sources.rows", "sources.servers", "sources.web"),
        "sources.references": ("sources.beets", "sources.servers", "sources.spotify", "sources.web"),
        "sources.feeds": (
            *("sources.cue", "sources.files", "sources.folder", "sources.references"),
            *("sources.rows", "sources.servers", "sources.web"),
        ),
        "catalogue.tables": (),
        "catalogue": ("catalogue.tables",),
        "jobs": ("catalogue", "catalogue.tables"),
        "model": ("catalogue",),
        "audio_files": ("catalogue", "model", "sources.folder", "sources.tags"),
        "matching": (
            *("audio_files", "catalogue", "jobs"),
            *("sources.rows", "sources.servers", "sources.spotify", "sources.web"),
        ),
        "answering": (
            *("audio_files", "catalogue", "jobs", "model"),
            *("sources.album_tracks", "sources.folder"),
        ),
        "feeds": (
            *("answering", "catalogue", "jobs", "matching", "model"),
            *("sources.cue", "sources.files", "sources.folder", "sources.rows"),
        ),
        "playlists": (
            *("catalogue", "feeds", "jobs", "matching", "model"),
            *("sources.feeds", "sources.rows", "sources.servers", "sources.spotify", "sources.web"),
        ),
        "sorting": ("answering", "catalogue", "feeds", "model", "playlists"),
        "checkup": ("catalogue", "model", "sources.servers", "sources.web"),
    },
    "training": {
        "folds": (),
        "metrics": (),
        "report": (),
        "demo": (),
        "apart": (),
        "encoder": (),
        "listening": (),
        "groups": ("folds", "metrics"),
        "learning": ("encoder", "folds"),
        "recipes": ("encoder", "learning"),
        "datasets": ("encoder", "folds", "listening"),
        "judging": ("datasets", "encoder", "folds", "groups", "metrics", "report"),
        "challenge": ("datasets", "encoder", "folds", "groups", "judging", "learning", "metrics"),
        "experiments": (
            *("datasets", "encoder", "folds", "groups", "judging", "learning", "metrics"),
            *("recipes", "report"),
        ),
        "background": ("apart", "challenge", "encoder", "groups", "judging", "listening"),
    },
    "api": {
        "metrics": (),
        "codes": (),
        "schemas": (),
        "log": (),
        "request_log": (),
        "document": ("auth", "ids", "problems", "schemas"),
        "problems": ("codes", "request_log"),
        "services": ("metrics",),
        "auth": ("problems", "schemas", "services"),
        "pages": ("codes", "problems", "services"),
        "routes": ("codes", "metrics", "problems", "schemas", "services"),
        "modules": (),
        "ids": ("codes", "problems"),
        "supervise": (),
        "terminal": ("codes",),
        "app": (
            *("auth", "document", "ids", "metrics", "modules", "pages", "problems", "request_log"),
            *("routes", "schemas", "services"),
        ),
        "commands": ("app", "auth", "log", "services", "supervise", "terminal"),
        "cli": ("commands", "log", "modules", "terminal"),
    },
}

# library -> where it may be imported. numpy and scipy are at home everywhere.
HOMES = {
    "tensorflow": ("training/*",),
    "keras": ("training/*",),
    "sklearn": ("training/*",),
    "matplotlib": ("training/report/svg.py", "training/report/pictures.py"),
    "umap": ("training/judging/maps.py",),
    "jinja2": ("training/report/page.py", "recommender/feeds/digest.py"),
    "librosa": ("embeddings/audio.py", "embeddings/channels.py", "embeddings/mel.py"),
    "soundfile": ("embeddings/decoding/with_libsndfile.py", "training/demo/library.py"),
    "soxr": ("embeddings/audio.py",),
    "av": (
        *("embeddings/decoding/with_libav.py", "embeddings/decoding/with_libav_frames.py"),
        "embeddings/pictures.py",
    ),
    "ai_edge_litert": ("embeddings/network.py",),
    "faiss": ("recommender/model/index.py",),
    "charset_normalizer": ("recommender/sources/rows/text_decoding.py",),
    "tinytag": ("recommender/sources/tags.py",),
    "rapidfuzz": (
        *("recommender/matching/name_comparison.py", "recommender/matching/known_names.py"),
        "recommender/matching/version_words.py",
    ),
    "requests": ("recommender/sources/web/*", "recommender/sources/spotify/*"),
    "urllib3": ("recommender/sources/web/*", "recommender/sources/spotify/*"),
    "spotipy": ("recommender/sources/spotify/*",),
    "feedparser": ("recommender/sources/servers/syndication.py",),
    "sqlalchemy": (*("recommender/catalogue/*", "recommender/jobs/*", "migrations/*"),),
    "alembic": ("recommender/catalogue/database.py", "migrations/*"),
    "huey": ("recommender/jobs/queue.py",),
    "flask": ("api/*",),
    "apiflask": ("api/*",),
    "marshmallow": ("api/*",),
    "werkzeug": ("api/*",),
    "click": ("api/*",),
    "waitress": ("api/*",),
    "tqdm": ("api/*",),
    "numpy": ("*",),
    "scipy": ("*",),
    "threadpoolctl": ("training/*",),
}
# These name the type of the transactions that they are handed; they never build a query.
LENT = {("training", "sqlalchemy.orm", "Session"), ("recommender", "sqlalchemy.orm", "Session")}

TOP_LEVEL = {
    *PACKAGES,
    *("tests", "migrations", "requirements.txt", "README.md"),
    *(
        "requirements-dev.txt",
        "requirements-serve.txt",
        "requirements-gpu.txt",
        "requirements-counterparts.txt",
        "pyproject.toml",
        "Makefile",
        "LICENSE",
        "CHANGELOG.md",
        "docs",
    ),
    *(".ci", ".gitignore", ".gitattributes", "Dockerfile", "compose.yaml", ".dockerignore"),
}


@dataclass(frozen=True)
class Import:
    """One imported name: ``from module import name``, or ``import module`` with an empty name."""

    module: str
    name: str
    line: int
    is_lazy: bool


@cache
def source_files() -> tuple[str, ...]:
    """Every Python file of the packages and the migrations, relative to the repository."""
    folders = (REPOSITORY / name for name in (*PACKAGES, "migrations"))
    return tuple(
        sorted(path.relative_to(REPOSITORY).as_posix() for folder in folders for path in folder.rglob("*.py"))
    )


def read_source(file: str) -> str:
    return (REPOSITORY / file).read_text(encoding="utf-8")


def find_imports(source: str) -> Iterator[Import]:
    tree = ast.parse(source)
    deferring = (node for node in ast.walk(tree) if is_deferring(node))
    lazy = {id(inner) for node in deferring for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno, id(node) in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are written in full"
            for alias in node.names:
                yield Import(node.module or "", alias.name, node.lineno, id(node) in lazy)


def is_deferring(node: ast.AST) -> bool:
    """Whether what stands inside is not imported with the module: a function, or types only."""
    for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return for_types or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def is_within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")


def check_import_table(file: str, source: str) -> list[str]:
    package = file.partition("/")[0]
    wrong = []
    for found in find_imports(source):
        target = found.module.partition(".")[0]
        # ``from embeddings import errors`` imports the module embeddings.errors.
        names = (found.module, f"{found.module}.{found.name}")
        allowed = any(is_within(name, prefix) for name in names for prefix in IMPORT_TABLE[package])
        by_command_line = file == COMMAND_LINE and target == "training" and found.is_lazy
        if target in IMPORT_TABLE and not allowed and not by_command_line:
            wrong.append(f"{file}:{found.line} imports {found.module}")
    return wrong


def room_of(module: str) -> str:
    """The room of a module inside its package: its folder, or its own name where folders stand beside it."""
    package, *rest = module.split(".")
    folder = REPOSITORY.joinpath(package, *rest)
    if folder.is_dir():
        return ".".join(rest)
    parent = ".".join(rest[:-1])
    is_room = parent in ROOMS.get(package, {}) or parent in FOUNDATIONS.get(package, ())
    return parent if is_room or not ROOMS.get(package) else ".".join(rest)


def rooms_imported(file: str, source: str) -> Iterator[tuple[str, int]]:
    """Each other room of its own package that a file imports, also inside functions, and the line."""
    package, _, rest = file.removesuffix(".py").partition("/")
    here = room_of(f"{package}.{rest.replace('/', '.')}")
    for found in find_imports(source):
        inside = REPOSITORY / found.module.replace(".", "/") / found.name
        is_module = bool(found.name) and (inside.is_dir() or inside.with_suffix(".py").is_file())
        module = f"{found.module}.{found.name}" if is_module else found.module
        if is_within(module, package) and module != package and room_of(module) != here:
            yield room_of(module), found.line


def check_room_table(file: str, source: str) -> list[str]:
    package, _, rest = file.removesuffix(".py").partition("/")
    if package not in ROOMS or file.endswith("__init__.py"):
        return []
    here = room_of(f"{package}.{rest.replace('/', '.')}")
    foundations = FOUNDATIONS.get(package, ())
    if here not in ROOMS[package] and here not in foundations and here.partition(".")[0] in ROOMS[package]:
        return [f"{file} is in a room that is not in the table: {here}"]
    allowed = ROOMS[package].get(here, ())
    return [
        f"{file}:{line} in {here} imports {room}"
        for room, line in rooms_imported(file, source)
        if room not in allowed and room not in foundations
    ]


def check_homes(file: str, source: str) -> list[str]:
    wrong = []
    for found in find_imports(source):
        library = found.module.partition(".")[0]
        if library in sys.stdlib_module_names or library in IMPORT_TABLE:
            continue
        at_home = any(fnmatch(file, home) for home in HOMES.get(library, ()))
        if not at_home and (file.partition("/")[0], found.module, found.name) not in LENT:
            homes = ", ".join(HOMES.get(library, ("nowhere yet",)))
            wrong.append(f"{file}:{found.line} imports {found.module}, which is at home in {homes}")
    return wrong


def check_environment(file: str, source: str) -> list[str]:
    if file == SETTINGS_MODULE:
        return []
    readers = {"environ", "environb", "getenv", "putenv"}
    return [
        f"{file}:{node.lineno} touches the environment"
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in readers and ast.unparse(node.value) == "os")
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and readers & {a.name for a in node.names}
        )
    ]


def check_star_imports(file: str, source: str) -> list[str]:
    return [f"{file}:{found.line} imports *" for found in find_imports(source) if found.name == "*"]


def check_package_file(file: str, source: str) -> list[str]:
    """An ``__init__.py`` says what the package is, and does nothing."""
    if not file.endswith("__init__.py"):
        return []
    tree = ast.parse(source)
    return [] if ast.get_docstring(tree) and len(tree.body) == 1 else [f"{file} holds more than a docstring"]


def check_sizes(file: str, source: str) -> list[str]:
    n_lines = len(source.splitlines())
    wrong = [f"{file} has {n_lines} lines"] if n_lines > MAX_MODULE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and not file.startswith("migrations/"):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            n_body = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if n_body > MAX_FUNCTION_LINES:
                wrong.append(f"{file}:{node.lineno} {node.name} has {n_body} lines")
    return wrong


CHECKS = (
    check_import_table,
    check_room_table,
    check_homes,
    check_environment,
    check_star_imports,
    check_package_file,
    check_sizes,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_module_keeps_the_rules(check: Check) -> None:
    assert [wrong for file in source_files() for wrong in check(file, read_source(file))] == []


@pytest.mark.parametrize(
    ("check", "file", "source"),
    [
        (check_import_table, "embeddings/mel.py", "import recommender.model.index"),
        (check_import_table, "recommender/answering/ranking.py", "def f():\n from training import folds"),
        (check_import_table, "api/app.py", "from embeddings.audio import read_windows"),
        (check_import_table, "api/routes/recommend.py", "def f():\n import training.groups.refit"),
        (check_import_table, "api/cli.py", "import training.groups.refit"),
        (check_import_table, "migrations/env.py", "from recommender.catalogue import migrate"),
        (check_room_table, "recommender/model/heads.py", "from recommender.answering.ranking import rank"),
        (check_room_table, "recommender/model/heads.py", "def f():\n from recommender.feeds import digest"),
        (check_room_table, "training/folds.py", "from training import metrics"),
        (check_room_table, "api/routes/jobs.py", "import api.app"),
        (check_homes, "embeddings/mel.py", "import tensorflow as tf"),
        (check_homes, "recommender/answering/ranking.py", "import faiss"),
        (check_homes, "training/groups/refit.py", "from sqlalchemy import select"),
        (check_homes, "api/app.py", "import a_library_without_a_home"),
        (check_environment, "api/app.py", "import os\nport = os.environ['PORT']"),
        (check_environment, "api/app.py", "from os import getenv"),
        (check_star_imports, "api/app.py", "from recommender.records.tracks import *"),
        (check_package_file, "api/__init__.py", '"""The web."""\nfrom api.app import create_app'),
        (check_package_file, "api/__init__.py", ""),
        (check_sizes, "api/app.py", "x = 1\n" * 301),
        (check_sizes, "api/app.py", "def f():\n" + " x = 1\n" * 41),
    ],
)
def test_the_rules_can_be_broken(check: Check, file: str, source: str) -> None:
    assert len(check(file, source)) == 1


@pytest.mark.parametrize(
    ("check", "file", "source"),
    [
        (check_import_table, "api/cli.py", "def f():\n from training.groups.refit import refit"),
        (check_import_table, "api/app.py", "from embeddings import errors"),
        (check_room_table, "recommender/answering/ranking.py", "from recommender.model import bundle"),
        (check_room_table, "recommender/sources/web/reading.py", "from recommender.errors import HasCode"),
        (check_homes, "training/groups/refit.py", "from sqlalchemy.orm import Session"),
        (check_environment, SETTINGS_MODULE, "import os\nos.environ"),
        (check_sizes, "api/app.py", 'def f():\n """Long.' + "\n" * 50 + '"""\n return 1'),
    ],
)
def test_the_rules_allow_what_they_should(check: Check, file: str, source: str) -> None:
    assert check(file, source) == []


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_have_no_circles(package: str) -> None:
    order = tuple(TopologicalSorter(ROOMS[package]).static_order())
    assert set(order) == set(ROOMS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_every_door_between_rooms_is_used(package: str) -> None:
    used: dict[str, set[str]] = {room: set() for room in ROOMS[package]}
    for file in source_files():
        here = room_of(file.removesuffix(".py").replace("/", "."))
        if file.startswith(f"{package}/") and here in used:
            used[here] |= {room for room, _ in rooms_imported(file, read_source(file))}
    foundations = set(FOUNDATIONS.get(package, ()))
    assert {room: sorted(found - foundations) for room, found in used.items()} == {
        room: sorted(allowed) for room, allowed in ROOMS[package].items()
    }


def test_no_room_is_a_hall() -> None:
    counts = Counter(str(Path(file).parent) for file in source_files() if not file.endswith("__init__.py"))
    del counts["migrations/versions"]
    assert [folder for folder, n_modules in counts.items() if n_modules > MAX_ROOM_MODULES] == []


def test_no_module_imports_itself_by_a_detour() -> None:
    """Also not inside functions: a circle that is hidden there is one all the same."""
    modules = {file.removesuffix(".py").replace("/", "."): file for file in source_files()}
    graph = {}
    for module, file in modules.items():
        found = find_imports(read_source(file))
        names = {name for entry in found for name in (entry.module, f"{entry.module}.{entry.name}")}
        graph[module] = names & modules.keys() - {module}
    assert len(tuple(TopologicalSorter(graph).static_order())) == len(modules)


def test_the_top_level_stays_as_it_is() -> None:
    command = ["git", "-c", "core.quotepath=off", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no git here to say which files are of the project")
    if done.returncode:
        pytest.skip("this checkout is no git repository, so nothing says which files are of the project")
    found = {line.partition("/")[0] for line in done.stdout.splitlines()}
    assert found <= TOP_LEVEL
    assert {*PACKAGES, "tests", "migrations", "requirements.txt", "README.md"} <= found


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("api.app", ("tensorflow", "keras", "training", "sklearn", "matplotlib", "numba")),
        ("api.cli", ("tensorflow", "keras", "training", "sklearn", "matplotlib", "flask", "faiss_python")),
        ("training.background.handlers", (*sorted(TRAINING_LIBRARIES), "api")),
        ("training.groups.refit", ("tensorflow", "keras", "matplotlib", "flask", "api")),
    ],
)
def test_importing_stays_light(module: str, heavy: tuple[str, ...]) -> None:
    """A process of its own, because this one has imported everything already."""
    code = f"import sys, {module}; print(sorted(set({heavy!r}) & sys.modules.keys()))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)
