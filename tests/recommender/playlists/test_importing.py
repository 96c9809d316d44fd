"""Playlists of a source become playlists of the catalogue, on both databases."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.imported_rows import decide_row, match_report
from recommender.catalogue.playlists import (
    create_playlist,
    find_playlist,
    get_playlist,
    group_members,
    playlist_tracks,
    set_members,
)
from recommender.catalogue.tracks import find_track, upsert_track
from recommender.errors import NoSuchRow, NoSuchTrack, PlaylistExists
from recommender.playlists.importing import import_playlist
from recommender.records.matches import ImportReport, Method, RowState, Strength
from recommender.records.playlists import EDITED
from recommender.records.rows import SPOTIFY, SkippedRow, SourcePlaylist, SourceRow
from recommender.records.tracks import TrackFacts

TITLES = ("Harbour Lights", "Glass Elevator", "Paper Lanterns", "Northern Static")
SPOTIFY_ID = "4uLU6hMCjMI75M1A2tKUQC"


@pytest.fixture
def track_ids(database: Database) -> list[int]:
    """Four tracks of one artist, and a live version of the first."""
    titles = (*TITLES, "Harbour Lights (Live at Leeds)")
    with database.session() as session:
        return [
            upsert_track(
                session,
                TrackFacts(title=title, artist="Mira Vale", duration_s=200.0 + n, content_sha256=str(n)),
            )
            for n, title in enumerate(titles)
        ]


def rows_of(*titles: str) -> tuple[SourceRow, ...]:
    return tuple(SourceRow(title=title, artist="Mira Vale") for title in titles)


def do_import(
    database: Database,
    rows: Sequence[SourceRow],
    *,
    source: str = "m3u",
    name: str = "mine",
    skipped: tuple[SkippedRow, ...] = (),
    allow_spotify: bool = False,
) -> ImportReport:
    with database.session() as session:
        playlist = SourcePlaylist(name, source, tuple(rows), skipped)
        return import_playlist(session, playlist, group="mood", allow_spotify=allow_spotify)


def members(database: Database, playlist_id: int) -> list[int]:
    with database.read_session() as session:
        return playlist_tracks(session, playlist_id)


def trainable(database: Database, report: ImportReport, *, allow_spotify: bool = False) -> list[int]:
    with database.read_session() as session:
        found = group_members(session, report.playlist.group_id, allow_spotify=allow_spotify)
    return [member.track_id for member in found]


def decide(database: Database, report: ImportReport, row: int, track_id: int | None) -> bool:
    with database.session() as session:
        return decide_row(session, report.playlist.id, row, track_id=track_id)[1]


def test_matched_rows_become_members_in_their_order_each_once(
    database: Database, track_ids: list[int]
) -> None:
    rows = rows_of(TITLES[2], "Nobody Has This", TITLES[0], TITLES[2])
    report = do_import(database, rows)
    assert report.counts == {
        "rows": 4,
        "used": 3,
        "review": 0,
        "unmatched": 1,
        "rejected": 0,
        "skipped": 0,
        "repeated": 1,
    }
    assert (report.playlist.name, report.playlist.group, report.playlist.source) == ("mine", "mood", "m3u")
    assert members(database, report.playlist.id) == [track_ids[2], track_ids[0]]
    assert (report.members_changed, report.n_trainable, report.refusal) == (True, 2, "")
    assert report.methods == {"names": 3}
    with database.read_session() as session:
        assert match_report(session, report.playlist.id).rows == report.rows


def test_rows_are_kept_as_they_were_and_skipped_ones_in_their_place(
    database: Database, track_ids: list[int]
) -> None:
    odd = SourceRow(
        title="nul \0 and surrogate \udcff",
        artist="東京事変",
        album="x",
        duration_s=1.5,
        identities=(("isrc", "USABC1234567"), ("guid", "g")),
        path="/music/\udcff.mp3",
        url="https://example.org/a.mp3",
        released="2026-11",
    )
    skipped = (SkippedRow(1, "episode", "a podcast is no track", "Talk"), SkippedRow(3, "empty", "nothing"))
    report = do_import(database, [*rows_of(TITLES[0]), odd, *rows_of(TITLES[1])], skipped=skipped)
    assert [row.row for row in report.rows] == [1, 2, 3, 4, 5]
    assert [row.outcome for row in report.rows] == ["used", "skipped", "unmatched", "skipped", "used"]
    assert report.rows[2].asked == odd
    assert (report.rows[1].code, report.rows[1].match.note) == ("episode", "a podcast is no track")
    assert report.rows[1].asked.title == "Talk"


def test_an_import_without_a_single_match_is_kept_and_teaches_nothing(
    database: Database, track_ids: list[int]
) -> None:
    report = do_import(database, rows_of("Foo", "Bar Baz Qux"))
    assert report.counts["unmatched"] == 2
    assert (report.members_changed, report.n_trainable) == (False, 0)
    assert trainable(database, report) == []
    empty = do_import(database, [], name="empty")
    assert (empty.counts["rows"], empty.playlist.n_tracks) == (0, 0)


def test_the_same_source_again_brings_the_playlist_up_to_date(
    database: Database, track_ids: list[int]
) -> None:
    first = do_import(database, rows_of(*TITLES[:3]))
    assert not do_import(database, rows_of(*TITLES[:3])).members_changed
    again = do_import(database, rows_of(TITLES[3], TITLES[0]))
    assert again.playlist.id == first.playlist.id
    assert again.members_changed
    assert members(database, first.playlist.id) == [track_ids[3], track_ids[0]]


def test_a_playlist_that_came_from_elsewhere_is_not_overwritten(
    database: Database, track_ids: list[int]
) -> None:
    with database.session() as session:
        folder = create_playlist(session, name="mine", group="mood")
        set_members(session, folder.id, track_ids[:1])
    with pytest.raises(PlaylistExists, match="import under another name"):
        do_import(database, rows_of(*TITLES[:2]))
    assert members(database, folder.id) == track_ids[:1]


def test_what_came_from_spotify_is_kept_but_not_trained_on_unless_allowed(
    database: Database, track_ids: list[int]
) -> None:
    report = do_import(database, rows_of(*TITLES[:2]), source=SPOTIFY)
    assert report.counts["used"] == 2
    assert members(database, report.playlist.id) == track_ids[:2]
    assert report.n_trainable == 0
    assert "III.14" in report.refusal
    assert "WHICHLIST_SPOTIFY_TRAINING=allow" in report.refusal
    assert trainable(database, report) == []
    assert trainable(database, report, allow_spotify=True) == track_ids[:2]
    allowed = do_import(database, rows_of(*TITLES[:2]), source=SPOTIFY, allow_spotify=True)
    assert (allowed.n_trainable, allowed.refusal) == (2, "")
    # The track itself is the user's own: the same file in a playlist of the user's own is learnt from.
    own = do_import(database, rows_of(TITLES[0]), name="own")
    assert trainable(database, own) == [track_ids[0]]


def test_editing_a_playlist_of_spotify_does_not_make_it_trainable(
    database: Database, track_ids: list[int]
) -> None:
    report = do_import(database, rows_of(*TITLES[:2]), source=SPOTIFY)
    with database.session() as session:
        set_members(session, report.playlist.id, [track_ids[3], *track_ids[:2]], source=EDITED)
    assert members(database, report.playlist.id) == [track_ids[3], *track_ids[:2]]
    assert trainable(database, report) == [track_ids[3]]


def test_a_decision_on_a_row_of_spotify_is_no_way_round_either(
    database: Database, track_ids: list[int]
) -> None:
    report = do_import(database, rows_of("Foo", TITLES[1]), source=SPOTIFY)
    assert decide(database, report, 1, track_ids[3])
    assert members(database, report.playlist.id) == [track_ids[3], track_ids[1]]
    assert trainable(database, report) == []


def test_a_chosen_track_takes_the_rows_place_and_is_remembered(
    database: Database, track_ids: list[int]
) -> None:
    rows = rows_of(TITLES[0], "Some Other Name", TITLES[1])
    report = do_import(database, rows)
    assert decide(database, report, 2, track_ids[3])
    wanted = [track_ids[0], track_ids[3], track_ids[1]]
    assert members(database, report.playlist.id) == wanted
    with database.read_session() as session:
        row = match_report(session, report.playlist.id).rows[1]
    assert (row.state, row.outcome, row.match.method) == (RowState.CHOSEN, "used", Method.DECISION)
    again = do_import(database, rows)
    assert not again.members_changed
    assert again.rows[1].match.track_id == track_ids[3]
    elsewhere = do_import(database, rows[1:2], name="other", source="xspf")
    assert members(database, elsewhere.playlist.id) == [track_ids[3]]


def test_a_proposal_waits_until_it_is_accepted(database: Database, track_ids: list[int]) -> None:
    studio = SourceRow(title=f"{TITLES[1]} (Live)", artist="Mira Vale")
    report = do_import(database, [studio])
    assert report.rows[0].outcome == "review"
    assert report.rows[0].match.track_id == track_ids[1]
    assert members(database, report.playlist.id) == []
    assert decide(database, report, 1, track_ids[1])
    assert members(database, report.playlist.id) == [track_ids[1]]
    with database.read_session() as session:
        assert match_report(session, report.playlist.id).rows[0].state is RowState.ACCEPTED


def test_a_rejected_track_is_not_proposed_again_but_a_new_one_is(
    database: Database, track_ids: list[int]
) -> None:
    row = rows_of(TITLES[1])
    report = do_import(database, row)
    assert decide(database, report, 1, None)
    assert members(database, report.playlist.id) == []
    again = do_import(database, row)
    assert (again.rows[0].outcome, again.rows[0].match.track_id) == ("rejected", None)
    with database.session() as session:
        better = upsert_track(session, TrackFacts(TITLES[1], "Mira Vale", content_sha256="better"))
    found = do_import(database, row).rows[0]
    assert (found.outcome, found.match.track_id) == ("used", better)


def test_the_last_decision_counts(database: Database, track_ids: list[int]) -> None:
    report = do_import(database, rows_of("Foo"))
    for chosen in (track_ids[0], None, track_ids[2], track_ids[1]):
        decide(database, report, 1, chosen)
        assert members(database, report.playlist.id) == ([] if chosen is None else [chosen])
        again = do_import(database, rows_of("Foo"))
        assert again.rows[0].match.track_id == chosen


def test_a_track_named_twice_stays_when_one_of_the_rows_is_rejected(
    database: Database, track_ids: list[int]
) -> None:
    rows = [SourceRow(title=TITLES[0], artist=name) for name in ("Mira Vale", "mira  vale")]
    report = do_import(database, rows)
    assert not decide(database, report, 1, None)
    assert members(database, report.playlist.id) == [track_ids[0]]


def test_deciding_in_an_edited_playlist_leaves_the_edits(database: Database, track_ids: list[int]) -> None:
    report = do_import(database, rows_of(TITLES[0], "Foo"))
    with database.session() as session:
        set_members(session, report.playlist.id, [track_ids[2], track_ids[0]], source=EDITED)
    assert decide(database, report, 2, track_ids[1])
    assert members(database, report.playlist.id) == [track_ids[2], track_ids[0], track_ids[1]]
    assert decide(database, report, 1, None)
    assert members(database, report.playlist.id) == [track_ids[2], track_ids[1]]
    with database.read_session() as session:
        assert get_playlist(session, report.playlist.id).source == EDITED


def test_a_spotify_id_seen_once_finds_the_users_own_file(database: Database, track_ids: list[int]) -> None:
    uri = ((SPOTIFY, f"spotify:track:{SPOTIFY_ID}"),)
    known = SourceRow(title=TITLES[0], artist="Mira Vale", duration_s=200, identities=uri)
    report = do_import(database, [known], source=SPOTIFY)
    with database.read_session() as session:
        assert find_track(session, f"spotify:track:{SPOTIFY_ID}").id == track_ids[0]
    bare = SourceRow(identities=((SPOTIFY, f"https://open.spotify.com/intl-de/track/{SPOTIFY_ID}?si=1"),))
    found = do_import(database, [bare], name="linked").rows[0].match
    assert (found.track_id, found.strength, found.method) == (track_ids[0], Strength.STRONG, Method.SPOTIFY)
    decide(database, report, 1, track_ids[4])
    with database.read_session() as session:
        assert find_track(session, f"spotify:track:{SPOTIFY_ID}").id == track_ids[4]
    decide(database, report, 1, None)
    with database.read_session() as session, pytest.raises(NoSuchTrack):
        find_track(session, f"spotify:track:{SPOTIFY_ID}")


def test_decisions_at_the_same_time_are_all_kept(database: Database, track_ids: list[int]) -> None:
    report = do_import(database, rows_of("Foo", "Bar", "Baz", "Qux"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: decide(database, report, n + 1, track_ids[n]), range(4)))
    assert members(database, report.playlist.id) == track_ids[:4]


def test_there_must_be_something_to_decide(database: Database, track_ids: list[int]) -> None:
    report = do_import(database, rows_of(TITLES[0]), skipped=(SkippedRow(1, "episode", "no track"),))
    for row in (0, 2, 3):
        with pytest.raises(NoSuchRow):
            decide(database, report, row, track_ids[0])
    with pytest.raises(NoSuchTrack):
        decide(database, report, 1, 10**6)
    with database.read_session() as session:
        assert find_playlist(session, "mine", group="mood").n_tracks == 1
