"""Files of every program, read and matched with the library that they were made of: each row is right."""

from pathlib import Path

import pytest

from recommender.catalogue.database import Database
from recommender.matching.identity import match_rows
from recommender.playlists.library_hints import LibraryHints
from recommender.records.matches import Strength
from recommender.sources.files.reading import read_playlists
from tests.databases import sqlite_only
from tests.playlist_exports import Export, exports, write_library
from tests.scanned import scan_names

pytestmark = sqlite_only


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    write_library(folder)
    return folder


@pytest.mark.parametrize("export", [pytest.param(export, id=export.written_by) for export in exports()])
def test_every_row_of_every_program_is_read_and_right(
    export: Export, music: Path, database: Database
) -> None:
    track_of = {
        path.relative_to(music).as_posix(): track_id for path, track_id in scan_names(database, music).items()
    }
    [playlist, *_] = read_playlists(export.data, name=export.name, hints=LibraryHints(database))
    with database.read_session() as session:
        matches = match_rows(session, playlist.rows)
    assert [row.title for row in playlist.rows if not row.title] == []
    assert [match.track_id for match in matches] == [track_of[track.place] for track in export.tracks]
    assert {match.strength for match in matches} == {Strength.STRONG}
