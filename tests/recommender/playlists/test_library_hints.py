"""What the library and its user know of names and tables, on both databases."""

from pathlib import Path

from recommender.catalogue.column_choices import columns_below, remember_columns
from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.playlists.library_hints import LibraryHints
from recommender.records.tracks import TrackFacts
from recommender.sources.rows.hints import What


def test_names_are_known_however_they_are_spelled(database: Database) -> None:
    facts = TrackFacts("Älvdans (Live)", "Zoë Lindqvist", "Nätter", 200.0, content_sha256="1")
    with database.session() as session:
        record_file(session, Path("/music/x/01 Älvdans.flac"), size=1, mtime_ns=1, facts=facts)
    hints = LibraryHints(database)
    assert hints.count_known(["ZOE LINDQVIST", "nobody", ""], What.ARTIST) == 1
    assert hints.count_known(["Älvdans (live)"], What.TITLE) == 1
    assert hints.count_known(["01 Älvdans"], What.FILE) == 1
    assert hints.count_known(["Nätter", "Zoë Lindqvist"], What.ALBUM, What.ARTIST) == 2
    assert hints.count_known(["Nätter"], What.ARTIST, What.TITLE) == 0


def test_what_a_person_said_of_columns_is_kept_only_when_it_was_of_use(database: Database) -> None:
    head = "werk\x1f" * 400  # longer than an index takes
    first = LibraryHints(database)
    first.note_columns(head, {"title": 0, "artist": 2})
    assert first.columns_of(head) == {"title": 0, "artist": 2}
    assert LibraryHints(database).columns_of(head) is None
    first.keep()
    assert LibraryHints(database).columns_of(head) == {"title": 0, "artist": 2}
    with database.session() as session:
        remember_columns(session, head, {"title": 1})
        assert columns_below(session, head) == {"title": 1}
        assert columns_below(session, head + "x") is None
