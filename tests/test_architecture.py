"""The layout, the import table and the homes of libraries, read from the source itself."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
Check = Callable[[str, str], list[str]]

PACKAGES = ("embeddings", "recommender", "training", "api")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
SETTINGS_MODULE = "recommender/settings.py"

# importer -> what of our own it may import. The command line may reach into training, inside functions only.
IMPORT_TABLE = {
    "embeddings": ("embeddings",),
    "recommender": ("embeddings", "recommender"),
    "training": ("embeddings", "recommender", "training"),
    "api": ("embeddings.errors", "recommender", "api"),
    "migrations": ("recommender.tables",),
}
COMMAND_LINE = "api/cli.py"

# library -> where it may be imported. numpy and scipy are at home everywhere.
HOMES = {
    "tensorflow": ("training/*",),
    "keras": ("training/*",),
    "sklearn": ("training/*",),
    "matplotlib": ("training/svg.py", "training/pictures.py"),
    "umap": ("training/maps.py",),
    "jinja2": ("training/scorecard_page.py", "recommender/digest.py"),
    "librosa": ("embeddings/audio.py", "embeddings/channels.py", "embeddings/mel.py"),
    "soundfile": ("embeddings/audio.py", "training/demo_library.py"),
    "soxr": ("embeddings/audio.py",),
    "av": ("embeddings/decoders.py",),
    "ai_edge_litert": ("embeddings/encoder.py",),
    "faiss": ("recommender/index.py",),
    "tinytag": ("recommender/sources/folder.py",),
    "rapidfuzz": (
        *("recommender/name_comparison.py", "recommender/known_names.py"),
        "recommender/version_words.py",
    ),
    "requests": ("recommender/sources/web*.py", "recommender/sources/spotify*.py"),
    "urllib3": ("recommender/sources/web*.py", "recommender/sources/spotify*.py"),
    "spotipy": ("recommender/sources/spotify*.py",),
    "feedparser": ("recommender/sources/syndication.py",),
    "sqlalchemy": (
        *("recommender/tables*.py", "recommender/database*.py", "recommender/catalogue*.py"),
        *("recommender/queries.py", "recommender/job*.py", "migrations/*"),
    ),
    "alembic": ("recommender/database.py", "migrations/*"),
    "huey": ("recommender/job*.py",),
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
    *("requirements-dev.txt", "pyproject.toml", "Makefile", "LICENSE", "CHANGELOG.md", "SCALING.md"),
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
        (check_import_table, "embeddings/mel.py", "import recommender.index"),
        (check_import_table, "recommender/ranking.py", "def f():\n from training import folds"),
        (check_import_table, "api/app.py", "from embeddings.audio import read_windows"),
        (check_import_table, "api/recommend.py", "def f():\n import training.refit"),
        (check_import_table, "api/cli.py", "import training.refit"),
        (check_import_table, "migrations/env.py", "from recommender.catalogue import migrate"),
        (check_homes, "embeddings/mel.py", "import tensorflow as tf"),
        (check_homes, "recommender/ranking.py", "import faiss"),
        (check_homes, "training/refit.py", "from sqlalchemy import select"),
        (check_homes, "api/app.py", "import a_library_without_a_home"),
        (check_environment, "api/app.py", "import os\nport = os.environ['PORT']"),
        (check_environment, "api/app.py", "from os import getenv"),
        (check_star_imports, "api/app.py", "from recommender.records import *"),
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
        (check_import_table, "api/cli.py", "def f():\n from training.refit import refit"),
        (check_import_table, "api/app.py", "from embeddings import errors"),
        (check_homes, "training/refit.py", "from sqlalchemy.orm import Session"),
        (check_environment, SETTINGS_MODULE, "import os\nos.environ"),
        (check_sizes, "api/app.py", 'def f():\n """Long.' + "\n" * 50 + '"""\n return 1'),
    ],
)
def test_the_rules_allow_what_they_should(check: Check, file: str, source: str) -> None:
    assert check(file, source) == []


def test_no_module_imports_itself_by_a_detour() -> None:
    modules = {file.removesuffix(".py").replace("/", "."): file for file in source_files()}
    graph = {}
    for module, file in modules.items():
        found = [entry for entry in find_imports(read_source(file)) if not entry.is_lazy]
        names = {name for entry in found for name in (entry.module, f"{entry.module}.{entry.name}")}
        graph[module] = names & modules.keys() - {module}
    assert len(tuple(TopologicalSorter(graph).static_order())) == len(modules)


def test_the_top_level_stays_as_it_is() -> None:
    command = ["git", "-c", "core.quotepath=off", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    found = {line.partition("/")[0] for line in listed.splitlines()}
    assert found <= TOP_LEVEL
    assert {*PACKAGES, "tests", "migrations", "requirements.txt", "README.md"} <= found


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("api.app", ("tensorflow", "keras", "training", "sklearn", "matplotlib", "numba")),
        ("api.cli", ("tensorflow", "keras", "training", "sklearn", "matplotlib", "flask", "faiss_python")),
        ("training.handlers", ("tensorflow", "keras", "matplotlib", "flask", "api")),
        ("training.refit", ("tensorflow", "keras", "matplotlib", "flask", "api")),
    ],
)
def test_importing_stays_light(module: str, heavy: tuple[str, ...]) -> None:
    """A process of its own, because this one has imported everything already."""
    code = f"import sys, {module}; print(sorted(set({heavy!r}) & sys.modules.keys()))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)
