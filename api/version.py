"""Which Whichlist this is."""

import tomllib
from importlib import metadata
from pathlib import Path


def _find_version() -> str:
    """The version of the package; of a checkout that was never installed, its own."""
    try:
        return metadata.version("whichlist")
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parent.parent / "pyproject.toml"
        found: str = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
        return found


VERSION = _find_version()
