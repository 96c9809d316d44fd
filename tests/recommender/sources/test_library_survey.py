"""Folders are told apart by where their files lie and what the tags of a few say."""

from pathlib import Path

import pytest

from recommender.errors import UnreadableFolder
from recommender.sources.library_survey import FolderKind, survey_library
from tests.folders import write_track

PLAYLIST, ARTIST, ALBUM, EMPTY = FolderKind


def fill(folder: Path, *files: tuple[str, str, str]) -> None:
    """(path below the folder, artist, album) of each file; no tags where both are empty."""
    for number, (name, artist, album) in enumerate(files):
        write_track(
            folder / name,
            tone_hz=200.0 + number,
            title=f"Title {number}",
            artist=artist,
            album=album,
            duration_s=0.1,
        )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("a.flac", "Ada", "X"), ("b.flac", "Ben", "Y"), ("c.flac", "Cy", "Z")], PLAYLIST),
        ([("One/a.flac", "Mix", "One"), ("Two/b.flac", "Mix", "Two")], ARTIST),
        ([("a.flac", "Folder", "X"), ("b.flac", "folder", "Y")], ARTIST),
        ([("a.flac", "Ada", "Folder"), ("b.flac", "Ada", "Folder")], ALBUM),
        ([("a.flac", "Ada", "X"), ("b.flac", "Ada", "Y")], PLAYLIST),  # one artist, but not named so
        ([("a.flac", "Ada", "Folder"), ("b.flac", "Ben", "Folder"), ("c.flac", "Cy", "Folder")], ALBUM),
        ([("Ada/X/a.flac", "Ada", "X"), ("Ben/Y/b.flac", "Ben", "Y")], PLAYLIST),  # a genre of artists
        ([("a.flac", "", ""), ("b.flac", "", "")], PLAYLIST),
        ([("One/a.flac", "", ""), ("Two/b.flac", "", "")], ARTIST),
    ],
)
def test_what_a_folder_looks_like(
    tmp_path: Path, files: list[tuple[str, str, str]], expected: FolderKind
) -> None:
    fill(tmp_path / "A folder", *files)
    [found] = survey_library(tmp_path)
    assert (found.kind, found.n_files, found.name) == (expected, len(files), "A folder")


def test_every_folder_is_looked_at_and_hidden_ones_are_not(tmp_path: Path) -> None:
    fill(tmp_path / "gym", ("a.flac", "Ada", "X"), ("b.flac", "Ben", "Y"))
    (tmp_path / "empty").mkdir()
    fill(tmp_path / ".trash", ("a.flac", "Ada", "X"))
    fill(tmp_path / "Various Artists", ("X/a.flac", "Ada", "X"))
    found = {folder.name: folder.kind for folder in survey_library(tmp_path)}
    assert found == {"gym": PLAYLIST, "empty": EMPTY, "Various Artists": ALBUM}
    assert [folder.name for folder in survey_library(tmp_path, but_not=[tmp_path / "gym"])] == [
        "Various Artists",
        "empty",
    ]


def test_a_library_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFolder, match="nowhere"):
        survey_library(tmp_path / "nowhere")
