"""A cue sheet as a playlist: the tracks of an album, each with its place in the album's file."""

import re

from recommender.errors import UnreadableSource
from recommender.records.rows import ISRC, SourcePlaylist, SourceRow
from recommender.sources.cue.sheet import MalformedSheet, read_sheet
from recommender.sources.rows.collecting import RowCollector
from recommender.sources.rows.locations import read_location

# A table or a list of titles may hold any of the words, but not a track with its beginning below it.
CUE_LINES = re.compile(r"^\s*TRACK\s+\d+\s+\w+\s*$.*?^\s*INDEX\s+\d+\s+\d+:\d+:\d+", re.MULTILINE | re.DOTALL)


def read_cue(text: str, *, name: str, folder: str | None) -> SourcePlaylist:
    """The album in a cue sheet.

    Raises
    ------
    UnreadableSource
        It makes no sense.
    """
    try:
        sheet = read_sheet(text)
    except MalformedSheet as error:
        raise UnreadableSource(f"the cue sheet cannot be understood: {error}") from error
    collector = RowCollector()
    for track in sheet.tracks:
        whole = track.stretch.is_whole
        length_s = None if track.stretch.end_s is None else track.stretch.length_s(0.0)
        collector.add(
            SourceRow(
                title=track.title,
                artist=track.performer or sheet.performer,
                album=sheet.title,
                duration_s=length_s,
                identities=((ISRC, track.isrc.replace("-", "").upper()),) if track.isrc else (),
                path=read_location(track.file, folder=folder, is_path=True).path,
                start_s=None if whole else track.stretch.start_s,
                end_s=track.stretch.end_s,
            ),
            text=f"TRACK {track.number:02}",
        )
    return collector.playlist(sheet.title or name, "cue")
