"""Progress on a terminal and elsewhere, and what programs rely on."""

import json
import sys

import click
import pytest
from click.testing import CliRunner

from api.codes import find_problem
from api.terminal import ExitCode, OurGroup, Progress, describe_error, exit_code_of, print_json, print_table
from embeddings.errors import SilentAudio
from recommender.errors import NoSuchTrack, SchemaOutdated, SettingsError
from recommender.model.in_service import NoModel


def test_elsewhere_than_on_a_terminal_each_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("scan") as progress:
        for n_done in range(50):
            progress(n_done, 100, f"listening: {n_done}.mp3")
        progress(0, 2, "fitting")
        progress(2, 2, "fitting")
    output = capsys.readouterr()
    assert output.err.splitlines() == ["scan: listening", "scan: fitting"]
    assert output.out == ""


def test_on_a_terminal_there_is_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("scan") as progress:
        progress(1, 4, "listening")
        progress(4, 4, "done")
    output = capsys.readouterr()
    assert "scan:" in output.err
    assert "4/4" in output.err
    assert "100%" in output.err
    assert output.err.endswith("\n")  # what comes next begins on a line of its own
    assert output.out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoSuchTrack("x"), ExitCode.FAILED),
        (SilentAudio("x"), ExitCode.FAILED),
        (SettingsError("x"), ExitCode.USAGE),
        (NoModel("x"), ExitCode.NOT_READY),
        (SchemaOutdated("x"), ExitCode.NOT_READY),
    ],
)
def test_errors_become_a_sentence_what_to_do_and_an_exit_code(error: Exception, code: ExitCode) -> None:
    @click.group(cls=OurGroup)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])
    assert result.exit_code == code == exit_code_of(error)  # type: ignore[arg-type]
    assert "whichlist: x" in result.stderr
    actions = [found.at_terminal for found in [find_problem(error.code)] if found]  # type: ignore[attr-defined]
    assert result.stderr.splitlines()[1:] == actions


def test_an_error_for_programs_has_code_detail_and_action() -> None:
    described = describe_error(NoModel("nothing yet"))
    assert (described["code"], described["detail"]) == ("no_model", "nothing yet")
    assert "add-playlist" in described["action"]


def test_tables_line_up(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "N"), [("a", 1), ("longer", None)])
    assert capsys.readouterr().out.splitlines() == ["NAME    N", "a       1", "longer"]


def test_documents_are_one_line_each_and_never_hold_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": "line\nbreak"})
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"a": "line\nbreak"}]
    with pytest.raises(ValueError, match="JSON"):
        print_json({"a": float("nan")})
