"""Feeds, ListenBrainz, Subsonic and Jellyfin, against servers that answer as they do and misbehave too."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from api.cli import main
from recommender.catalogue.database import Database
from recommender.catalogue.identities import remember_server_ids, server_ids
from recommender.catalogue.playlists import create_playlist, set_members
from recommender.catalogue.tracks import upsert_track
from recommender.errors import (
    ForbiddenAddress,
    RateLimited,
    SettingsError,
    SourceError,
    SourceUnavailable,
    UnreadableSource,
)
from recommender.playlists.server_library import link_server
from recommender.records.rows import GUID, ISRC, JELLYFIN, MBID, RELEASE_GROUP, SUBSONIC, SourceRow
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings, load_settings
from recommender.sources.references import fetch_original, is_source_reference, read_source
from recommender.sources.servers.jellyfin import (
    JellyfinServer,
    read_jellyfin_favourites,
    read_jellyfin_newest,
    read_jellyfin_playlist,
)
from recommender.sources.servers.listenbrainz import ListenBrainz, read_fresh_releases, read_release_date
from recommender.sources.servers.media_cache import MediaCache
from recommender.sources.servers.subsonic import (
    read_subsonic_library,
    read_subsonic_newest,
    read_subsonic_playlist,
    read_subsonic_starred,
    write_subsonic_playlist,
)
from recommender.sources.servers.subsonic_log_in import SubsonicServer
from recommender.sources.servers.syndication import parse_syndication, read_syndication
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import Web
from tests.databases import sqlite_only
from tests.fakes import fake_jellyfin, fake_subsonic, servers
from tests.fakes.fake_jellyfin import FakeJellyfin, item
from tests.fakes.fake_listenbrainz import GROUP, FakeListenBrainz, over_the_limit, release
from tests.fakes.fake_subsonic import FakeSubsonic, child
from tests.fakes.servers import AnsweringServer, FakeServer, FakeTime, Reply

MBID_1 = "cd2e7c47-16f5-46c6-a37c-a1eb7bf599ff"
TODAY = date(2026, 11, 20)
FLAC = b"fLaC" + bytes(200)


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def web(fake_time: FakeTime) -> Web:
    """Talks to private addresses, in a time of its own."""
    manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
    return Web("Whichlist/test", allow_private=True, manners=manners)


@pytest.fixture
def subsonic() -> Iterator[FakeSubsonic]:
    with FakeSubsonic().running() as fake:
        fake.tracks = {str(n): child(str(n), f"Title {n}", f"Artist {n}") for n in range(1, 301)}
        fake.playlists = {"pl-1": ("Late Night", ["2", "1"]), "pl-2": ("empty", [])}
        fake.starred = ["3"]
        fake.albums = {"al-9": ["5", "6"], "al-8": ["7"]}
        fake.files = {"1": FLAC}
        yield fake


@pytest.fixture
def jellyfin() -> Iterator[FakeJellyfin]:
    with FakeJellyfin().running() as fake:
        fake.items = [item(str(n), f"Title {n}", f"Artist {n}") for n in range(1_203)]
        fake.playlists = {"p1": ("Late Night", ["4", "2"])}
        fake.favourites = {str(n) for n in range(0, 1_203, 2)}
        fake.files = {"4": FLAC}
        yield fake


@pytest.fixture
def listenbrainz() -> Iterator[FakeListenBrainz]:
    with FakeListenBrainz().running() as fake:
        yield fake


@pytest.fixture
def feeds() -> Iterator[AnsweringServer]:
    with AnsweringServer().running() as fake:
        yield fake


def subsonic_of(fake: FakeSubsonic) -> SubsonicServer:
    return SubsonicServer(fake.url, fake_subsonic.USER, fake_subsonic.PASSWORD)


def jellyfin_of(fake: FakeJellyfin, user: str | None = "ada") -> JellyfinServer:
    return JellyfinServer(fake.url, fake_jellyfin.TOKEN, user)


def misbehaviours() -> list[tuple[list[Reply], type[SourceError]]]:
    """What any server may do, and the error it must become."""
    return [
        ([servers.too_many("600")], RateLimited),
        ([servers.too_many()] * 4, RateLimited),
        ([servers.unavailable("600")], RateLimited),
        ([servers.unavailable()] * 4, SourceUnavailable),
        ([Reply(b'{"error": "overloaded"}')], SourceUnavailable),
        ([servers.page()], UnreadableSource),
        ([servers.truncated(b'{"a": 1}')] * 4, SourceUnavailable),
        ([servers.cut_short(b'{"payload": {"releases": []}}')], UnreadableSource),
        ([Reply(b"[]")], UnreadableSource),
        ([Reply(b'"text"')], UnreadableSource),
        ([Reply(b"{}")], UnreadableSource),
        ([Reply(b"null")], UnreadableSource),
        ([servers.moved("http://169.254.169.254/")], ForbiddenAddress),
        ([Reply(b"", 401)], SourceUnavailable),
    ]


class TestEveryApi:
    @pytest.mark.parametrize(("faults", "error"), misbehaviours())
    @pytest.mark.parametrize("kind", ["subsonic", "jellyfin", "listenbrainz"])
    def test_misbehaviour_is_a_typed_error_without_secrets(
        self, kind: str, faults: list[Reply], error: type[SourceError], web: Web
    ) -> None:
        fakes: dict[str, Callable[[], FakeServer]] = {
            "subsonic": FakeSubsonic,
            "jellyfin": FakeJellyfin,
            "listenbrainz": FakeListenBrainz,
        }
        with fakes[kind]().running() as fake:
            fake.faults.extend(faults)
            with pytest.raises(error) as caught:
                if kind == "subsonic":
                    read_subsonic_starred(web, subsonic_of(fake))
                elif kind == "jellyfin":
                    read_jellyfin_favourites(web, jellyfin_of(fake))
                else:
                    read_fresh_releases(web, ListenBrainz(fake.url, "SECRET"), today=TODAY)
        for secret in (fake_subsonic.PASSWORD, fake_jellyfin.TOKEN, "SECRET", "t=", "Token"):
            assert secret not in str(caught.value)


def test_each_kind_of_server_is_told_from_the_other(
    subsonic: FakeSubsonic, jellyfin: FakeJellyfin, web: Web
) -> None:
    with pytest.raises(SourceError):
        read_subsonic_starred(web, SubsonicServer(jellyfin.url, "ada", "open sesame"))
    with pytest.raises(SourceError):
        read_jellyfin_favourites(web, JellyfinServer(subsonic.url, fake_jellyfin.TOKEN))
    assert fake_jellyfin.TOKEN not in str([asked.params for asked in subsonic.asked])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "subsonic-response",
                        "status",
                        "starred2",
                        "song",
                        "id",
                        "title",
                        "duration",
                        "isrc",
                        "isDir",
                    ),
                    *(
                        "Items",
                        "Id",
                        "Name",
                        "Artists",
                        "ProviderIds",
                        "TotalRecordCount",
                        "error",
                        "RunTimeTicks",
                    ),
                    *("payload", "releases", "release_name", "artist_credit_name", "release_date"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(answer=JSON)
@settings_of_hypothesis(max_examples=60, deadline=None)
def test_no_json_whatsoever_breaks_a_reader(answer: Any) -> None:
    envelope = {"subsonic-response": {"status": "ok", "starred2": {"song": answer}}}
    body = {"Items": [answer], "TotalRecordCount": 1, "payload": {"releases": [answer, answer]}}
    manners = Manners(clock=FakeTime().clock, sleep=lambda _: None)
    web = Web("test", allow_private=True, manners=manners)
    with AnsweringServer().running() as fake:
        fake.routes["/rest/getStarred2.view"] = lambda _: Reply(json.dumps(envelope).encode())
        fake.routes["/Users"] = lambda _: Reply(b'[{"Id": "1", "Name": "ada"}]')
        for path in ("/Items", "/1/explore/fresh-releases/"):
            fake.routes[path] = lambda _: Reply(json.dumps(body).encode())
        assert read_subsonic_starred(web, SubsonicServer(fake.url, "a", "b")).name == "liked"
        assert read_jellyfin_favourites(web, JellyfinServer(fake.url, "t")).name == "liked"
        assert read_fresh_releases(web, ListenBrainz(fake.url), today=TODAY).source == "listenbrainz"
        for path in ("/rest/getStarred2.view", "/Users", "/Items", "/1/explore/fresh-releases/"):
            fake.routes[path] = lambda _: Reply(json.dumps(answer).encode())
        for read in (
            lambda: read_subsonic_starred(web, SubsonicServer(fake.url, "a", "b")),
            lambda: read_jellyfin_favourites(web, JellyfinServer(fake.url, "t")),
            lambda: read_fresh_releases(web, ListenBrainz(fake.url), today=TODAY),
        ):
            with contextlib.suppress(SourceError):
                read()


class TestSubsonic:
    def test_a_playlist_in_its_order(self, subsonic: FakeSubsonic, web: Web) -> None:
        identity = {"musicBrainzId": MBID_1.upper(), "isrc": ["us-um7-17-03861", "nonsense"], "year": 2017}
        subsonic.tracks["2"] |= identity | {"displayArtist": "A & B", "duration": 207}
        read = read_subsonic_playlist(web, subsonic_of(subsonic), "late night")
        assert (read.name, read.source, [row.title for row in read.rows]) == (
            "Late Night",
            "subsonic",
            ["Title 2", "Title 1"],
        )
        first = read.rows[0]
        assert (first.artist, first.album, first.duration_s, first.released) == (
            "A & B",
            "Album",
            207.0,
            "2017",
        )
        assert first.identities == ((SUBSONIC, "2"), (MBID, MBID_1), (ISRC, "USUM71703861"))

    def test_the_password_is_never_sent(self, subsonic: FakeSubsonic, web: Web) -> None:
        read_subsonic_starred(web, subsonic_of(subsonic))
        read_subsonic_starred(web, subsonic_of(subsonic))
        assert len({asked.one("s") for asked in subsonic.asked}) == 2
        sent = str([(asked.path, asked.params, asked.headers) for asked in subsonic.asked])
        assert fake_subsonic.PASSWORD not in sent
        assert fake_subsonic.PASSWORD not in repr(subsonic_of(subsonic))

    def test_a_wrong_password_is_said(self, subsonic: FakeSubsonic, web: Web) -> None:
        with pytest.raises(SourceUnavailable, match=r"Wrong username or password. \(code 40\)"):
            read_subsonic_starred(web, SubsonicServer(subsonic.url, "ada", "guess"))

    def test_starred_is_liked(self, subsonic: FakeSubsonic, web: Web) -> None:
        read = read_subsonic_starred(web, subsonic_of(subsonic))
        assert (read.name, [row.title for row in read.rows]) == ("liked", ["Title 3"])

    def test_the_newest_albums_come_track_by_track(self, subsonic: FakeSubsonic, web: Web) -> None:
        read = read_subsonic_newest(web, subsonic_of(subsonic))
        assert [row.title for row in read.rows] == ["Title 5", "Title 6", "Title 7"]

    def test_lists_of_one_may_be_objects_and_empty_ones_missing(
        self, subsonic: FakeSubsonic, web: Web
    ) -> None:
        subsonic.single_as_object = True
        subsonic.playlists = {"pl-1": ("one", ["1"])}
        assert len(read_subsonic_playlist(web, subsonic_of(subsonic), "one").rows) == 1
        subsonic.playlists = {"pl-2": ("none", [])}
        assert read_subsonic_playlist(web, subsonic_of(subsonic), "none").rows == ()

    def test_folders_and_videos_are_no_tracks(self, subsonic: FakeSubsonic, web: Web) -> None:
        subsonic.tracks["2"]["isVideo"] = True
        subsonic.tracks["1"]["type"] = "podcast"
        read = read_subsonic_playlist(web, subsonic_of(subsonic), "pl-1")
        assert read.rows == () and [skip.position for skip in read.skipped] == [0, 1]

    def test_names_that_are_unknown_or_not_unique_are_said(self, subsonic: FakeSubsonic, web: Web) -> None:
        with pytest.raises(SourceUnavailable, match="it has: Late Night, empty"):
            read_subsonic_playlist(web, subsonic_of(subsonic), "morning")
        subsonic.playlists["pl-3"] = ("late night", ["3"])
        exact = read_subsonic_playlist(web, subsonic_of(subsonic), "late night")
        assert [row.title for row in exact.rows] == ["Title 3"]
        with pytest.raises(SourceUnavailable, match="2 playlists called"):
            read_subsonic_playlist(web, subsonic_of(subsonic), "LATE NIGHT")

    @pytest.mark.parametrize("says_what_it_made", [True, False])
    def test_a_playlist_is_written_whole_and_replaced(
        self, says_what_it_made: bool, subsonic: FakeSubsonic, web: Web
    ) -> None:
        subsonic.says_what_it_made = says_what_it_made
        ids = [str(n) for n in range(1, 251)]
        made = write_subsonic_playlist(web, subsonic_of(subsonic), "for the train", ids)
        assert subsonic.playlists[made] == ("for the train", ids)
        assert write_subsonic_playlist(web, subsonic_of(subsonic), "for the train", ["9"]) == made
        assert subsonic.playlists[made] == ("for the train", ["9"])

    def test_a_write_that_nobody_knows_the_end_of_is_not_repeated(
        self, subsonic: FakeSubsonic, web: Web
    ) -> None:
        subsonic.faults.extend([subsonic.ok(playlists={}), Reply(b"", 500)])
        with pytest.raises(SourceUnavailable):
            write_subsonic_playlist(web, subsonic_of(subsonic), "new", ["1"])
        assert len(subsonic.asked) == 2


class TestJellyfin:
    def test_a_playlist_with_what_is_registered(self, jellyfin: FakeJellyfin, web: Web) -> None:
        registered = {"MusicBrainzTrack": GROUP.format(1), "MusicBrainzRecording": MBID_1}
        jellyfin.items[4] |= {"ProviderIds": registered, "Path": "/music/a.flac", "ProductionYear": 1999}
        read = read_jellyfin_playlist(web, jellyfin_of(jellyfin), "late night")
        first = read.rows[0]
        assert (read.name, first.title, first.artist, first.duration_s) == (
            "Late Night",
            "Title 4",
            "Artist 4",
            200.0,
        )
        assert first.identities == ((JELLYFIN, "4"), (MBID, MBID_1))
        assert (first.path, first.released, len(read.rows)) == ("/music/a.flac", "1999", 2)

    def test_favourites_of_many_pages(self, jellyfin: FakeJellyfin, web: Web) -> None:
        read = read_jellyfin_favourites(web, jellyfin_of(jellyfin))
        assert read.name == "liked"
        assert [row.identity(JELLYFIN) for row in read.rows] == [str(n) for n in range(0, 1_203, 2)]

    @pytest.mark.parametrize("total", [0, 10**9])
    def test_a_wrong_total_neither_loses_nor_loops(
        self, total: int, jellyfin: FakeJellyfin, web: Web
    ) -> None:
        jellyfin.total = total
        read = read_jellyfin_newest(web, jellyfin_of(jellyfin), n_tracks=10_000)
        assert len(read.rows) == 1_203

    def test_the_newest_come_first(self, jellyfin: FakeJellyfin, web: Web) -> None:
        read = read_jellyfin_newest(web, jellyfin_of(jellyfin), n_tracks=3)
        assert [row.title for row in read.rows] == ["Title 1202", "Title 1201", "Title 1200"]

    def test_the_token_is_in_a_header_only(self, jellyfin: FakeJellyfin, web: Web) -> None:
        read_jellyfin_favourites(web, jellyfin_of(jellyfin))
        assert all(fake_jellyfin.TOKEN not in str(asked.params) + asked.path for asked in jellyfin.asked)
        assert fake_jellyfin.TOKEN not in repr(jellyfin_of(jellyfin))

    def test_whose_favourites_must_be_clear(self, jellyfin: FakeJellyfin, web: Web) -> None:
        assert read_jellyfin_favourites(web, jellyfin_of(jellyfin, user=None)).rows
        jellyfin.users["Bob"] = "u2"
        for user in (None, "Eve"):
            with pytest.raises(SourceUnavailable, match="WHICHLIST_JELLYFIN_USER"):
                read_jellyfin_favourites(web, jellyfin_of(jellyfin, user=user))


class TestListenBrainz:
    def read(self, fake: FakeListenBrainz, web: Web, **more: Any) -> Any:
        return read_fresh_releases(web, ListenBrainz(fake.url), today=TODAY, **more)

    def test_releases_are_named_by_their_group(self, listenbrainz: FakeListenBrainz, web: Web) -> None:
        listenbrainz.releases = [release(1), release(2, release_group_primary_type="Single")]
        album, single = self.read(listenbrainz, web, days=3).rows
        assert (album.title, album.album, album.artist) == ("", "Release 1", "Artist 1")
        assert (single.title, single.album, single.released) == ("Release 2", "Release 2", "2026-11-20")
        assert album.identity(RELEASE_GROUP) == GROUP.format(1)
        asked = listenbrainz.asked[0]
        assert (asked.one("days"), asked.one("release_date"), asked.one("future")) == (
            "3",
            "2026-11-20",
            "false",
        )

    def test_one_listeners_releases(self, listenbrainz: FakeListenBrainz, web: Web) -> None:
        listenbrainz.users = {"ada%20b": [release(1, release_date="2026-5-7", confidence=2)]}
        read = self.read(listenbrainz, web, user="ada b")
        assert (read.name, read.rows[0].released) == ("fresh releases for ada b", "2026-05-07")

    def test_what_is_left_out_is_said(self, listenbrainz: FakeListenBrainz, web: Web) -> None:
        without_type = release(6)
        del without_type["release_group_primary_type"]
        listenbrainz.releases = [
            release(1, release_group_primary_type="Other", release_group_secondary_type="Audiobook"),
            release(2, release_group_secondary_type="DJ-mix"),
            release(3, release_date="2026-12-01"),
            release(4, artist_credit_name=None),
            release(5),
            release(5, release_name="Release 5 (deluxe)"),
            without_type,
            None,
            release(7, release_group_secondary_type="Live"),
            release(8, release_date="2026-11-99", release_group_mbid=None),
        ]
        read = self.read(listenbrainz, web)
        assert [row.album for row in read.rows] == ["Release 5", "Release 6", "Release 7", "Release 8"]
        assert (read.rows[-1].released, read.rows[-1].identities) == ("", ())
        assert [(skip.position, skip.code) for skip in read.skipped] == [
            *((0, "not_music"), (1, "not_music"), (2, "not_out_yet"), (3, "no_name")),
            *((5, "duplicate"), (7, "no_name")),
        ]

    def test_its_own_way_to_say_when_is_heard(
        self, listenbrainz: FakeListenBrainz, web: Web, fake_time: FakeTime
    ) -> None:
        listenbrainz.faults.append(over_the_limit(7))
        assert self.read(listenbrainz, web).rows == ()
        assert fake_time.slept == [7.0]

    def test_more_days_than_it_takes_are_not_asked_for(
        self, listenbrainz: FakeListenBrainz, web: Web
    ) -> None:
        assert self.read(listenbrainz, web, days=400).rows == ()
        assert listenbrainz.asked[0].one("days") == "90"

    @given(st.dates())
    def test_dates_are_padded(self, day: date) -> None:
        assert read_release_date(f"{day.year:04d}-{day.month}-{day.day}") == day.isoformat()

    def test_dates_of_less_precision(self) -> None:
        given_ = ["2026", "2026-3", "2026-02-30", "0000", "soon", None, 2026, ["2026"]]
        assert [read_release_date(value) for value in given_] == [
            "2026",
            "2026-03",
            "",
            "",
            "",
            "",
            "2026",
            "",
        ]


FEED = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:podcast="https://podcastindex.org/namespace/1.0">
<channel><title>New on the label</title><podcast:medium>music</podcast:medium>
 <itunes:author>The Label</itunes:author>
<item><title>First Light</title><guid>g1</guid><itunes:author>Ada Quartet</itunes:author>
 <itunes:duration>3:20</itunes:duration><pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate>
 <enclosure url="https://cdn.example/1.mp3?sig=x" length="1" type="audio/mpeg"/></item>
<item><title>Bob &amp; Co - Second Wind</title><guid>g2</guid>
 <enclosure url="/files/2.flac" length="1" type="application/octet-stream"/></item>
<item><title>Moving Pictures</title><guid>g3</guid>
 <enclosure url="https://cdn.example/3.mp4" type="video/mp4"/>
 <enclosure url="ftp://cdn.example/3.mp3" type="audio/mpeg"/></item>
<item><title>First Light</title><guid>g1</guid></item>
<item><guid>g4</guid></item>
</channel></rss>"""
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Fresh</title>
<entry><id>urn:1</id><title>Album by X</title><author><name>X</name></author>
<updated>2026-11-19T00:00:00Z</updated>
<link rel="enclosure" href="a.ogg" type="audio/ogg"/></entry></feed>"""


class TestSyndication:
    def test_a_podcast_of_music(self) -> None:
        read = parse_syndication(FEED, url="https://label.example/feeds/new.xml")
        first, second, third = read.rows
        assert (read.name, read.source) == ("New on the label", "rss")
        assert (first.artist, first.title, first.duration_s) == ("Ada Quartet", "First Light", 200.0)
        assert (first.url, first.released) == ("https://cdn.example/1.mp3?sig=x", "2026-11-20")
        assert first.identities == ((GUID, "g1"),)
        assert (second.artist, second.title) == ("Bob & Co", "Second Wind")
        assert second.url == "https://label.example/files/2.flac"
        assert third.url is None
        assert [(skip.position, skip.code) for skip in read.skipped] == [(3, "duplicate"), (4, "no_title")]

    def test_atom(self) -> None:
        (row,) = parse_syndication(ATOM, url="https://label.example/feeds/new").rows
        assert (row.artist, row.title, row.released) == ("X", "Album by X", "2026-11-19")
        assert row.url == "https://label.example/feeds/a.ogg"

    def test_a_feed_that_breaks_off_says_so(self) -> None:
        read = parse_syndication(FEED[: FEED.index(b"<item><title>Moving")], url="https://label.example/")
        assert [row.title for row in read.rows] == ["First Light", "Second Wind"]
        assert [skip.code for skip in read.skipped] == ["damaged_feed"]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_entities_are_refused(self, encoding: str) -> None:
        bomb = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "lol">' + "".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
        )
        with pytest.raises(UnreadableSource, match="entities"):
            parse_syndication(
                f"{bomb}]><rss><channel><title>&j;</title></channel></rss>".encode(encoding),
                url="http://a.example",
            )

    @given(st.data())
    @settings_of_hypothesis(max_examples=60, deadline=None)
    def test_no_damage_whatsoever_breaks_the_reader(self, data: st.DataObject) -> None:
        body = bytearray(data.draw(st.sampled_from([FEED, ATOM])))
        for _ in range(data.draw(st.integers(1, 6))):
            start = data.draw(st.integers(0, len(body)))
            end = data.draw(st.integers(start, min(len(body), start + 40)))
            body[start:end] = data.draw(
                st.binary(max_size=12) | st.sampled_from([b"<item>", b"<!", b"&#0;", b"]]>"])
            )
        with contextlib.suppress(UnreadableSource):
            for row in parse_syndication(bytes(body), url="https://label.example/feed").rows:
                assert row.title and (row.url is None or row.url.startswith(("http://", "https://")))

    def test_the_old_doctype_of_rss_is_no_reason(self) -> None:
        doctype = (
            '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://x.example/rss.dtd">'
        )
        item_ = "<item><title>&lt;!ENTITY</title></item>"
        body = f'<?xml version="1.0"?>{doctype}<rss version="0.91"><channel>{item_}</channel></rss>'
        (row,) = parse_syndication(body.encode(), url="http://a.example").rows
        assert row.title == "<!ENTITY"

    @pytest.mark.parametrize(
        "body", [servers.PAGE, b"", b"{}", b"\x00\xff" * 50, b"/etc/passwd", b"http://127.0.0.1/"]
    )
    def test_what_is_no_feed(self, body: bytes) -> None:
        with pytest.raises(UnreadableSource):
            parse_syndication(body, url="http://a.example")

    def test_unchanged_feeds_are_not_read_again(self, feeds: AnsweringServer, web: Web) -> None:
        def route(asked: servers.Asked) -> Reply:
            known = asked.headers.get("if-none-match") == '"v1"'
            return Reply(
                b"" if known else FEED, 304 if known else 200, {"ETag": '"v1"'}, "application/rss+xml"
            )

        feeds.routes["/feed"] = route
        first = read_syndication(web, f"{feeds.url}/feed")
        assert first.playlist is not None and len(first.playlist.rows) == 3
        again = read_syndication(web, f"{feeds.url}/feed", validators=first.validators)
        assert again.playlist is None and again.validators.etag == '"v1"'

    def test_a_feed_that_never_was_read_cannot_be_unchanged(self, feeds: AnsweringServer, web: Web) -> None:
        feeds.routes["/feed"] = lambda _: Reply(status=304)
        with pytest.raises(UnreadableSource):
            read_syndication(web, f"{feeds.url}/feed")

    def test_a_feed_may_not_lead_into_this_machine(self, feeds: AnsweringServer, fake_time: FakeTime) -> None:
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        with pytest.raises(ForbiddenAddress):
            read_syndication(Web("test", manners=manners), f"{feeds.url}/feed")
        assert feeds.asked == []


class TestCache:
    def test_is_loaded_once(self, tmp_path: Path) -> None:
        cache, loads = MediaCache(tmp_path / "cache", 10_000), []

        def load(to: Path) -> None:
            loads.append(to)
            to.write_bytes(FLAC)

        assert cache.fetch("a", load) == cache.fetch("a", load)
        assert len(loads) == 1 and cache.fetch("a", load).suffix == ".flac"

    def test_the_longest_unused_goes_first(self, tmp_path: Path) -> None:
        cache = MediaCache(tmp_path, 250)

        def fetch(name: str) -> Path:
            return cache.fetch(name, lambda to: to.write_bytes(b"ID3" + bytes(97)))

        first, second = fetch("a"), fetch("b")
        for long_ago, path in enumerate((first, second)):
            os.utime(path, ns=(long_ago, long_ago))
        assert fetch("a") == first  # used again
        third = fetch("c")
        assert [path.exists() for path in (first, second, third)] == [True, False, True]

    def test_what_must_stay_does(self, tmp_path: Path) -> None:
        cache = MediaCache(tmp_path, 250)
        first = cache.fetch("a", lambda to: to.write_bytes(bytes(200)))
        cache.fetch("b", lambda to: to.write_bytes(bytes(200)), keep=[first])
        assert first.exists()

    def test_one_file_larger_than_the_cache_stays_until_the_next(self, tmp_path: Path) -> None:
        cache = MediaCache(tmp_path, 10)
        first = cache.fetch("a", lambda to: to.write_bytes(FLAC))
        assert first.exists()
        assert cache.fetch("b", lambda to: to.write_bytes(FLAC)).exists() and not first.exists()

    def test_a_failed_load_leaves_nothing(self, tmp_path: Path) -> None:
        def load(to: Path) -> None:
            to.write_bytes(b"half")
            raise SourceUnavailable("gone")

        with pytest.raises(SourceUnavailable):
            MediaCache(tmp_path, 10).fetch("a", load)
        assert list(tmp_path.iterdir()) == []


class TestReferences:
    @pytest.fixture
    def settings(
        self, subsonic: FakeSubsonic, jellyfin: FakeJellyfin, listenbrainz: FakeListenBrainz, tmp_path: Path
    ) -> Settings:
        listenbrainz.releases, listenbrainz.users = [release(1)], {"ada": [release(2)], "eve": [release(3)]}
        values = {
            "data": tmp_path / "data",
            "subsonic_url": subsonic.url,
            "subsonic_user": fake_subsonic.USER,
            "subsonic_password": fake_subsonic.PASSWORD,
            "jellyfin_url": jellyfin.url,
            "jellyfin_token": fake_jellyfin.TOKEN,
            "listenbrainz_url": listenbrainz.url,
            "listenbrainz_user": "ada",
        }
        return load_settings(values, environ={})

    @pytest.mark.parametrize(
        ("reference", "name", "n_rows"),
        [
            ("subsonic:Late Night", "Late Night", 2),
            ("subsonic:starred", "liked", 1),
            ("subsonic:newest", "newest albums", 3),
            ("jellyfin: late night", "Late Night", 2),
            ("jellyfin:favourites", "liked", 602),
            ("jellyfin:newest", "newest tracks", 500),
            ("listenbrainz:fresh", "fresh releases", 1),
            ("listenbrainz:mine", "fresh releases for ada", 1),
            ("listenbrainz:eve", "fresh releases for eve", 1),
        ],
    )
    def test_every_form(self, reference: str, name: str, n_rows: int, settings: Settings, web: Web) -> None:
        assert is_source_reference(reference)
        read = read_source(reference, settings, web=web)
        assert (read.name, len(read.rows)) == (name, n_rows)

    def test_a_feed_by_its_url(self, feeds: AnsweringServer, settings: Settings, web: Web) -> None:
        feeds.routes["/feed"] = lambda _: Reply(FEED, content_type="application/rss+xml")
        assert len(read_source(f"{feeds.url}/feed", settings, web=web).rows) == 3

    def test_what_is_not_configured_names_the_settings(self, web: Web) -> None:
        bare = load_settings(environ={})
        with pytest.raises(SettingsError, match="WHICHLIST_SUBSONIC_URL"):
            read_source("subsonic:starred", bare, web=web)
        with pytest.raises(SettingsError, match="WHICHLIST_JELLYFIN_TOKEN"):
            read_source("jellyfin:favourites", bare, web=web)
        with pytest.raises(SourceError, match="WHICHLIST_LISTENBRAINZ_USER"):
            read_source("listenbrainz:mine", bare, web=web)

    @pytest.mark.parametrize(
        "text",
        ["late night", "/music/x.m3u", "isrc:USUM71703861", "subsonic:", "C:\\Music", "spotify:track:1"],
    )
    def test_other_things_are_no_references(self, text: str, settings: Settings, web: Web) -> None:
        assert not is_source_reference(text)
        with pytest.raises(UnreadableSource):
            read_source(text, settings, web=web)

    def test_originals_are_fetched_once(self, subsonic: FakeSubsonic, settings: Settings, web: Web) -> None:
        row = read_source("subsonic:late night", settings, web=web).rows[1]
        n_before = len(subsonic.asked)
        path = fetch_original(row, settings, web=web)
        assert path is not None and path.read_bytes() == FLAC
        assert fetch_original(row, settings, web=web) == path and len(subsonic.asked) == n_before + 1

    def test_from_jellyfin_and_from_an_enclosure_too(
        self, jellyfin: FakeJellyfin, feeds: AnsweringServer, settings: Settings, web: Web
    ) -> None:
        feeds.routes["/1.flac"] = lambda _: Reply(FLAC, content_type="audio/flac")
        for row in (SourceRow(identities=((JELLYFIN, "4"),)), SourceRow(url=f"{feeds.url}/1.flac")):
            path = fetch_original(row, settings, web=web)
            assert path is not None and path.read_bytes() == FLAC
        assert fetch_original(SourceRow(title="only a name"), settings, web=web) is None

    def test_an_error_sent_as_a_file_is_no_file(self, settings: Settings, web: Web) -> None:
        with pytest.raises(UnreadableSource, match="right to download"):
            fetch_original(SourceRow(identities=((SUBSONIC, "77"),)), settings, web=web)
        assert list((settings.cache_directory / "originals").iterdir()) == []


class TestServerLibrary:
    def test_every_track_is_read_page_by_page(self, subsonic: FakeSubsonic, web: Web) -> None:
        subsonic.tracks |= {str(n): child(str(n), f"Title {n}", "Artist") for n in range(301, 1_301)}
        library = read_subsonic_library(web, subsonic_of(subsonic))
        assert [row.identity(SUBSONIC) for row in library.rows] == [str(n) for n in range(1, 1_301)]

    def test_a_list_that_never_ends_is_left(
        self, subsonic: FakeSubsonic, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def page_of(asked: servers.Asked) -> Reply:
            start = int(asked.one("songOffset"))
            songs = [child(str(n), f"Title {n}", "Artist") for n in range(start, start + 500)]
            return subsonic.ok(searchResult3={"song": songs})

        monkeypatch.setattr(subsonic, "_search3", page_of)
        monkeypatch.setattr("recommender.sources.servers.subsonic.MAX_TRACKS", 2_000)
        with pytest.raises(UnreadableSource, match="lists more than 2,000 tracks"):
            read_subsonic_library(web, subsonic_of(subsonic))

    def test_a_list_that_begins_again_ends(
        self, subsonic: FakeSubsonic, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        everything = subsonic.ok(searchResult3={"song": list(subsonic.tracks.values())})
        monkeypatch.setattr(subsonic, "_search3", lambda _: everything)
        assert len(read_subsonic_library(web, subsonic_of(subsonic)).rows) == 300
        assert len(subsonic.asked) == 2

    def test_ten_thousand_playlists_are_as_good_as_two(self, subsonic: FakeSubsonic, web: Web) -> None:
        subsonic.playlists |= {f"pl-{n}": (f"List {n}", ["1"]) for n in range(10_000)}
        assert len(read_subsonic_playlist(web, subsonic_of(subsonic), "list 9876").rows) == 1
        with pytest.raises(SourceUnavailable) as caught:
            read_subsonic_playlist(web, subsonic_of(subsonic), "List 10000")
        assert len(str(caught.value)) < 1_000

    def test_only_what_is_surely_the_same_is_linked(
        self, subsonic: FakeSubsonic, web: Web, database: Database
    ) -> None:
        with database.session() as session:
            ours = [
                upsert_track(
                    session,
                    TrackFacts(f"Title {n}", f"Artist {n}", duration_s=200.0, content_sha256=f"{n:064x}"),
                )
                for n in (1, 2)
            ]
        subsonic.tracks = {n: subsonic.tracks[n] for n in ("1", "2", "3")}
        subsonic.tracks["2"]["duration"] = 320
        linked = link_server(database, read_subsonic_library(web, subsonic_of(subsonic)))
        assert (linked.n_tracks, linked.n_linked) == (3, 1)
        with database.read_session() as session:
            assert server_ids(session, SUBSONIC, ours) == {ours[0]: "1"}

    @sqlite_only
    def test_a_playlist_is_sent_in_its_order(
        self, subsonic: FakeSubsonic, web: Web, settings: Settings, database: Database
    ) -> None:
        with database.session() as session:
            ours = [upsert_track(session, TrackFacts(f"Ours {n}", "Artist")) for n in range(4)]
            set_members(session, create_playlist(session, name="mine").id, [ours[3], ours[0], ours[1]])
            create_playlist(session, name="void")
        environment = {
            "WHICHLIST_DATABASE_URL": settings.database_url,
            "WHICHLIST_SUBSONIC_URL": subsonic.url,
            "WHICHLIST_SUBSONIC_USER": fake_subsonic.USER,
            "WHICHLIST_SUBSONIC_PASSWORD": fake_subsonic.PASSWORD,
        }
        call = ["--data", str(settings.data), "send-playlist", "mine", "--as", "from Whichlist"]
        done = CliRunner().invoke(main, call, env=environment)
        assert done.exit_code == 1 and "whichlist match-server" in done.stderr
        with database.session() as session:
            remember_server_ids(session, SUBSONIC, [(ours[0], "7"), (ours[3], "9")])
        done = CliRunner().invoke(main, [*call, "--json"], env=environment)
        sent = json.loads(done.stdout)
        assert done.exit_code == 4  # some of it
        assert subsonic.playlists[sent["playlist"]] == ("from Whichlist", ["9", "7"])
        assert [track["title"] for track in sent["missing"]] == ["Ours 1"]

    @sqlite_only
    def test_the_command(self, subsonic: FakeSubsonic, settings: Settings, database: Database) -> None:
        environment = {
            "WHICHLIST_DATABASE_URL": settings.database_url,
            "WHICHLIST_SUBSONIC_URL": subsonic.url,
            "WHICHLIST_SUBSONIC_USER": fake_subsonic.USER,
            "WHICHLIST_SUBSONIC_PASSWORD": fake_subsonic.PASSWORD,
        }
        call = ["--data", str(settings.data), "match-server"]
        done = CliRunner().invoke(main, call, env=environment)
        assert (done.exit_code, done.stdout.splitlines()[0]) == (
            0,
            "0 of the server's 300 tracks are in the library",
        )
        done = CliRunner().invoke(main, call, env=environment | {"WHICHLIST_SUBSONIC_PASSWORD": "guess"})
        assert done.exit_code == 1 and "Wrong username or password" in done.stderr
        assert CliRunner().invoke(main, call, env={"WHICHLIST_SUBSONIC_URL": ""}).exit_code == 2
