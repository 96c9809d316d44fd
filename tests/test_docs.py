"""The documents against the program: all its routes, settings, commands and exit codes, and no others."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from apiflask import APIFlask

from api.app import create_app
from api.cli import main
from api.schemas.answers import RecommendationSchema
from api.services import find_services
from api.terminal import ExitCode
from recommender.catalogue.database import Database
from recommender.settings import SETTINGS, Settings
from tests.databases import sqlite_only
from tests.test_architecture import ROOMS

REPOSITORY = Path(__file__).parent.parent
PAGES = {
    path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8")
    for path in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
}
README = PAGES["README.md"]
ALL_PAGES = "\n".join(PAGES.values())
METHODS = ("GET", "POST", "PUT", "DELETE")


def table_rows(first_title: str) -> list[list[str]]:
    """The cells of the table whose first column has this title."""
    lines = iter(ALL_PAGES.splitlines())
    for line in lines:
        if line.startswith(f"| {first_title} |"):
            next(lines)
            break
    else:
        raise AssertionError(f"no page has a table that begins with {first_title!r}")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", ALL_PAGES, re.MULTILINE | re.DOTALL)


def shell_lines() -> list[str]:
    """Each command of the shell blocks, without comments and prompts; continued lines are joined."""
    text = "\n".join(code_blocks("sh")).replace("\\\n", " ")
    return [line for raw in text.splitlines() if (line := raw.partition("  #")[0].strip())]


def walk_commands(group: click.Group, prefix: str = "whichlist") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walk_commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


COMMANDS = dict(walk_commands(main))


@pytest.fixture
def app(settings: Settings, database: Database) -> Iterator[APIFlask]:
    """The application, on an empty database."""
    app = create_app(settings)
    yield app
    find_services(app).database.close()


@sqlite_only
def test_every_route_is_in_the_table_and_nothing_else(app: APIFlask) -> None:
    converter = re.compile(r"<(?:\w+:)?(\w+)>")
    routes = set()
    for rule in app.url_map.iter_rules():
        path = converter.sub(r"{\1}", rule.rule)
        if not rule.endpoint.startswith("static"):
            routes |= {f"`{method} {path}`" for method in (rule.methods or set()) & set(METHODS)}
    assert {row[0] for row in table_rows("Call")} == routes


def test_every_setting_is_in_the_table_as_it_is() -> None:
    rows = [(f"`{s.variable}`", s.default, s.description) for s in SETTINGS]
    assert [(row[0], row[1].strip("`"), row[2]) for row in table_rows("Variable")] == rows


def test_every_command_is_in_the_table_with_its_options() -> None:
    rows = {}
    for usage, _ in table_rows("Command"):
        name = next(name for name in COMMANDS if f"{usage.strip('`')} ".startswith(f"{name} "))
        rows[name] = usage
    assert rows.keys() == COMMANDS.keys()
    for name, command in COMMANDS.items():
        given = {
            option
            for param in command.params
            if isinstance(param, click.Option) and not param.hidden
            for option in param.opts
        }
        assert set(re.findall(r"--[a-z-]+", rows[name])) == given, name


def test_every_exit_code_is_in_the_table() -> None:
    assert {int(row[0]) for row in table_rows("Exit code")} == set(ExitCode)


@sqlite_only
def test_every_curl_line_reaches_a_route(app: APIFlask) -> None:
    lines = [line for line in shell_lines() if line.startswith("curl ")]
    assert lines
    routes = app.url_map.bind("127.0.0.1")
    for line in lines:
        words = shlex.split(line)
        url = next(word for word in words if "://" in word)
        sends = {"-F", "-d", "--data", "--json"} & set(words)
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if sends else "GET"
        routes.match(urlsplit(url).path, method=method)


def test_every_whichlist_line_is_a_command_with_options_that_exist() -> None:
    lines = [line for line in shell_lines() if "whichlist " in line and not line.startswith("curl ")]
    assert lines
    for line in lines:
        words = shlex.split(line)
        words = ["whichlist", *words[words.index(next(w for w in words if w.endswith("whichlist"))) + 1 :]]
        name = next(name for name in COMMANDS if f"{' '.join(words)} ".startswith(f"{name} "))
        given = {option for param in COMMANDS[name].params for option in param.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= given, line


def test_the_answer_shown_has_the_shape_of_an_answer() -> None:
    (block,) = code_blocks("json")
    answer = json.loads(block)
    assert RecommendationSchema().validate(answer) == {}
    assert answer["playlists"][0]["probability"] >= answer["playlists"][1]["probability"]


def test_every_make_line_is_a_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    targets = {line.split()[1] for line in shell_lines() if line.startswith("make ")}
    assert {"run", "test"} <= targets <= set(phony[1].split())
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in phony[1].split())


def test_the_files_that_the_pages_name_exist() -> None:
    for page, text in PAGES.items():
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)\)", text)
        folder = (REPOSITORY / page).parent
        assert [link for link in links if not (folder / link).exists()] == [], page


def test_every_page_is_reached_from_the_readme() -> None:
    assert {f"docs/{link}" for link in re.findall(r"\]\(docs/([\w-]+\.md)\)", README)} == PAGES.keys() - {
        "README.md"
    }


def test_the_readme_is_two_pages() -> None:
    assert len(README.splitlines()) <= 200


def journeys() -> dict[str, list[str]]:
    """Title of each journey of docs/architecture.md -> its stops, ``module:function``, in order."""
    text = PAGES["docs/architecture.md"].partition("## Five journeys")[2]
    return {
        part.partition("\n")[0]: re.findall(r"^\d+\. `([\w.]+:[\w.]+)`", part, re.MULTILINE)
        for part in text.split("\n### ")[1:]
    }


def body_of(stop: str) -> ast.AST:
    """The function that a stop names; it must exist."""
    module, _, name = stop.partition(":")
    node: ast.AST = ast.parse((REPOSITORY / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    for part in name.split("."):
        inner = {
            child.name: child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.FunctionDef | ast.ClassDef)
        }
        assert part in inner, f"{stop} does not exist"
        node = inner[part]
    return node


def names_used(node: ast.AST) -> set[str]:
    inside = list(ast.walk(node))
    attributes = {found.attr for found in inside if isinstance(found, ast.Attribute)}
    return attributes | {found.id for found in inside if isinstance(found, ast.Name)}


@pytest.mark.parametrize("title", journeys())
def test_each_stop_of_a_journey_calls_the_next(title: str) -> None:
    stops = journeys()[title]
    assert 5 <= len(stops) <= 8
    for stop, following in pairwise(stops):
        assert re.split(r"[:.]", following)[-1] in names_used(body_of(stop)), f"{stop} -> {following}"
    body_of(stops[-1])


def test_there_are_five_journeys_and_other_functions_named_exist() -> None:
    assert len(journeys()) == 5
    text = PAGES["docs/architecture.md"]
    for stop in re.findall(r"`((?:embeddings|recommender|training|api)\.[\w.]+:[\w.]+)`", text):
        body_of(stop)


def test_every_room_is_on_the_plan() -> None:
    plan = PAGES["docs/architecture.md"].partition("```")[2].partition("```")[0]
    rooms = {room.rpartition(".")[2] for package in ROOMS.values() for room in package}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", plan)} == set()
