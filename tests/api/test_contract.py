"""A tester of another make, Schemathesis, holds the served program to its own OpenAPI document.

The seed is fixed and the number of cases bounded; ``make contract`` runs it longer and with other seeds.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import Filled
from tests.api.serving import served
from tests.counterparts.others import need_counterparts

CONFIG = Path(__file__).with_name("schemathesis.toml")
TOKEN = "a-token-of-the-tests"
N_CASES = os.environ.get("WHICHLIST_CONTRACT_CASES", "3")
SEED = os.environ.get("WHICHLIST_CONTRACT_SEED", "1")


@pytest.mark.parametrize("token", [None, TOKEN], ids=["open", "with-token"])
def test_the_document_is_kept(filled: Filled, tmp_path: Path, token: str | None) -> None:
    tester = need_counterparts().with_name("st")
    phases, checks = "examples,coverage,fuzzing,stateful", "all"
    with served(filled, tmp_path, token=token) as (url, _):
        command: list[str | Path] = [tester, "--config-file", CONFIG, "run", f"{url}/openapi.json"]
        command += ["--no-color", "--continue-on-failure", "--no-shrink"]
        command += ["--seed", SEED, "--max-examples", N_CASES, "--phases", phases, "--checks", checks]
        command += ["--header", f"Authorization: Bearer {token}"] if token else []
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
