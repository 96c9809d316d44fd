"""What fpcalc and AcoustID say of a file, also when they misbehave, and what is made of it: never a guess."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalogue.identities import NamedTrack
from recommender.errors import (
    RateLimited,
    RecommenderError,
    SettingsError,
    SourceUnavailable,
    UnreadableSource,
)
from recommender.matching.recording_choice import MIN_SCORE, Outcome, choose_recordings
from recommender.records.tracks import UNKNOWN_ARTIST
from recommender.settings import load_settings
from recommender.sources.servers.acoustid import AcoustId, Recording, SoundsLike, look_up
from recommender.sources.servers.fpcalc import (
    Chromaprint,
    ChromaprintTimeout,
    NoChromaprint,
    read_chromaprint,
)
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import Web
from tests.conftest import WriteAudio
from tests.fakes import servers
from tests.fakes.fake_acoustid import (
    KEY,
    FakeAcoustId,
    acoustid,
    install_fpcalc,
    mbid,
    read_form,
    recording,
    refusal,
    result,
)
from tests.fakes.servers import FakeTime, Reply

PRINT = Chromaprint("AQAA", 200.4)


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def web(fake_time: FakeTime) -> Web:
    return Web("Whichlist/test", manners=Manners(clock=fake_time.clock, sleep=fake_time.sleep))


@pytest.fixture
def server() -> Iterator[FakeAcoustId]:
    with FakeAcoustId().running() as fake:
        yield fake


@pytest.fixture
def fpcalc(tmp_path: Path) -> Path:
    return install_fpcalc(tmp_path / "bin")


class TestFpcalc:
    @pytest.mark.parametrize("name", ["song.mp3", "early end.flac", "-json.mp3"])
    def test_its_print_is_read(self, fpcalc: Path, tmp_path: Path, name: str) -> None:
        assert read_chromaprint(str(fpcalc), tmp_path / name) == Chromaprint(name, 200.4)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("broken.mp3", "Could not open the input file"),
            ("silent.mp3", "ended with 1"),
            ("garbage.mp3", "printed no Chromaprint"),
            ("empty.mp3", "too little"),
            ("instant.mp3", "too little"),
        ],
    )
    def test_a_bad_file_is_one_sentence(self, fpcalc: Path, tmp_path: Path, name: str, said: str) -> None:
        with pytest.raises(NoChromaprint, match=said) as caught:
            read_chromaprint(str(fpcalc), tmp_path / name)
        assert caught.value.code == "no_chromaprint"

    def test_one_that_never_ends_is_ended(self, fpcalc: Path, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        fpcalc.write_text(f'#!/bin/sh\necho $$ > "{pid_file}"\nexec sleep 600\n')
        with pytest.raises(ChromaprintTimeout, match=r"longer than 0\.5 s"):
            read_chromaprint(str(fpcalc), tmp_path / "endless.mp3", timeout_s=0.5)
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)

    def test_one_that_cannot_be_run_is_told(self, tmp_path: Path) -> None:
        program = tmp_path / "fpcalc"
        program.write_text("no program")
        with pytest.raises(NoChromaprint, match="cannot be run"):
            read_chromaprint(str(program), tmp_path / "a.mp3")

    @pytest.mark.skipif(shutil.which("fpcalc") is None, reason="needs fpcalc, which is not on the PATH")
    def test_the_real_one_hears_a_short_file(self, write_audio: WriteAudio, rng: np.random.Generator) -> None:
        path = write_audio("noise.flac", 0.2 * rng.standard_normal(16_000 * 8), sample_rate_hz=16_000)
        program = shutil.which("fpcalc")
        assert program
        found = read_chromaprint(program, path)
        assert found.duration_s == pytest.approx(8.0, abs=0.01)
        assert found.text.startswith("AQ")
        path.write_text("#EXTM3U\n#EXT-X-VERSION:3\n")
        with pytest.raises(NoChromaprint):
            read_chromaprint(program, path)


class TestAcoustId:
    def test_a_lookup_is_read(self, server: FakeAcoustId, web: Web) -> None:
        server.known["AQAA"] = [
            result(1, 0.5),
            result(2, 0.97, recording(1, "Ada & Bo", "One"), recording(2, duration=None), "no object"),
            {"id": "no uuid", "score": 1},
            {"id": acoustid(3), "score": "high"},
            None,
        ]
        best, other = look_up(web, AcoustId(server.url, KEY), PRINT)
        assert best == SoundsLike(
            acoustid(2), 0.97, (Recording(mbid(1), "One", "Ada & Bo", 200.0), Recording(mbid(2)))
        )
        assert other == SoundsLike(acoustid(1), 0.5, ())
        (asked,) = server.asked
        assert asked.params == {}  # the key stands in no address, which others may log
        assert read_form(asked)["duration"] == "200"

    @pytest.mark.parametrize(
        ("faults", "error"),
        [
            ([refusal(4, "invalid API key")], SettingsError),
            ([refusal(3, "invalid fingerprint")], NoChromaprint),
            ([refusal(14, "rate limit exceeded", 429)] * 4, RateLimited),
            ([refusal(14, "rate limit exceeded", 200)], RateLimited),
            ([refusal(5, "internal error", 500)] * 4, SourceUnavailable),
            ([refusal(5, "internal error", 200)], SourceUnavailable),
            ([servers.too_many("600")], RateLimited),
            ([servers.unavailable()] * 4, SourceUnavailable),
            ([servers.page()], UnreadableSource),
            ([Reply(servers.PAGE, 400, content_type="text/html")], UnreadableSource),
            ([servers.truncated(b'{"status": "ok"}')] * 4, SourceUnavailable),
            ([servers.cut_short(b'{"status": "ok", "results": []}')], UnreadableSource),
            ([Reply(b"[]")], UnreadableSource),
            ([Reply(b"{}")], SourceUnavailable),
            ([Reply(b'{"status": "ok"}')], UnreadableSource),
            ([Reply(b'{"status": "error", "error": "overloaded"}')], SourceUnavailable),
            ([servers.moved("http://169.254.169.254/")], RecommenderError),
        ],
    )
    def test_misbehaviour_is_a_typed_error_without_the_key(
        self, server: FakeAcoustId, web: Web, faults: list[Reply], error: type[RecommenderError]
    ) -> None:
        server.faults.extend(faults)
        with pytest.raises(error) as caught:
            look_up(web, AcoustId(server.url, KEY), PRINT)
        assert KEY not in str(caught.value)

    def test_a_busy_server_is_asked_again(self, server: FakeAcoustId, web: Web, fake_time: FakeTime) -> None:
        server.faults.extend([servers.unavailable(), servers.too_many("7")])
        assert look_up(web, AcoustId(server.url, KEY), PRINT) == []
        assert 7.0 in fake_time.slept
        assert {read_form(asked)["fingerprint"] for asked in server.asked} == {"AQAA"}

    def test_it_is_asked_three_times_a_second_and_never_more(
        self, server: FakeAcoustId, web: Web, fake_time: FakeTime
    ) -> None:
        asked_at = []
        for _ in range(10):
            look_up(web, AcoustId(server.url, KEY), PRINT)
            asked_at.append(fake_time.now)
        for n_before, at in enumerate(asked_at[3:]):
            assert at - asked_at[n_before] >= 1.0 - 1e-6

    def test_its_key_is_not_shown(self) -> None:
        assert KEY not in repr(AcoustId("https://a.example", KEY))
        assert KEY not in repr(load_settings({"acoustid_key": KEY}, environ={}))


TAGGED = NamedTrack(1, "Lower Your Eyelids", "M83", "", 200.4)
UNTAGGED = NamedTrack(1, "track01", UNKNOWN_ARTIST, "", 200.4)


def named(number: int, artist: str, title: str, duration_s: float | None = 200.0) -> Recording:
    return Recording(mbid(number), title, artist, duration_s)


OWN, OWN_AGAIN = named(1, "M83", "Lower Your Eyelids"), named(2, "m83", "Lower your eyelids")
LIVE, LONG = named(3, "M83", "Lower Your Eyelids (live)"), named(4, "M83", "Lower Your Eyelids", 260.0)
OTHER, BARE = named(5, "Somebody Else", "Another Thing"), Recording(mbid(6))


class TestChoice:
    @pytest.mark.parametrize(
        ("track", "found", "outcome", "chosen"),
        [
            (TAGGED, [(0.97, OWN)], Outcome.NAMED, (OWN,)),
            (TAGGED, [(0.97, OWN, OWN_AGAIN, BARE)], Outcome.NAMED, (OWN, OWN_AGAIN)),
            (TAGGED, [(0.97, OWN, LONG)], Outcome.NAMED, (OWN,)),
            (TAGGED, [(0.97, OWN), (0.6, OTHER)], Outcome.NAMED, (OWN,)),
            (TAGGED, [(MIN_SCORE, OWN)], Outcome.NAMED, (OWN,)),
            (TAGGED, [(0.99, BARE), (0.97, OWN)], Outcome.NAMED, (OWN,)),
            (TAGGED, [(MIN_SCORE - 0.01, OWN)], Outcome.UNSURE, (OWN,)),
            (TAGGED, [(0.97, OWN, OTHER)], Outcome.AMBIGUOUS, (OWN, OTHER)),
            (TAGGED, [(0.97, OWN), (0.95, OTHER)], Outcome.AMBIGUOUS, (OWN, OTHER)),
            (TAGGED, [(0.97, OWN, LIVE)], Outcome.AMBIGUOUS, (OWN, LIVE)),
            (TAGGED, [(0.97, OTHER)], Outcome.OTHER_NAMES, (OTHER,)),
            (TAGGED, [(0.97, LIVE)], Outcome.OTHER_NAMES, (LIVE,)),
            (TAGGED, [(0.97, LONG)], Outcome.UNPROVEN, (LONG,)),
            (TAGGED, [(0.97, BARE)], Outcome.UNKNOWN, ()),
            (TAGGED, [(0.97,)], Outcome.UNKNOWN, ()),
            (TAGGED, [], Outcome.UNKNOWN, ()),
            (UNTAGGED, [(0.97, OWN, OWN_AGAIN)], Outcome.NAMED, (OWN, OWN_AGAIN)),
            (UNTAGGED, [(0.97, OWN, OTHER)], Outcome.AMBIGUOUS, (OWN, OTHER)),
            (UNTAGGED, [(0.97, LONG)], Outcome.UNPROVEN, (LONG,)),
        ],
    )
    def test_nothing_is_guessed(
        self, track: NamedTrack, found: list[Any], outcome: Outcome, chosen: tuple[Recording, ...]
    ) -> None:
        answers = [SoundsLike(acoustid(n), score, recordings) for n, (score, *recordings) in enumerate(found)]
        answers = [replace(answer, recordings=tuple(answer.recordings)) for answer in answers]
        answer = choose_recordings(track, answers)
        assert (answer.outcome, answer.recordings) == (outcome, chosen)
        assert bool(answer.note) == (outcome not in (Outcome.NAMED, Outcome.UNKNOWN))

    @given(
        st.lists(
            st.tuples(
                st.floats(0, 1),
                st.lists(st.sampled_from([OWN, OWN_AGAIN, LIVE, LONG, OTHER, BARE]), max_size=4),
            ),
            max_size=4,
        ),
        st.sampled_from([TAGGED, UNTAGGED]),
    )
    def test_an_id_is_only_kept_beside_its_like(
        self, found: list[tuple[float, list[Recording]]], track: NamedTrack
    ) -> None:
        answers = [SoundsLike(acoustid(n), score, tuple(r)) for n, (score, r) in enumerate(found)]
        answer = choose_recordings(track, answers)
        if answer.outcome is Outcome.NAMED:
            assert answer.score >= MIN_SCORE
            assert {r.title.lower() for r in answer.recordings} in (
                {"lower your eyelids"},
                {LIVE.title.lower()},
                {OTHER.title.lower()},
            )
            assert track is UNTAGGED or set(answer.recordings) <= {OWN, OWN_AGAIN}
