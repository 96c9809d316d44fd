"""Two recordings of one title by artists who share one: each row finds its own."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recommender.catalogue.database import Database
from recommender.catalogue.tracks import find_track, list_tracks
from recommender.matching.identity import match_rows
from recommender.records.matches import Strength
from recommender.records.rows import SourceRow
from recommender.sources.files.reading import read_playlists
from tests.scanned import scan_names


def write_flac(path: Path, *, seed: int, title: str, artists: list[str]) -> None:
    """A FLAC whose Vorbis comment names each artist in a field of its own."""
    y = 0.1 * np.random.default_rng(seed).standard_normal(8_000 * 8)
    soundfile.write(path, y, 8_000)
    fields = [f"TITLE={title}", *(f"ARTIST={artist}" for artist in artists)]
    body = (4).to_bytes(4, "little") + b"made" + len(fields).to_bytes(4, "little")
    for field in map(str.encode, fields):
        body += len(field).to_bytes(4, "little") + field
    data = path.read_bytes()
    first_block = data[:4] + bytes((data[4] & 0x7F,)) + data[5:42]
    # The only other block, and the last one; what libsndfile wrote behind the first is left out.
    rest, is_last = 4, False
    while not is_last:
        is_last = bool(data[rest] & 0x80)
        rest += 4 + int.from_bytes(data[rest + 1 : rest + 4], "big")
    path.write_bytes(first_block + b"\x84" + len(body).to_bytes(3, "big") + body + data[rest:])


@pytest.fixture
def tracks(database: Database, tmp_path: Path) -> dict[str, int]:
    for seed, other in enumerate(("Uma", "Vic")):
        write_flac(tmp_path / f"{other}.flac", seed=seed, title="Left Behind", artists=["Sol", other])
    return {path.stem: track_id for path, track_id in scan_names(database, tmp_path).items()}


def test_all_artists_are_kept_shown_and_found(tracks: dict[str, int], database: Database) -> None:
    with database.read_session() as session:
        uma, vic = (find_track(session, tracks[name]) for name in ("Uma", "Vic"))
        assert [track.id for track in list_tracks(session, query="vic")] == [vic.id]
    assert (uma.artist, uma.artists) == ("Sol, Uma", ("Sol", "Uma"))
    assert uma.artist_id == vic.artist_id


@pytest.mark.parametrize("form", ["{a}, {b}", "{b} & {a}", "{a} feat. {b}"])
@pytest.mark.parametrize("duration_s", [8.0, None])
def test_each_row_finds_its_own_file(form, duration_s, tracks: dict[str, int], database: Database) -> None:
    rows = [
        SourceRow(title="Left Behind", artist=form.format(a="Sol", b=other), duration_s=duration_s)
        for other in ("Vic", "Uma")
    ]
    with database.read_session() as session:
        matches = match_rows(session, rows)
    assert [match.track_id for match in matches] == [tracks["Vic"], tracks["Uma"]]
    if duration_s is not None:
        assert {match.strength for match in matches} == {Strength.STRONG}


def test_a_row_by_the_shared_artist_alone_is_not_guessed(tracks: dict[str, int], database: Database) -> None:
    with database.read_session() as session:
        [match] = match_rows(session, [SourceRow(title="Left Behind", artist="Sol", duration_s=8.0)])
    assert match.strength is not Strength.STRONG


def test_rows_of_a_table(tracks: dict[str, int], database: Database) -> None:
    table = 'Track name,Artist name,Duration\nLeft Behind,"Sol, Vic",0:08\nLeft Behind,"Sol, Uma",0:08\n'
    [playlist] = read_playlists(table.encode(), name="rows.csv")
    with database.read_session() as session:
        matches = match_rows(session, playlist.rows)
    assert [match.track_id for match in matches] == [tracks["Vic"], tracks["Uma"]]
