"""Score cards on disk: replaced in one step, and a damaged one is as good as none."""

import math
from pathlib import Path

import pytest

from recommender.model.scorecards import read_scorecard, read_scorecard_page, write_scorecard
from recommender.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"data": tmp_path}, environ={})


def test_there_and_back(settings: Settings) -> None:
    folder = write_scorecard(settings, "2026-11-20-1", {"seed": 3}, "<p>été")
    assert folder == settings.data / "scorecards" / "2026-11-20-1"
    assert read_scorecard(settings, "2026-11-20-1") == {"seed": 3}
    assert read_scorecard_page(settings, "2026-11-20-1") == "<p>été"
    write_scorecard(settings, "2026-11-20-1", {"seed": 4}, "<p>again")
    assert read_scorecard(settings, "2026-11-20-1") == {"seed": 4}
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "scorecard.json"]


def test_none_yet(settings: Settings) -> None:
    assert read_scorecard(settings, "2026-11-20-1") is None
    assert read_scorecard_page(settings, "2026-11-20-1") is None


def test_a_damaged_card_is_none(settings: Settings) -> None:
    folder = write_scorecard(settings, "2026-11-20-1", {"seed": 3}, "<p>")
    (folder / "scorecard.json").write_text('{"seed": ')
    assert read_scorecard(settings, "2026-11-20-1") is None


def test_what_cannot_be_written_leaves_what_was_there(settings: Settings) -> None:
    folder = write_scorecard(settings, "2026-11-20-1", {"seed": 3}, "<p>")
    with pytest.raises(ValueError, match="JSON"):
        write_scorecard(settings, "2026-11-20-1", {"seed": math.nan}, "<p>")
    assert read_scorecard(settings, "2026-11-20-1") == {"seed": 3}
    assert len(list(folder.iterdir())) == 2
