"""Arguments that no column and no file system holds: every command answers with a sentence."""

import pytest

from tests.api.commands.test_cli import Run, prepared, run, with_playlists  # noqa: F401


@pytest.mark.parametrize(
    "command",
    [
        ("recommend", "?"),
        ("path", "?", "1"),
        ("jobs", "?"),
        ("export", "?"),
        ("match-report", "?"),
        ("match-decide", "?", "1", "--reject"),
        ("match-decide", "low", "?", "--reject"),
        ("feedback", "?", "liked"),
        ("feedback", "1", "right", "?"),
        ("add-to", "?", "1"),
        ("add-to", "low", "?"),
        ("take-out", "low", "?"),
        ("remove-playlist", "?"),
        ("add-playlist", "new", "?"),
        ("score-feed", "?"),
        ("send-playlist", "?", "--to", "subsonic"),
        ("models", "report", "?"),
        ("models", "promote", "?"),
        ("models", "compare", "?", "?"),
        ("evaluate", "?"),
    ],
    ids=" ".join,
)
def test_no_argument_leads_to_a_traceback(with_playlists: Run, command: tuple[str, ...]) -> None:  # noqa: F811
    for value in ("9" * 30, "-1", "0", "x" * 5_000, "x/" * 3_000, "é" * 300, "\n", "", "--no-such-option"):
        outcome = with_playlists(*(value if part == "?" else part for part in command), expect=None)
        assert isinstance(outcome.exception, SystemExit), (value[:20], outcome.exception, outcome.output)
        assert outcome.exit_code != 0, value[:20]
        assert outcome.stderr.strip(), value[:20]
        assert "Traceback" not in outcome.output
