"""The files for containers: no daemon is needed to see that they speak of things that exist."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from recommender.settings import SETTINGS

REPOSITORY = Path(__file__).parent.parent
CHOSEN = {"WHICHLIST_API_TOKEN": "a token", "POSTGRES_PASSWORD": "secret", "MUSIC": "/srv/music"}


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml"])
def test_only_settings_that_exist_are_set(name: str) -> None:
    used = set(re.findall(r"WHICHLIST_[A-Z_]+", read(name)))
    assert used
    assert used <= {setting.variable for setting in SETTINGS}


def test_the_image_holds_every_package_and_nothing_ignored() -> None:
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", read("Dockerfile"), re.MULTILINE))
    sources = {source for line in copied for source in line.split()}
    packages = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {package.removesuffix("*") for package in packages} < sources
    let_through = {line.removeprefix("!") for line in read(".dockerignore").splitlines() if line[:1] == "!"}
    assert sources == let_through
    for source in sources:
        assert (REPOSITORY / source).exists()


def test_the_image_runs_as_a_user_of_its_own_on_a_python_that_is_supported() -> None:
    text = read("Dockerfile")
    assert set(re.findall(r"^FROM python:([\d.]+)-slim", text, re.MULTILINE)) <= {"3.11", "3.12", "3.13"}
    stages = dict(re.findall(r"^FROM (\S+ AS \S+)\n(.*?)(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL))
    runtime = next(steps for name, steps in stages.items() if name.endswith(" AS runtime"))
    assert re.search(r"^USER whichlist$", runtime, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", runtime, re.MULTILINE)
    assert {"runtime AS serve", "runtime AS all"} <= stages.keys()


def test_the_composition_trains_in_the_worker_only() -> None:
    text = read("compose.yaml")
    assert re.findall(r"target: (\w+)", text) == ["serve", "all"]
    assert "target: all" in text.partition("  worker:\n")[2]


def test_the_composition_is_understood() -> None:
    docker = shutil.which("docker")
    command = [docker or "docker", "compose", "--file", "compose.yaml", "config", "--format", "json"]
    if (
        docker is None
        or subprocess.run([*command[:2], "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("there is no `docker compose` here to read compose.yaml")
    done = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | CHOSEN, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"database", "migrate", "web", "worker"}
    worker, web = services["worker"], services["web"]
    assert worker["image"] == web["image"] == services["migrate"]["image"]
    assert worker["environment"] == web["environment"]
    assert worker["environment"]["WHICHLIST_QUEUE_URL"].startswith("postgresql://whichlist:secret@database/")
