"""Feeds from other servers, which also misbehave: audio fetched for a moment, absences waited for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from recommender.catalogue.database import Database
from recommender.catalogue.models import catalogue_counts
from recommender.feeds.results import ResultOptions, read_results
from recommender.playlists.sending import SentList, send_lists
from recommender.records.feeds import DAY_S, FeedState
from recommender.records.jobs import JobState
from recommender.settings import Settings
from recommender.sources.servers.subsonic_log_in import find_subsonic
from recommender.sources.web.reading import open_web
from tests.databases import sqlite_only
from tests.fakes.fake_listenbrainz import FakeListenBrainz, release
from tests.fakes.fake_subsonic import PASSWORD, USER, FakeSubsonic, child
from tests.fakes.servers import AnsweringServer, Asked, Reply, page
from tests.folders import listened, write_track
from tests.training.background.feeding import (
    HIGH_HZ,
    LOW_HZ,
    add_feed,
    items_of,
    let_settle,
    make_feed_tools,
    score,
    serve_model,
    states_of,
)

pytestmark = sqlite_only


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    """A server of this machine."""
    with AnsweringServer().running() as server:
        yield server


@pytest.fixture
def settings(make_settings: Callable[..., Settings], server: AnsweringServer) -> Settings:
    """Settings that let untrusted addresses be this machine's."""
    return make_settings(allow_private_addresses="on")


def serve_podcast(server: AnsweringServer, tmp_path: Path, *names: str) -> None:
    """A feed of low tones, under an address without a suffix, that knows conditional requests."""
    items = "".join(
        f"<item><title>{name}</title><author>a@b.c (Artist)</author><guid>{name}</guid>"
        f'<enclosure url="{server.url}/{name}.flac" type="audio/flac"/></item>'
        for name in names
    )
    body = f'<rss version="2.0"><channel><title>New music</title>{items}</channel></rss>'.encode()
    etag = f'"{len(names)}"'

    def feed(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == etag:
            return Reply(status=304)
        return Reply(body, headers={"ETag": etag}, content_type="application/rss+xml")

    server.routes["/feed"] = feed
    for number, name in enumerate(names):
        path = write_track(tmp_path / "sent" / f"{name}.flac", tone_hz=LOW_HZ + 40 * number)
        audio = Reply(path.read_bytes(), content_type="audio/flac")
        server.routes[f"/{name}.flac"] = lambda _asked, audio=audio: audio  # type: ignore[misc]


def asked_for(server: AnsweringServer) -> list[str]:
    return [asked.path for asked in server.asked]


def test_what_a_podcast_encloses_is_heard_once_and_not_asked_for_again(
    tmp_path: Path, database: Database, settings: Settings, server: AnsweringServer
) -> None:
    serve_model(database, settings)
    serve_podcast(server, tmp_path, "one", "two")
    feed = add_feed(database, f"{server.url}/feed")
    job = score(settings, database, feed.id)
    assert (job.state, job.error, job.n_done) == (JobState.SUCCEEDED, None, 2)
    assert states_of(database, feed.id) == {"scored": 2}
    assert sorted(asked_for(server)) == ["/feed", "/one.flac", "/two.flac"]
    with database.read_session() as session:
        # The files are the cache's, which may throw them away: the catalogue knows the tracks only.
        n_files = catalogue_counts(session).n_files
    assert n_files == 12
    again = score(settings, database, feed.id)
    assert (again.n_done, asked_for(server)[3:]) == (0, ["/feed"])
    serve_podcast(server, tmp_path, "one", "two", "three")
    third = score(settings, database, feed.id)
    assert (third.n_done, third.result["n_new"], asked_for(server)[4:]) == (1, 1, ["/feed", "/three.flac"])


def test_audio_that_does_not_come_is_waited_for_longer_and_longer(
    tmp_path: Path, database: Database, settings: Settings, server: AnsweringServer
) -> None:
    serve_model(database, settings)
    serve_podcast(server, tmp_path, "good", "gone", "page")
    del server.routes["/gone.flac"]
    server.routes["/page.flac"] = lambda _asked: page()
    feed = add_feed(database, f"{server.url}/feed")
    score(settings, database, feed.id)
    found = {item.row.row.title: item for item in items_of(database, feed.id)}
    assert {title: item.state for title, item in found.items()} == {
        "good": FeedState.SCORED,
        "gone": FeedState.NO_AUDIO,
        "page": FeedState.NO_AUDIO,
    }
    assert (found["gone"].code, found["page"].code) == ("source_unavailable", "unreadable_source")
    assert found["gone"].tries == 1
    n_asked = len(server.asked)
    score(settings, database, feed.id)
    assert asked_for(server)[n_asked:] == ["/feed"]  # not before its time
    for tries in (2, 3):
        pass_time(settings, 8 * DAY_S)
        score(settings, database, feed.id)
        [gone] = [item for item in items_of(database, feed.id) if item.row.row.title == "gone"]
        assert gone.tries == tries
    pass_time(settings, 8 * DAY_S)
    serve_podcast(server, tmp_path, "good", "gone", "page")
    score(settings, database, feed.id)
    assert states_of(database, feed.id) == {"scored": 3}


def pass_time(settings: Settings, seconds: float) -> None:
    """Let everything that was planned or noted lie so much further back."""
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        moved = "next_try_at = next_try_at - :seconds, tried_at = tried_at - :seconds"
        connection.execute(text(f"UPDATE feed_item SET {moved}"), {"seconds": seconds})
        connection.execute(text("UPDATE track SET created_at = created_at - :seconds"), {"seconds": seconds})
    engine.dispose()


def test_a_private_address_in_a_feed_is_not_visited(
    tmp_path: Path, database: Database, make_settings: Callable[..., Settings], server: AnsweringServer
) -> None:
    settings = make_settings()
    serve_model(database, settings)
    serve_podcast(server, tmp_path, "inside")
    listing = tmp_path / "feed" / "new.csv"
    listing.parent.mkdir()
    listing.write_text(f"url,title\n{server.url}/inside.flac,x\nfile:///etc/passwd,y\n")
    feed = add_feed(database, listing)
    score(settings, database, feed.id)
    assert {(item.state.value, item.code) for item in items_of(database, feed.id)} == {
        ("no_audio", "forbidden_address"),
        ("skipped", "names_nothing"),
    }
    assert server.asked == []


def test_new_releases_are_matched_with_what_the_library_has_or_gets(
    tmp_path: Path, database: Database, make_settings: Callable[..., Settings]
) -> None:
    with FakeListenBrainz().running() as server:
        settings = make_settings(listenbrainz_url=server.url, allow_private_addresses="on")
        serve_model(database, settings)
        server.releases = [
            release(1, release_name="First", artist_credit_name="Röyksopp"),
            release(2),
            release(3, release_name="Talk", release_group_secondary_type="Audiobook"),
        ]
        feed = add_feed(database, "listenbrainz:fresh")
        score(settings, database, feed.id)
        states = {(item.state.value, item.code) for item in items_of(database, feed.id)}
        assert states == {("no_audio", "not_in_library"), ("skipped", "not_music")}
        for number, tone_hz in enumerate((LOW_HZ, HIGH_HZ)):
            path = tmp_path / "bought" / f"{number}.flac"
            write_track(path, tone_hz=tone_hz, title=f"Song {number}", artist="Röyksopp", album="First")
        bought = add_feed(database, let_settle(tmp_path / "bought"))
        score(settings, database, bought.id)
        score(settings, database, feed.id)
    found = sorted(
        (item.state.value, item.code or "", item.row.row.title) for item in items_of(database, feed.id)
    )
    assert found == [
        ("no_audio", "not_in_library", ""),
        ("scored", "", "Song 0"),
        ("scored", "", "Song 1"),
        ("skipped", "album", ""),
        ("skipped", "not_music", "Artist 3 - Talk"),
    ]
    assert len(listened(tmp_path)) == 2


def test_the_newest_albums_of_the_own_server_are_downloaded_and_scored(
    tmp_path: Path, database: Database, make_settings: Callable[..., Settings]
) -> None:
    with FakeSubsonic().running() as server:
        settings = make_settings(subsonic_url=server.url, subsonic_user=USER, subsonic_password=PASSWORD)
        serve_model(database, settings)
        path = write_track(tmp_path / "sent" / "s1.flac", tone_hz=LOW_HZ)
        server.tracks = {"s1": child("s1", "Song", "Artist"), "s2": child("s2", "Other", "Artist")}
        server.albums = {"al-1": ["s1", "s2"]}
        server.files = {"s1": path.read_bytes()}
        feed = add_feed(database, "subsonic:newest")
        job = score(settings, database, feed.id, tools=make_feed_tools())
        assert job.state is JobState.SUCCEEDED
        found = {item.row.row.title: item.state.value for item in items_of(database, feed.id)}
        assert found == {"Song": "scored", "Other": "no_audio"}
        with database.read_session() as session:
            results = read_results(session, settings, feed.id, ResultOptions())
        sent = send_lists(database, open_web(settings), find_subsonic(settings), results)
        assert sent == [SentList("low (new)", 1, 0)]
        assert list(server.playlists.values()) == [("low (new)", ["s1"])]


def test_a_server_that_is_not_set_up_fails_the_job_with_what_to_set(
    database: Database, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings()
    serve_model(database, settings)
    job = score(settings, database, add_feed(database, "subsonic:newest").id)
    assert (job.state, job.error_code) == (JobState.FAILED, "bad_setting")
    assert "WHICHLIST_SUBSONIC_URL" in (job.error or "")
