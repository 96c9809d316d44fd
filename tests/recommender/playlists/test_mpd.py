"""Playlists that a real MPD saved are read, every row the right file, and what we write it plays."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.matching.identity import match_rows
from recommender.playlists.file_exchange import import_from_file, playlist_for_export
from recommender.records.matches import Method, Strength
from recommender.records.tracks import TrackFacts
from recommender.sources.files.reading import read_playlist_file
from recommender.sources.files.writing import PlaylistFormat, write_playlist
from tests.counterparts.mpd import Mpd, running_mpd
from tests.folders import write_track

NAMES = (  # artist, album, number and title, as most libraries are laid out
    "Mira Vale/Slow Water/01 Harbour Lights.flac",
    "Mira Vale/Slow Water #1/02 - Glass Elevator.flac",
    "Ólafur Ünder/50% off+on/03 Kalt & Klar.flac",
    "a;b/[c] 'd'/Paper Lanterns.flac",
    "日本/夜/01 歌.flac",
)


@pytest.fixture(scope="module")
def mpd() -> Iterator[tuple[Mpd, Path]]:
    place = Path(tempfile.mkdtemp(prefix="wl-mpd-"))  # a socket's path may have 107 bytes
    music = place / "music"
    for number, name in enumerate(NAMES):
        write_track(music / name, tone_hz=200.0 + 50 * number)
    try:
        with running_mpd(place / "home", music) as server:
            server.update()
            yield server, music
    finally:
        shutil.rmtree(place)


@pytest.fixture
def track_ids(mpd: tuple[Mpd, Path], database: Database) -> dict[str, int]:
    """The library of MPD's folder, as a scan knows it."""
    _, music = mpd
    found = {}
    with database.session() as session:
        for number, name in enumerate(NAMES):
            artist, _, title = name.removesuffix(".flac").split("/")
            title = title.lstrip("0123456789 -")
            facts = TrackFacts(title=title, artist=artist, duration_s=3.5, content_sha256=f"{number:064}")
            status = (music / name).stat()
            found[name] = record_file(
                session, music / name, size=status.st_size, mtime_ns=status.st_mtime_ns, facts=facts
            )
    return found


def save(server: Mpd, name: str) -> None:
    """Let it queue everything and save that."""
    (server.playlists / f"{name}.m3u").unlink(missing_ok=True)
    server.ask("clear", *(f'add "{file}"' for file in NAMES), f'save "{name}"')


def test_what_it_saved_is_read_with_every_row_right(
    mpd: tuple[Mpd, Path], database: Database, track_ids: dict[str, int]
) -> None:
    server, _ = mpd
    save(server, "evening")
    (playlist,) = read_playlist_file(server.playlists / "evening.m3u")
    assert (playlist.name, len(playlist.rows), playlist.skipped) == ("evening", len(NAMES), ())
    with database.read_session() as session:
        matches = match_rows(session, playlist.rows)
    assert [match.track_id for match in matches] == [track_ids[name] for name in NAMES]
    assert {(match.method, match.strength) for match in matches} == {(Method.PATH, Strength.STRONG)}


def test_it_plays_what_we_write(
    mpd: tuple[Mpd, Path], database: Database, track_ids: dict[str, int], tmp_path: Path
) -> None:
    server, music = mpd
    save(server, "before")
    (playlist,) = read_playlist_file(server.playlists / "before.m3u")
    imported = import_from_file(database, playlist, name="before", group="default", allow_spotify=False)
    with database.read_session() as session:
        ours = playlist_for_export(session, imported.report.playlist.id)
    (server.playlists / "ours.m3u").write_bytes(write_playlist(ours, PlaylistFormat.M3U8))
    assert imported.report.counts["used"] == len(NAMES)
    listed = server.ask('listplaylist "ours"').splitlines()
    assert [line.removeprefix("file: ").removeprefix(f"{music}/") for line in listed] == list(NAMES)
    server.ask("clear", 'load "ours"')
    assert server.ask("playlistinfo").count("file: ") == len(NAMES)
