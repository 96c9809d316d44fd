"""Folders of playlists as rows."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from recommender.errors import NoAudio, UnreadableFolder
from training.datasets.playlist_folders import ManifestError, TrackRow, read_folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Two playlists of one tagged and one untagged file each, a hidden file and a text."""
    folder = tmp_path / "library"
    for playlist in ("electro", "hip hop"):
        (folder / playlist).mkdir(parents=True)
        tone = np.zeros(1600, dtype=np.float32)
        soundfile.write(folder / playlist / "Anna - Blue.wav", tone, samplerate=16_000)
        with soundfile.SoundFile(folder / playlist / "b.flac", "w", samplerate=16_000, channels=1) as file:
            file.artist, file.title, file.album = "Bert", "Green", "Meadow"
            file.write(tone)
        (folder / playlist / "notes.txt").write_text("not audio")
        (folder / playlist / ".hidden.wav").write_bytes(b"")
    return folder


def test_folders_are_playlists_and_tags_name_the_tracks(library):
    rows = read_folder(library)

    assert rows == [
        TrackRow(library / "electro/Anna - Blue.wav", "electro", "Anna", "Blue", ""),
        TrackRow(library / "electro/b.flac", "electro", "Bert", "Green", "Meadow"),
        TrackRow(library / "hip hop/Anna - Blue.wav", "hip hop", "Anna", "Blue", ""),
        TrackRow(library / "hip hop/b.flac", "hip hop", "Bert", "Green", "Meadow"),
    ]


def test_a_manifest_wins_over_folders_and_tags(library):
    manifest = library / "tracks.csv"
    manifest.write_text(
        "file,playlist,artist,title\nelectro/b.flac,party,Cara,\nhip hop/Anna - Blue.wav,,,Red\n",
        encoding="utf-8-sig",
    )

    rows = read_folder(library, manifest=manifest)

    assert rows == [
        TrackRow(library / "electro/b.flac", "party", "Cara", "Green", "Meadow"),
        TrackRow(library / "hip hop/Anna - Blue.wav", "hip hop", "Anna", "Red", ""),
    ]


def test_a_file_that_is_missing_is_left_for_the_listener_to_report(library):
    manifest = library / "tracks.csv"
    manifest.write_text("file,playlist,artist,title\nelectro/gone.ogg,electro,Cara,Lost\n")

    assert read_folder(library, manifest=manifest) == [
        TrackRow(library / "electro/gone.ogg", "electro", "Cara", "Lost", "")
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,playlist\na.ogg,electro\n", "line 2: the column 'file' is missing or empty"),
        ("file,playlist\nelectro/b.flac,x\n,y\n", "line 3: the column 'file' is missing or empty"),
    ],
)
def test_a_manifest_without_files_is_refused_with_its_line(library, text, complaint):
    manifest = library / "tracks.csv"
    manifest.write_text(text)

    with pytest.raises(ManifestError, match=complaint):
        read_folder(library, manifest=manifest)


def test_a_manifest_that_is_no_text_is_refused(library):
    manifest = library / "tracks.csv"
    manifest.write_bytes(b"\xff\xfe\x00file")

    with pytest.raises(ManifestError, match="cannot be read"):
        read_folder(library, manifest=manifest)


def test_a_folder_without_audio_says_what_is_expected(tmp_path):
    (tmp_path / "empty").mkdir()

    with pytest.raises(NoAudio, match="<playlist>/<audio files>"):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnreadableFolder):
        read_folder(tmp_path / "nowhere")
