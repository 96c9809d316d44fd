"""The modules of a folder: a new route or command is a new file, and nothing has to be told of it."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def modules_of(package: ModuleType) -> list[ModuleType]:
    """Every module directly in a package, by name, imported."""
    return [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
