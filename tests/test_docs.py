"""README.md against the program: all its routes, settings, commands and exit codes, and no others."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from apiflask import APIFlask

from api.answer_schemas import RecommendationSchema
from api.app import create_app
from api.cli import main
from api.services import find_services
from api.terminal import ExitCode
from recommender.database import Database
from recommender.settings import SETTINGS, Settings
from tests.databases import sqlite_only

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
METHODS = ("GET", "POST", "PUT", "DELETE")


def table_rows(first_title: str) -> list[list[str]]:
    """The cells of the table whose first column has this title."""
    lines = iter(README.splitlines())
    for line in lines:
        if line.startswith(f"| {first_title} |"):
            next(lines)
            break
    else:
        raise AssertionError(f"README.md has no table that begins with {first_title!r}")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


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
            option for param in command.params if isinstance(param, click.Option) for option in param.opts
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


def test_the_files_that_the_readme_names_exist() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []
