"""AcoustID's lookup (forms posted, errors with codes of its own), and a program that stands in for fpcalc."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.servers import Asked, FakeServer, Reply

KEY = "k3y-of-the-tests"
# What fpcalc prints of a file is its name here; its stem says how the program behaves.
_FPCALC = """#!/bin/sh
for path; do :; done
name="$(basename "$path")"
echo "$name" >> "{log}"
case "$name" in
endless*) exec sleep 600 ;;
broken*) echo "ERROR: Could not open the input file (Invalid data found)" >&2; exit 2 ;;
silent*) exit 1 ;;
garbage*) echo "%PDF-1.4" ;;
empty*) echo '{{"duration": 3.50, "fingerprint": ""}}' ;;
instant*) echo '{{"duration": 0.00, "fingerprint": "AQAA"}}' ;;
early*) echo "ERROR: Error decoding audio frame (End of file)" >&2
    echo '{{"duration": 200.40, "fingerprint": "'"$name"'"}}'; exit 3 ;;
*) echo '{{"duration": 200.40, "fingerprint": "'"$name"'"}}' ;;
esac
"""


def install_fpcalc(folder: Path) -> Path:
    """Put the program into a folder for the PATH; it notes the files it was given in ``heard.log`` there."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "fpcalc"
    program.write_text(_FPCALC.format(log=folder / "heard.log"))
    program.chmod(0o755)
    return program


def heard(program: Path) -> list[str]:
    log = program.with_name("heard.log")
    return log.read_text().splitlines() if log.exists() else []


def mbid(number: int) -> str:
    return f"cd2e7c47-16f5-46c6-a37c-{number:012x}"


def acoustid(number: int) -> str:
    return f"9ff43b6a-4f16-427c-93c2-{number:012x}"


def recording(number: int, artist: str = "", title: str = "", duration: float | None = 200) -> dict[str, Any]:
    found: dict[str, Any] = {"id": mbid(number)}
    if title:
        found["title"] = title
    if artist:
        names = artist.split(" & ")
        joins = [" & "] * (len(names) - 1) + [""]
        found["artists"] = [
            {"id": mbid(900), "name": name, "joinphrase": join}
            for name, join in zip(names, joins, strict=True)
        ]
    return found if duration is None else found | {"duration": duration}


def result(number: int, score: float, *recordings: Any) -> dict[str, Any]:
    found = {"id": acoustid(number), "score": score}
    return found | {"recordings": list(recordings)} if recordings else found


def refusal(code: int, message: str, status: int = 400) -> Reply:
    error = {"status": "error", "error": {"code": code, "message": message}}
    return Reply(json.dumps(error).encode(), status)


class FakeAcoustId(FakeServer):
    """``known`` is Chromaprint -> results."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, list[Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        form = read_form(asked)
        if (asked.method, asked.path, form.get("format")) != ("POST", "/v2/lookup", "json"):
            return Reply(b"<html>not found</html>", 404, content_type="text/html")
        if form.get("client") != KEY:
            return refusal(4, "invalid API key")
        if not form.get("duration", "").isdigit() or form["duration"] == "0":
            return refusal(8, 'parameter "duration" must be a positive integer')
        if form["fingerprint"].startswith("refused"):
            return refusal(3, "invalid fingerprint")
        results = self.known.get(form["fingerprint"], [])
        if "recordings" not in form.get("meta", ""):
            results = [{"id": found["id"], "score": found["score"]} for found in results]
        return Reply(json.dumps({"status": "ok", "results": results}).encode())


def read_form(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
