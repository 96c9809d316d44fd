"""Albums in one file: scanned as the tracks that their cue sheets name, asked about, exported and matched."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from embeddings.encoder import Encoder
from embeddings.stretch import Stretch
from recommender.catalogue.acoustid import tracks_without_mbid
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.files import folder_tracks, track_of_file, track_places
from recommender.catalogue.tracks import list_tracks
from recommender.errors import NoSuchTrack
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.matching.identity import match_rows
from recommender.playlists.file_exchange import playlist_for_export
from recommender.records.jobs import JobKind, JobState
from recommender.records.rows import SourceRow
from recommender.settings import Settings
from recommender.sources.files.reading import read_playlist_file, read_playlists
from recommender.sources.files.writing import write_playlist
from tests.folders import TINY_ENCODER, listen_dangerously, listened, read_tracks_dangerously, write_folder
from tests.training.background.handling import Recorder, make_tools
from training.background.handlers import build_handler
from training.listening import open_file, scanning
from training.listening.listeners import CRASHED_CODE
from training.listening.scanning import FEW_FILES

RATE_HZ = 16_000
TONES_HZ = (300, 500, 700)
SHEET = """PERFORMER "Ana"
TITLE "Album"
FILE "album.wav" WAVE
TRACK 01 AUDIO
  TITLE "One"
  INDEX 01 00:00:00
TRACK 02 AUDIO
  TITLE "Two"
  PERFORMER "Bo"
  INDEX 01 00:05:00
TRACK 03 AUDIO
  TITLE "Three"
  INDEX 01 00:10:00
"""


def write_tones(path: Path, tones_hz: tuple[int, ...]) -> Path:
    """Five seconds of each tone, one behind the other."""
    t = np.arange(5 * RATE_HZ) / RATE_HZ
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.concatenate([0.4 * np.sin(2 * np.pi * hz * t) for hz in tones_hz]), RATE_HZ)
    return path


class Albums:
    """A folder with an album in one file, and scans of it."""

    def __init__(self, root: Path, database: Database, settings: Settings) -> None:
        self.image = write_tones(root / "p" / "album.flac", TONES_HZ)
        self.sheet = self.image.with_suffix(".cue")
        self.sheet.write_text(SHEET)
        self.root, self.database, self.settings = root, database, settings
        self.tools = make_tools(Recorder())

    def scan(self, kind: JobKind = JobKind.ADD_PLAYLIST) -> dict[str, Any]:
        payload = {"name": "p", "folder": str(self.root / "p"), "group": "default"}
        payload = payload if kind is JobKind.ADD_PLAYLIST else {"path": str(self.root)}
        with self.database.session() as session:
            job_id = ledger.enqueue(session, kind, payload)
        job = run_job_here(self.settings, job_id, build_handler(self.settings, tools=self.tools))
        assert (job.state, job.error) == (JobState.SUCCEEDED, None)
        return job.result

    def titles(self) -> list[str]:
        """Of the tracks of the folder, in order."""
        with self.database.read_session() as session:
            ids = folder_tracks(session, self.root)
            infos = {track.id: track for track in list_tracks(session, limit=100)}
        return [f"{infos[i].artist} - {infos[i].title}" for i in ids]


@pytest.fixture
def albums(tmp_path: Path, database: Database, settings: Settings) -> Albums:
    return Albums(tmp_path / "music", database, settings)


def test_each_track_of_the_sheet_is_a_track_heard_alone(albums: Albums, tmp_path: Path) -> None:
    result = albums.scan()
    assert (result["n_files"], result["n_new"], result["n_failed"]) == (1, 3, 0)
    assert albums.titles() == ["Ana - One", "Bo - Two", "Ana - Three"]
    encoder = Encoder.load(TINY_ENCODER)
    with albums.database.read_session() as session:
        ids = folder_tracks(session, albums.root)
        _, vectors = load_embeddings(session, encoder.fingerprint, ids)
        places = track_places(session, ids)
        infos = {track.id: track for track in list_tracks(session)}
    assert [places[i].stretch for i in ids] == [Stretch(0, 5), Stretch(5, 10), Stretch(10, None)]
    for vector, track_id, tone_hz in zip(vectors, ids, TONES_HZ, strict=True):
        alone = encoder.listen(write_tones(tmp_path / f"{tone_hz}.flac", (tone_hz,)))
        np.testing.assert_allclose(vector, alone.vector, atol=1e-4)
        assert infos[track_id].duration_s == pytest.approx(5.0)


def test_a_second_scan_hears_nothing_and_a_changed_sheet_only_what_is_new(albums: Albums) -> None:
    albums.scan()
    assert albums.scan()["n_new"] == 0
    assert len(listened(albums.root)) == 3
    albums.sheet.write_text(SHEET.replace("Three", "Drei"))
    assert albums.scan()["n_new"] == 0
    assert albums.titles() == ["Ana - One", "Bo - Two", "Ana - Drei"]
    albums.sheet.write_text(SHEET.replace("00:10:00", "00:12:00"))
    assert albums.scan()["n_new"] == 2
    assert albums.titles() == ["Ana - One", "Bo - Two", "Ana - Three"]


def test_without_its_sheet_the_file_is_one_track_again(albums: Albums) -> None:
    albums.scan()
    albums.sheet.unlink()
    assert albums.scan(JobKind.SCAN)["n_new"] == 1
    assert albums.titles() == ["unknown artist - album"]
    albums.sheet.write_text(SHEET)
    assert albums.scan(JobKind.SCAN)["n_new"] == 0  # all were heard before
    assert albums.titles() == ["Ana - One", "Bo - Two", "Ana - Three"]


def test_a_file_that_moves_with_its_sheet_is_not_heard_again(albums: Albums) -> None:
    albums.scan()
    (albums.root / "p").rename(albums.root / "q")
    assert albums.scan(JobKind.SCAN)["n_new"] == 0
    assert albums.titles() == ["Ana - One", "Bo - Two", "Ana - Three"]


def test_a_track_behind_the_end_is_set_aside_and_the_others_are_heard(albums: Albums) -> None:
    albums.sheet.write_text(SHEET + 'TRACK 04 AUDIO\nTITLE "Lost"\nINDEX 01 00:40:00\n')
    result = albums.scan()
    assert (result["n_new"], result["n_failed"], result["n_in_part"]) == (3, 1, 1)
    assert "ends after 15 s, before a track that is said to begin at 40 s" in result["failed"][0]["error"]
    assert result["in_part"][0]["heard"] == "heard 5 of 30 s: the rest is cut off or damaged"


def test_an_album_that_kills_its_decoder_is_set_aside(albums: Albums) -> None:
    albums.image.rename(albums.image.with_name("poison.flac"))
    albums.sheet.write_text(SHEET.replace("album.wav", "poison.flac"))
    write_folder(albums.root / "p", n_tracks=FEW_FILES)
    albums.tools = make_tools(Recorder(), make_listen=listen_dangerously)
    result = albums.scan()
    assert albums.titles() == [f"a - t{number}" for number in range(FEW_FILES)]
    assert {failed["code"] for failed in result["failed"]} == {CRASHED_CODE}


def test_a_track_is_named_by_its_number_and_the_file_names_none(albums: Albums) -> None:
    albums.scan()
    with albums.database.read_session() as session:
        assert track_of_file(session, Path(f"{albums.image}#2")).title == "Two"
        for path in (str(albums.image), f"{albums.image}#4", f"{albums.image}#0"):
            with pytest.raises(NoSuchTrack):
                track_of_file(session, Path(path))


def test_the_sound_of_the_whole_file_is_never_asked_about_for_one_of_its_tracks(albums: Albums) -> None:
    write_folder(albums.root / "p", n_tracks=1)
    albums.scan()
    with albums.database.read_session() as session:
        asked = {found.track.title: found.files for found in tracks_without_mbid(session)}
    assert [path.path.name for path in asked.pop("t0")] == ["00.flac"]
    assert asked == {"One": (), "Two": (), "Three": ()}


def test_a_row_with_the_path_of_an_album_is_matched_by_place_or_name_never_by_chance(albums: Albums) -> None:
    albums.scan()
    path = str(albums.image)
    rows = [
        SourceRow(path=path, start_s=5.4),
        SourceRow(path=path, end_s=5.0),
        SourceRow(path=path, start_s=8.0),
        SourceRow(path=path),
        SourceRow(path=path, title="Three", artist="Ana", duration_s=5.0),
    ]
    with albums.database.read_session() as session:
        ids = folder_tracks(session, albums.root)
        found = [match.track_id for match in match_rows(session, rows)]
    assert found == [ids[1], ids[0], None, None, ids[2]]


@pytest.mark.parametrize("format", ["m3u8", "xspf", "jspf"])
def test_a_playlist_says_which_part_is_meant_and_reads_it_back(albums: Albums, format: str) -> None:
    playlist_id = albums.scan()["playlists"][0]
    with albums.database.read_session() as session:
        written = write_playlist(playlist_for_export(session, playlist_id), format)
        (read,) = read_playlists(written, name=f"x.{format}")
        nameless = [SourceRow(path=row.path, start_s=row.start_s, end_s=row.end_s) for row in read.rows]
        assert [(row.start_s or 0.0, row.end_s) for row in read.rows] == [(0, 5), (5, 10), (10, None)]
        found = [match.track_id for match in match_rows(session, nameless)]
        assert found == folder_tracks(session, albums.root)


def test_a_cue_sheet_is_a_playlist(albums: Albums) -> None:
    albums.scan()
    (playlist,) = read_playlist_file(albums.sheet)
    assert (playlist.name, playlist.source) == ("Album", "cue")
    assert [(row.title, row.artist, row.start_s) for row in playlist.rows] == [
        ("One", "Ana", 0.0),
        ("Two", "Bo", 5.0),
        ("Three", "Ana", 10.0),
    ]
    with albums.database.read_session() as session:
        matches = match_rows(session, playlist.rows)
        assert [match.track_id for match in matches] == folder_tracks(session, albums.root)


def test_tags_that_kill_or_hang_their_reader_take_nothing_else_with_them(
    albums: Albums, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_file, "read_tracks", read_tracks_dangerously)
    monkeypatch.setattr(scanning, "LONGEST_READ_S", 1.0)
    write_folder(albums.root / "p", n_tracks=FEW_FILES)
    for hz, name in ((900, "Ana - Deadly (deadly tags).flac"), (1100, "Bo - Endless (endless tags).flac")):
        write_tones(albums.root / "p" / name, (hz,))
    result = albums.scan()
    assert (result["n_new"], result["n_failed"]) == (3 + FEW_FILES + 2, 0)
    assert {"Ana - Deadly (deadly tags)", "Bo - Endless (endless tags)"} < set(albums.titles())
