"""Every kind of error: a stable code, its HTTP status, what to do in a program, at a page, at a terminal."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("problems.toml")


@dataclass(frozen=True)
class Problem:
    """One kind of error, as ``problems.toml`` has it."""

    code: str
    status: int
    title: str
    action: str
    page: str = ""
    terminal: str = ""

    @property
    def at_page(self) -> str:
        """What a person who looks at a page can do."""
        return self.page or self.action

    @property
    def at_terminal(self) -> str:
        """What a person who typed a command can do."""
        return self.terminal or self.action


@cache
def all_problems() -> dict[str, Problem]:
    """Code -> kind of error, in the order of the table."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {code: Problem(code, **values) for code, values in table.items()}


def find_problem(code: str) -> Problem | None:
    """Return the documented kind of error with this code."""
    return all_problems().get(code)


def get_problem(code: str) -> Problem:
    """Return the kind of error with a code that this program itself names."""
    return all_problems()[code]
