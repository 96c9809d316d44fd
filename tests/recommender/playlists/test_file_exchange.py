"""Playlists of the catalogue out to files and back, also into a catalogue whose library lies elsewhere."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.catalogue.database import Database, open_database
from recommender.catalogue.files import record_file
from recommender.catalogue.playlists import create_playlist, playlist_tracks, set_members
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import PlaylistExists
from recommender.jobs.ledger import list_jobs
from recommender.playlists.file_exchange import EmptyPlaylist, Imported, import_from_file, playlist_for_export
from recommender.records.jobs import JobKind
from recommender.records.rows import SPOTIFY, SkippedRow, SourcePlaylist, SourceRow
from recommender.settings import load_settings
from recommender.sources.files.reading import choose_playlist, read_playlists
from recommender.sources.files.writing import PlaylistFormat, write_playlist
from recommender.sources.folder import read_facts
from tests.databases import sqlite_only
from training.demo.library import DemoLibrary

pytestmark = sqlite_only  # the queries behind run on both databases in tests of their own
Fill = Callable[[Database, Path], list[int]]


@pytest.fixture
def elsewhere(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Another, empty catalogue."""
    data = tmp_path / "elsewhere"
    data.mkdir()
    shutil.copyfile(sqlite_template, data / "whichlist.sqlite")
    database = open_database(load_settings({"data": data}, environ={}))
    yield database
    database.close()


@pytest.fixture
def fill(demo_library: DemoLibrary) -> Fill:
    """Record the files of the demo library as if it lay in a folder; track ids in the order of its paths."""

    def record(database: Database, folder: Path) -> list[int]:
        ids = []
        with database.session() as session:
            for path in sorted(demo_library.library.rglob("*.*")):
                place = folder / path.relative_to(demo_library.library)
                facts = replace(read_facts(path), content_sha256=path.name)
                ids.append(record_file(session, place, size=1, mtime_ns=1, facts=facts))
        return ids

    return record


def bring_in(database: Database, playlist: SourcePlaylist, *, name: str = "back") -> Imported:
    return import_from_file(database, playlist, name=name, group="default", allow_spotify=False)


def members(database: Database, playlist_id: int) -> list[str]:
    """Artists and titles, which mean the same in every catalogue."""
    with database.read_session() as session:
        ids = playlist_tracks(session, playlist_id)
        tracks = tracks_by_id(session, ids)
    return [f"{tracks[track_id].artist} - {tracks[track_id].title}" for track_id in ids]


@pytest.mark.parametrize("moved", [False, True], ids=["same place", "another place"])
@pytest.mark.parametrize("written_as", PlaylistFormat)
def test_a_playlist_comes_back_in_a_fresh_catalogue(
    database: Database, elsewhere: Database, fill: Fill, written_as: PlaylistFormat, moved: bool
) -> None:
    home = Path("/home/me/Music")
    ids = fill(database, home)
    chosen = [*ids[::-3], ids[0]]
    with database.session() as session:
        playlist = create_playlist(session, name="mixed, & more")
        set_members(session, playlist.id, chosen)
        written = write_playlist(playlist_for_export(session, playlist.id), written_as)
    fill(elsewhere, Path("/mnt/nas/audio") if moved else home)
    [read] = read_playlists(written, name="mixed, & more")  # a crate is called as its file
    assert read.name == "mixed, & more"
    imported = bring_in(elsewhere, read)
    assert imported.report.counts["used"] == len(read.rows) == len(set(chosen))
    assert members(elsewhere, imported.report.playlist.id) == members(database, playlist.id)


def test_what_came_in_is_fitted_once_and_trained_after(database: Database, fill: Fill) -> None:
    ids = fill(database, Path("/m"))
    with database.read_session() as session:
        track = tracks_by_id(session, ids)[ids[0]]
    row = SourceRow(track.title, track.artist)
    playlist = SourcePlaylist(
        "x", "text", (row, SourceRow("no", "one"), row), (SkippedRow(1, "no_artist", "why"),)
    )
    imported = bring_in(database, playlist)
    counts = imported.report.counts
    assert (counts["rows"], counts["used"], counts["unmatched"], counts["skipped"]) == (4, 2, 1, 1)
    assert counts["repeated"] == 1
    assert bring_in(database, playlist).job_id is None  # nothing is new
    with database.read_session() as session:
        assert [job.kind for job in list_jobs(session)] == [JobKind.TRAIN, JobKind.REFIT]
        assert imported.job_id == list_jobs(session)[1].id


def test_a_playlist_of_strangers_is_kept_and_not_learnt(database: Database, fill: Fill) -> None:
    fill(database, Path("/m"))
    imported = bring_in(
        database, SourcePlaylist("x", "text", tuple(SourceRow(f"t{n}", "?") for n in range(3)))
    )
    assert imported.job_id is None
    assert imported.report.counts["unmatched"] == 3
    assert imported.report.playlist.n_tracks == 0


def test_what_came_from_spotify_is_kept_and_not_learnt(database: Database, fill: Fill) -> None:
    ids = fill(database, Path("/m"))
    with database.read_session() as session:
        track = tracks_by_id(session, ids)[ids[0]]
    playlist = SourcePlaylist("x", SPOTIFY, (SourceRow(track.title, track.artist),))
    refused = bring_in(database, playlist)
    assert refused.job_id is None
    assert "WHICHLIST_SPOTIFY_TRAINING" in refused.report.refusal
    assert refused.report.playlist.n_tracks == 1


def test_an_empty_playlist_is_refused(database: Database) -> None:
    with pytest.raises(EmptyPlaylist, match=r"'x' is empty$"):
        bring_in(database, SourcePlaylist("x", "m3u", ()))
    with pytest.raises(EmptyPlaylist, match="all 1 rows name no track"):
        bring_in(database, SourcePlaylist("x", "m3u", (), (SkippedRow(0, "no_name", "why"),)))


def test_a_playlist_of_another_origin_is_not_overwritten(database: Database, fill: Fill) -> None:
    ids = fill(database, Path("/m"))
    with database.session() as session:
        set_members(session, create_playlist(session, name="back").id, ids[:2])
    [read] = read_playlists(b"A - B\n", name="x.txt")
    with pytest.raises(PlaylistExists):
        bring_in(database, choose_playlist([read]))
