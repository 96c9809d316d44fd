"""Cue sheets as programs of every age and country write them, and what is no sheet."""

import pytest

from embeddings.stretch import WHOLE, Stretch
from recommender.sources.cue.sheet import MAX_BYTES, MalformedSheet, read_sheet

ALBUM = """REM GENRE "TRACK 99 AUDIO"
PERFORMER "Björk"
TITLE "Grüße"
FILE "album.wav" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    PERFORMER "Guðrún"
    ISRC US-ABC-12-34567
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Été"
    INDEX 00 03:10:00
    INDEX 01 03:12:37
  TRACK 03 AUDIO
    TITLE "Last"
    INDEX 01 74:00:74
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_titles_and_places_whatever_the_encoding(encoding: str) -> None:
    text = ALBUM if encoding != "cp1252" else ALBUM.replace("Guðrún", "Gudrun")
    sheet = read_sheet(text.replace("\n", "\r\n").encode(encoding))
    assert (sheet.title, sheet.performer) == ("Grüße", "Björk")
    assert [track.title for track in sheet.tracks] == ["One", "Été", "Last"]
    assert [track.stretch for track in sheet.tracks] == [
        Stretch(0.0, 192 + 37 / 75),
        Stretch(192 + 37 / 75, 4440 + 74 / 75),
        Stretch(4440 + 74 / 75, None),
    ]
    assert sheet.tracks[0].isrc == "US-ABC-12-34567"


def test_titles_in_shift_jis() -> None:
    text = 'PERFORMER "椎名林檎"\nFILE "album.ape" WAVE\nTRACK 01 AUDIO\nTITLE "丸の内サディスティック"\n'
    text += "INDEX 01 00:00:00\n"
    sheet = read_sheet((text + 'TRACK 02 AUDIO\nTITLE "幸福論"\nINDEX 01 04:00:00').encode("cp932"))
    assert sheet.performer == "椎名林檎"
    assert [track.title for track in sheet.tracks] == ["丸の内サディスティック", "幸福論"]


def test_several_files_each_with_its_own_time() -> None:
    sheet = read_sheet(
        'FILE "a.flac" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 02:00:00\n'
        'FILE "b side.flac" WAVE\nINDEX 01 00:00:00\nTRACK 03 AUDIO\nINDEX 01 01:00:00\n'
    )
    assert [(track.file, track.stretch) for track in sheet.tracks] == [
        ("a.flac", WHOLE),
        ("b side.flac", Stretch(0.0, 60.0)),
        ("b side.flac", Stretch(60.0, None)),
    ]


def test_names_of_files_without_quotation_marks() -> None:
    sheet = read_sheet("FILE my album.mp3 MP3\nTRACK 01 AUDIO\nINDEX 01 00:00:00")
    assert sheet.tracks[0].file == "my album.mp3"


def test_a_data_track_is_no_track_but_ends_the_one_before() -> None:
    sheet = read_sheet(
        'FILE "cd.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 MODE1/2352\nINDEX 01 10:00:00'
    )
    assert [(track.number, track.stretch) for track in sheet.tracks] == [(1, Stretch(0.0, 600.0))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no audio track"),
        ("TRACK 01 AUDIO\nTITLE x", "no audio track"),
        ("TRACK 01 MODE1/2352\nINDEX 01 00:00:00", "no audio track"),
        ("TRACK 01 AUDIO\nINDEX 01 0:0", "line 2: '0:0' is no time"),
        ("TRACK 01 AUDIO\nINDEX 01 00:61:00", "more than 59 seconds"),
        ("TRACK 01 AUDIO\nINDEX 01 00:00:75", "more than 59 seconds or 74 frames"),
        (
            "TRACK 01 AUDIO\nINDEX 01 05:00:00\nTRACK 02 AUDIO\nINDEX 01 04:00:00",
            "track 2 begins before track 1",
        ),
        ("TRACK 01 AUDIO\nINDEX 01 00:00:00\n" * 1000, "more than 999 tracks"),
        ("x" * (MAX_BYTES + 1), "which no cue sheet has"),
    ],
)
def test_what_is_no_sheet_says_why(text: str, reason: str) -> None:
    with pytest.raises(MalformedSheet, match=reason):
        read_sheet(text)


def test_random_bytes_are_refused_or_read_but_never_break(rng) -> None:
    sheet = ALBUM.encode()
    for _ in range(300):
        damaged = bytearray(sheet)
        for place in rng.integers(len(sheet), size=12):
            damaged[place] = rng.integers(256)
        try:
            tracks = read_sheet(bytes(damaged)).tracks
        except MalformedSheet:
            continue
        assert all(track.stretch.start_s >= 0 for track in tracks)
