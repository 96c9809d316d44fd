"""The Chromaprint of an audio file, by which AcoustID knows recordings; its own program makes it."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from recommender.errors import RecommenderError

PROGRAM = "fpcalc"
TIMEOUT_S = 60.0
# AcoustID compares the first two minutes.
_LENGTH_S = 120
# Some builds end so at the end of every file that is shorter; what they print is whole all the same.
_ENDED_EARLY = 3


class NoChromaprint(RecommenderError):
    """There is no Chromaprint of this file; the others are not concerned."""

    code = "no_chromaprint"


class ChromaprintTimeout(NoChromaprint):
    """The program did not come to an end with this file, and was ended."""

    code = "chromaprint_timeout"


@dataclass(frozen=True)
class Chromaprint:
    """The print of a file's first two minutes, and the length of the whole file in seconds."""

    text: str = field(repr=False)
    duration_s: float


def find_fpcalc() -> str | None:
    """Where the program is, or None."""
    return shutil.which(PROGRAM)


def read_chromaprint(program: str, path: Path, *, timeout_s: float = TIMEOUT_S) -> Chromaprint:
    """The Chromaprint of a file.

    Raises
    ------
    ChromaprintTimeout
        It was not there in time; the program runs no longer.
    NoChromaprint
        The program could not read the file, or printed none.
    """
    command = [program, "-json", "-length", str(_LENGTH_S), os.fspath(path.absolute())]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise ChromaprintTimeout(f"fpcalc took longer than {timeout_s:g} s and was ended") from None
    except OSError as error:
        raise NoChromaprint(f"fpcalc cannot be run: {error.strerror}") from error
    if done.returncode not in (0, _ENDED_EARLY):
        raise NoChromaprint(f"fpcalc cannot read the file: {_complaint(done.stderr, done.returncode)}")
    return _parse(done.stdout)


def _parse(printed: bytes) -> Chromaprint:
    try:
        answer = json.loads(printed)
        text, duration_s = answer["fingerprint"], float(answer["duration"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NoChromaprint("fpcalc printed no Chromaprint") from None
    if not (isinstance(text, str) and text and 1 <= duration_s < float("inf")):
        raise NoChromaprint("fpcalc found too little in the file to tell it by")
    return Chromaprint(text, duration_s)


def _complaint(said: bytes, returncode: int) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("ERROR: ")[:200] if lines else f"it ended with {returncode}"
