"""Playlists, their groups and members; what may be trained on."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.playlists import (
    create_playlist,
    delete_playlist,
    ensure_playlist,
    find_group,
    find_playlist,
    get_playlist,
    group_members,
    list_groups,
    list_playlists,
    members_changed_since,
    mirrored_folders,
    playlist_tracks,
    rename_playlist,
    set_members,
    track_playlists,
)
from recommender.catalogue.tracks import delete_track, upsert_track
from recommender.errors import NoSuchGroup, NoSuchPlaylist, PlaylistExists
from recommender.records.playlists import Member, PlaylistInfo
from recommender.records.tracks import TrackFacts

N_TRACKS = 4


@pytest.fixture
def track_ids(database: Database) -> list[int]:
    """Four tracks of two artists."""
    with database.session() as session:
        return [
            upsert_track(
                session,
                TrackFacts(title=str(n), artist=f"artist {n % 2}", album=f"album {n}", content_sha256=str(n)),
            )
            for n in range(N_TRACKS)
        ]


def make(
    database: Database, name: str, tracks: Sequence[int] = (), *, group: str = "default"
) -> PlaylistInfo:
    with database.session() as session:
        playlist = create_playlist(session, name=name, group=group)
        set_members(session, playlist.id, tracks)
        return get_playlist(session, playlist.id)


def test_a_playlist_keeps_its_order_and_each_track_once(database: Database, track_ids: list[int]) -> None:
    order = [track_ids[2], track_ids[0], track_ids[2], track_ids[3]]
    playlist = make(database, "hip hop", order)
    assert (playlist.name, playlist.group, playlist.source, playlist.n_tracks) == (
        "hip hop",
        "default",
        "folder",
        3,
    )
    with database.session() as session:
        assert playlist_tracks(session, playlist.id) == [track_ids[2], track_ids[0], track_ids[3]]
        set_members(session, playlist.id, track_ids[:1])
        assert playlist_tracks(session, playlist.id) == track_ids[:1]


def test_names_are_unique_within_a_group_only(database: Database) -> None:
    first = make(database, "hip hop")
    other = make(database, "hip hop", group="mood")
    assert first.group_id != other.group_id
    with database.session() as session:
        with pytest.raises(PlaylistExists, match="'default' already has a playlist 'hip hop'"):
            create_playlist(session, name="hip hop")
        # The refusal has not spoilt the transaction.
        assert create_playlist(session, name="Hip Hop").name == "Hip Hop"
    with database.read_session() as session:
        assert [(p.group, p.name) for p in list_playlists(session)] == [
            ("default", "Hip Hop"),
            ("default", "hip hop"),
            ("mood", "hip hop"),
        ]
        assert [p.id for p in list_playlists(session, group="mood")] == [other.id]
        assert find_playlist(session, "hip hop", group="mood") == other


def test_playlists_and_groups_that_are_not_there(database: Database) -> None:
    with database.session() as session:
        with pytest.raises(NoSuchPlaylist, match="no playlist has the id 5"):
            get_playlist(session, 5)
        with pytest.raises(NoSuchPlaylist, match="'mood' has no playlist 'x'"):
            find_playlist(session, "x", group="mood")
        with pytest.raises(NoSuchGroup, match="'mood'"):
            find_group(session, "mood")
        for change in (
            delete_playlist,
            lambda s, i: rename_playlist(s, i, "x"),
            lambda s, i: set_members(s, i, []),
        ):
            with pytest.raises(NoSuchPlaylist):
                change(session, 5)


def test_renaming(database: Database, track_ids: list[int]) -> None:
    playlist = make(database, "old", track_ids)
    make(database, "taken")
    with database.session() as session:
        assert rename_playlist(session, playlist.id, "new").n_tracks == N_TRACKS
        with pytest.raises(PlaylistExists):
            rename_playlist(session, playlist.id, "taken")
        assert get_playlist(session, playlist.id).name == "new"


def test_deleting_a_playlist_keeps_tracks_and_drops_an_empty_group(
    database: Database, track_ids: list[int]
) -> None:
    first, second = make(database, "a", track_ids, group="mood"), make(database, "b", group="mood")
    with database.session() as session:
        delete_playlist(session, first.id)
        assert [(group.name, group.n_playlists) for group in list_groups(session)] == [("mood", 1)]
        delete_playlist(session, second.id)
        assert list_groups(session) == []
        assert track_playlists(session, track_ids[0]) == []


def test_deleting_a_track_takes_it_out_of_its_playlists(database: Database, track_ids: list[int]) -> None:
    playlist = make(database, "a", track_ids)
    with database.session() as session:
        delete_track(session, track_ids[1])
        assert playlist_tracks(session, playlist.id) == [track_ids[0], track_ids[2], track_ids[3]]


def test_members_of_a_group_with_artist_and_album(database: Database, track_ids: list[int]) -> None:
    first = make(database, "a", track_ids[1::-1])
    second = make(database, "b", track_ids[1:3])
    make(database, "elsewhere", track_ids, group="mood")
    with database.read_session() as session:
        members = group_members(session, first.group_id)
        artist = {m.track_id: m.artist_id for m in members}
        assert members == [
            Member(first.id, track_ids[1], artist[track_ids[1]], "album 1"),
            Member(first.id, track_ids[0], artist[track_ids[0]], "album 0"),
            Member(second.id, track_ids[1], artist[track_ids[1]], "album 1"),
            Member(second.id, track_ids[2], artist[track_ids[2]], "album 2"),
        ]
        assert artist[track_ids[0]] == artist[track_ids[2]] != artist[track_ids[1]]
        assert [p.name for p in track_playlists(session, track_ids[1])] == ["a", "b", "elsewhere"]


def test_what_came_from_spotify_is_trained_on_only_when_allowed(
    database: Database, track_ids: list[int]
) -> None:
    with database.session() as session:
        foreign = upsert_track(
            session, TrackFacts(title="t", artist="a", source="spotify", identities=(("spotify", "x"),))
        )
    own_list = make(database, "own", [track_ids[0], foreign])
    with database.session() as session:
        imported = create_playlist(session, name="imported", source="spotify")
        set_members(session, imported.id, [track_ids[1]], source="spotify")
        group_id = own_list.group_id
        assert [m.track_id for m in group_members(session, group_id)] == [track_ids[0]]
        allowed = group_members(session, group_id, allow_spotify=True)
        assert [m.track_id for m in allowed] == [track_ids[0], foreign, track_ids[1]]


def test_a_playlist_mirrors_its_folder_until_it_is_edited(database: Database, track_ids: list[int]) -> None:
    with database.session() as session:
        playlist = ensure_playlist(session, name="p", folder=Path("/m/p\udcff"))
        assert playlist.folder == "/m/p�"
        assert ensure_playlist(session, name="p", folder=Path("/n")).id == playlist.id
        assert mirrored_folders(session) == {playlist.id: Path("/n")}
        set_members(session, playlist.id, track_ids)
        assert mirrored_folders(session) == {playlist.id: Path("/n")}
        set_members(session, playlist.id, track_ids[:1], source="api")
        assert mirrored_folders(session) == {}
        assert (get_playlist(session, playlist.id).folder, get_playlist(session, playlist.id).source) == (
            None,
            "api",
        )
        ensure_playlist(session, name="p", folder=Path("/n"))
        assert get_playlist(session, playlist.id).source == "folder"


def test_changes_of_members_are_noticed(database: Database, track_ids: list[int]) -> None:
    playlist = make(database, "p", track_ids)
    moment = time.time()
    with database.session() as session:
        assert not members_changed_since(session, moment)
        rename_playlist(session, playlist.id, "q")
        assert not members_changed_since(session, moment)
        set_members(session, playlist.id, track_ids[:1])
        assert members_changed_since(session, moment)
