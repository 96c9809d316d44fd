"""Feedback: what the user says of a track stays, whatever folders and imports say before or after."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from recommender.catalogue.database import Database, open_database
from recommender.catalogue.feedback import give_feedback, withdraw_feedback
from recommender.catalogue.playlists import (
    create_playlist,
    delete_playlist,
    ensure_playlist,
    find_group,
    find_playlist,
    group_members,
    list_playlists,
    members_changed_since,
    playlist_tracks,
    set_members,
)
from recommender.catalogue.tables.playlists import Membership, Playlist
from recommender.catalogue.tracks import delete_track, upsert_track
from recommender.catalogue.verdicts import (
    MembershipVerdict,
    list_feedback,
    record_verdict,
    with_feedback,
    withdraw_verdict,
)
from recommender.jobs import ledger
from recommender.records.jobs import JobKind
from recommender.records.playlists import EDITED, FeedbackVerdict, PlaylistInfo
from recommender.records.tracks import TrackFacts
from tests.databases import postgresql_only, sqlite_only

N_TRACKS = 5
RIGHT, WRONG, LIKED, DISLIKED = (
    FeedbackVerdict.RIGHT,
    FeedbackVerdict.WRONG,
    FeedbackVerdict.LIKED,
    FeedbackVerdict.DISLIKED,
)


@pytest.fixture
def track_ids(database: Database) -> list[int]:
    """Five tracks."""
    with database.session() as session:
        return [
            upsert_track(session, TrackFacts(title=str(n), artist="a", content_sha256=str(n)))
            for n in range(N_TRACKS)
        ]


def make(session: Session, name: str, tracks: Sequence[int], *, group: str = "default") -> PlaylistInfo:
    """A playlist that mirrors a folder with these tracks."""
    playlist = ensure_playlist(session, name=name, group=group, folder=Path(f"/music/{name}"))
    set_members(session, playlist.id, tracks)
    return playlist


def taste(session: Session) -> dict[str, list[int]]:
    return {p.name: playlist_tracks(session, p.id) for p in list_playlists(session, group="taste")}


def source_of(session: Session, playlist_id: int, track_id: int) -> str | None:
    row = session.get(Membership, (playlist_id, track_id), populate_existing=True)
    return None if row is None else row.source


def test_liked_and_disliked_are_playlists_of_a_group_of_their_own(
    database: Database, track_ids: list[int]
) -> None:
    first, second, *_ = track_ids
    with database.session() as session:
        assert give_feedback(session, first, LIKED)
        assert taste(session) == {"liked": [first]}
        assert not give_feedback(session, first, LIKED)  # said before
        assert give_feedback(session, second, DISLIKED)
        assert give_feedback(session, second, LIKED)
        assert taste(session) == {"liked": [first, second], "disliked": []}
        liked = find_playlist(session, "liked", group="taste")
        assert (liked.source, source_of(session, liked.id, first)) == ("feedback", "feedback")
        assert [(f.playlist, f.group, f.verdict) for f in list_feedback(session, second)] == [
            ("liked", "taste", "right")
        ]
        group_id = find_group(session, "taste").id
        assert [m.track_id for m in group_members(session, group_id)] == [first, second]


def test_a_liked_track_leaves_a_folder_of_disliked_ones_for_good(
    database: Database, track_ids: list[int]
) -> None:
    with database.session() as session:
        disliked = make(session, "disliked", track_ids[:2], group="taste")
        give_feedback(session, track_ids[0], LIKED)
        set_members(session, disliked.id, track_ids[:3])  # as a scan does
        assert taste(session) == {"disliked": track_ids[1:3], "liked": track_ids[:1]}
        give_feedback(session, track_ids[0], DISLIKED)
        assert taste(session) == {"disliked": [track_ids[0], *track_ids[1:3]], "liked": []}


def test_a_correction_moves_what_was_there_by_feedback_only(database: Database, track_ids: list[int]) -> None:
    inside, outside, *_ = track_ids
    with database.session() as session:
        hip_hop, electro = make(session, "hip hop", [inside]), make(session, "electro", track_ids[2:3])
        for track_id in (inside, outside):
            give_feedback(session, track_id, RIGHT, playlist=hip_hop)
            assert give_feedback(session, track_id, RIGHT, playlist=electro)
        assert playlist_tracks(session, electro.id) == [track_ids[2], inside, outside]
        # Its folder still says so; only the user's own word was taken back.
        assert playlist_tracks(session, hip_hop.id) == [inside]
        assert source_of(session, hip_hop.id, inside) == "folder"


def test_scans_neither_remove_what_is_right_nor_bring_back_what_is_wrong(
    database: Database, track_ids: list[int]
) -> None:
    with database.session() as session:
        playlist = make(session, "hip hop", track_ids[:3])
        assert give_feedback(session, track_ids[1], WRONG, playlist=playlist)
        assert give_feedback(session, track_ids[4], RIGHT, playlist=playlist)
        expected = [track_ids[0], track_ids[2], track_ids[4]]
        for folder in (track_ids[:3], track_ids[:3][::-1], [], track_ids[:3]):
            set_members(session, playlist.id, folder)
            assert playlist_tracks(session, playlist.id) == with_feedback(session, playlist.id, folder)
        assert playlist_tracks(session, playlist.id) == expected
        set_members(session, playlist.id, track_ids)  # the folder says now what the user said before
        assert playlist_tracks(session, playlist.id) == [track_ids[0], *track_ids[2:]]
        assert source_of(session, playlist.id, track_ids[4]) == "feedback"


def test_withdrawing_leaves_what_the_source_said_last(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        playlist = make(session, "hip hop", track_ids[:3])
        give_feedback(session, track_ids[1], WRONG, playlist=playlist)
        give_feedback(session, track_ids[3], RIGHT, playlist=playlist)
        set_members(session, playlist.id, track_ids[:3])
        assert withdraw_feedback(session, track_ids[1])
        assert playlist_tracks(session, playlist.id) == track_ids[:4]
        assert withdraw_feedback(session, track_ids[3], playlist_id=playlist.id)
        assert playlist_tracks(session, playlist.id) == track_ids[:3]
        assert source_of(session, playlist.id, track_ids[1]) == "folder"
        assert not withdraw_feedback(session, track_ids[3])
        give_feedback(session, track_ids[2], WRONG, playlist=playlist)
        set_members(session, playlist.id, track_ids[:2])  # its folder lost it meanwhile
        assert not withdraw_feedback(session, track_ids[2])
        assert playlist_tracks(session, playlist.id) == track_ids[:2]


def test_an_edit_by_hand_is_the_last_word(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        playlist = make(session, "hip hop", track_ids[:2])
        give_feedback(session, track_ids[1], WRONG, playlist=playlist)
        set_members(session, playlist.id, track_ids[:2], source=EDITED)
        assert playlist_tracks(session, playlist.id) == track_ids[:2]
        assert list_feedback(session, track_ids[1]) == []


def test_the_users_word_is_learnt_from_where_spotifys_is_not(
    database: Database, track_ids: list[int]
) -> None:
    with database.session() as session:
        playlist = make(session, "hip hop", [])
        set_members(session, playlist.id, track_ids[:2], source="spotify")
        assert group_members(session, playlist.group_id) == []
        assert give_feedback(session, track_ids[0], RIGHT, playlist=playlist)
        set_members(session, playlist.id, track_ids[:2], source="spotify")
        assert [m.track_id for m in group_members(session, playlist.group_id)] == track_ids[:1]


def test_changes_are_noticed_and_only_those(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        playlist = make(session, "hip hop", track_ids[:2])
        changed_at = _latest_change(session)
        assert not give_feedback(session, track_ids[0], RIGHT, playlist=playlist)  # it is there already
        assert not give_feedback(session, track_ids[4], WRONG, playlist=playlist)  # and this one is not
        assert not members_changed_since(session, changed_at)
        assert give_feedback(session, track_ids[0], WRONG, playlist=playlist)
        assert members_changed_since(session, changed_at)


def _latest_change(session: Session) -> float:
    return max(playlist.changed_at for playlist in session.query(Playlist))


def test_feedback_goes_with_its_track_and_its_playlist(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        playlist = make(session, "hip hop", [])
        for track_id in track_ids[:2]:
            give_feedback(session, track_id, RIGHT, playlist=playlist)
        delete_track(session, track_ids[0])
        assert playlist_tracks(session, playlist.id) == track_ids[1:2]
        delete_playlist(session, playlist.id)
        assert list_feedback(session, track_ids[1]) == []


class FeedbackMachine(RuleBasedStateMachine):
    """A playlist beside the simplest model of it: what the source said last, and the verdicts in order."""

    database: Database
    playlist_id: int
    tracks: Sequence[int]
    rows = st.integers(0, N_TRACKS - 1)

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []
        self.verdicts: dict[int, MembershipVerdict] = {}
        with self.database.session() as session:
            set_members(session, self.playlist_id, [], source=EDITED)

    @rule(rows=st.lists(rows, unique=True), source=st.sampled_from(["folder", "m3u8"]))
    def source_says(self, rows: list[int], source: str) -> None:
        """A scan or an import."""
        self.given = [self.tracks[row] for row in rows]
        with self.database.session() as session:
            set_members(session, self.playlist_id, self.given, source=source)

    @rule(row=rows, verdict=st.sampled_from(MembershipVerdict))
    def user_says(self, row: int, verdict: MembershipVerdict) -> None:
        """A verdict, which may be the one before."""
        with self.database.session() as session:
            before = self._members()
            self.verdicts[self.tracks[row]] = verdict
            changed = record_verdict(session, self.playlist_id, self.tracks[row], verdict)
        assert changed == (before != self._members())

    @rule(row=rows)
    def user_takes_it_back(self, row: int) -> None:
        """A verdict that may never have been given."""
        with self.database.session() as session:
            before = self._members()
            self.verdicts.pop(self.tracks[row], None)
            changed = withdraw_verdict(session, self.playlist_id, self.tracks[row])
        assert changed == (before != self._members())

    def _members(self) -> set[int]:
        right = {track for track, said in self.verdicts.items() if said == MembershipVerdict.RIGHT}
        return (set(self.given) - set(self.verdicts)) | right

    @invariant()
    def members_are_what_both_say(self) -> None:
        """Whatever the order in which things were said."""
        with self.database.read_session() as session:
            found = playlist_tracks(session, self.playlist_id)
            expected = with_feedback(session, self.playlist_id, self.given)
        assert set(found) == set(expected) == self._members()
        kept = [track for track in self.given if track in self._members()]
        assert [track for track in expected if track in kept] == kept


@sqlite_only
def test_any_order_of_scans_and_feedback(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        playlist = create_playlist(session, name="p")
    world = {"database": database, "playlist_id": playlist.id, "tracks": track_ids}
    machine = type("Machine", (FeedbackMachine,), world)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@postgresql_only
def test_a_waiting_job_cannot_begin_before_what_was_added_to_it_is_there(
    database: Database, settings: object
) -> None:
    """Else the fit that a worker begins in that moment would miss the feedback, and no other would follow."""
    with database.session() as session:
        waiting = ledger.enqueue(session, JobKind.REFIT, {"reason": "x"})
    other = open_database(settings)  # type: ignore[arg-type]
    with database.session() as session:
        assert ledger.enqueue(session, JobKind.REFIT, {"reason": "x"}) == waiting
        with other.session() as worker:
            assert ledger.claim(worker, "worker", 60.0) is None
    with other.session() as worker:
        assert ledger.claim(worker, "worker", 60.0) is not None
    other.close()
