"""``/recommend?track=https://…``: audio of another server, where the operator allows it."""

import io
from collections.abc import Callable, Iterator

import pytest
import soundfile
from flask.testing import FlaskClient

from api.app import create_app
from api.services import find_services
from recommender.settings import Settings
from tests.api.conftest import SAMPLE_RATE_HZ, Filled, Sounds, make_notes
from tests.api.openapi_check import CheckedClient
from tests.api.problems import assert_problem
from tests.databases import sqlite_only
from tests.fakes import servers
from tests.fakes.servers import AnsweringServer, Reply

pytestmark = sqlite_only
MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def radio() -> Iterator[AnsweringServer]:
    file = io.BytesIO()
    soundfile.write(file, make_notes(pitch_hz=210.0, seed=90), samplerate=SAMPLE_RATE_HZ, format="WAV")
    with AnsweringServer().running() as running:
        running.routes["/shows/Nobody%20-%20Low%20news.wav"] = running.routes["/ok"] = lambda _: Reply(
            file.getvalue(), content_type="audio/wav"
        )
        yield running


@pytest.fixture
def make_client(
    make_settings: Callable[..., Settings], sounds: Sounds, filled: Filled
) -> Iterator[MakeClient]:
    """A client of the filled library, under settings of the test's choice."""
    apps = []

    def make(**chosen: object) -> FlaskClient:
        app = create_app(make_settings(library_roots=[sounds.library], **chosen))
        app.test_client_class = CheckedClient
        apps.append(app)
        return app.test_client()

    yield make
    for app in apps:
        find_services(app).database.close()


def test_audio_behind_a_url_is_listened_to(make_client: MakeClient, radio: AnsweringServer) -> None:
    client = make_client(allow_urls="on", allow_private_addresses="on")
    url = f"{radio.url}/shows/Nobody%20-%20Low%20news.wav?sig=1"
    answer = client.get("/recommend", query_string={"track": url}).get_json()
    assert (answer["track"]["artist"], answer["track"]["title"]) == ("Nobody", "Low news")
    assert (answer["playlists"][0]["name"], answer["track"]["id"]) == ("low", None)
    assert "download" in answer["timing_ms"]


def test_other_ways_to_name_a_track_stay_as_they_are(make_client: MakeClient, filled: Filled) -> None:
    client = make_client(allow_urls="on")
    track = filled.track_ids[0]
    assert client.get("/recommend", query_string={"track": track}).get_json()["track"]["id"] == track
    link = "https://open.spotify.com/track/11dFghVXANMlKmJXsNCbNl"
    assert_problem(client.get("/recommend", query_string={"track": link}), 404, "track_not_found")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "0x7f.1"])
def test_this_machine_and_its_network_are_not_reached(
    host: str, make_client: MakeClient, radio: AnsweringServer
) -> None:
    client = make_client(allow_urls="on")
    response = client.get("/recommend", query_string={"track": f"http://{host}:{radio.port}/ok"})
    assert_problem(response, 403, "forbidden_address")
    assert radio.asked == []


def test_a_providers_own_service_is_never_reached(make_client: MakeClient) -> None:
    client = make_client(allow_urls="on", allow_private_addresses="on")
    response = client.get("/recommend", query_string={"track": "http://169.254.169.254/latest/meta-data/"})
    assert_problem(response, 403, "forbidden_address")


@pytest.mark.parametrize("url", ["ftp://a.example/x.mp3", "file:///etc/passwd", "gopher://a.example/"])
def test_other_kinds_of_address_are_refused(url: str, make_client: MakeClient) -> None:
    client = make_client(allow_urls="on", allow_private_addresses="on")
    assert_problem(client.get("/recommend", query_string={"track": url}), 403, "forbidden_address")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (servers.page(), 422, "unreadable_source"),
        (Reply(b"RIFF" + bytes(2_000_000), content_type="audio/wav"), 422, "unreadable_source"),
        (Reply(b"RIFFnot audio at all", content_type="audio/wav"), 422, "undecodable_audio"),
        (servers.too_many("3"), 502, "rate_limited"),
        (servers.too_many(), 502, "rate_limited"),
        (servers.unavailable(), 502, "source_unavailable"),
        (servers.truncated(bytes(100)), 502, "source_unavailable"),
        (Reply(b"", 404), 502, "source_unavailable"),
    ],
)
def test_what_goes_wrong_there_is_a_problem_here(
    fault: Reply, status: int, code: str, make_client: MakeClient, radio: AnsweringServer
) -> None:
    client = make_client(allow_urls="on", allow_private_addresses="on", max_upload_mb=1)
    radio.faults.append(fault)
    response = client.get("/recommend", query_string={"track": f"{radio.url}/ok?token=SECRET"})
    assert "SECRET" not in str(assert_problem(response, status, code)["detail"])
    assert len(radio.asked) == 1  # nobody is made to wait for another try
