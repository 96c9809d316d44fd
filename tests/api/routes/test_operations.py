"""Health, readiness, metrics, the OpenAPI document and the pages."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.codes import all_problems
from api.services import Services
from recommender.catalogue.models import promote_bundle
from tests.api.conftest import N_TRACKS, Filled
from tests.api.problems import assert_problem


def test_the_process_answers(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json()["status"] == "ok"


def test_readiness_says_which_model_serves(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    assert client.get("/readyz").get_json() == {"ready": True, "checks": {"database": "ok", "model": first}}
    (filled.settings.bundles_directory / second / "report.json").unlink()
    with filled.database.session() as session:
        promote_bundle(session, second)
    shown = client.get("/readyz").get_json()["checks"]["model"]
    assert shown == f"{first}, because {second} cannot be read yet"


def test_ready_without_a_model_but_saying_so(client: FlaskClient) -> None:
    assert client.get("/readyz").get_json() == {
        "ready": True,
        "checks": {"database": "ok", "model": "none yet: add a playlist"},
    }


def test_not_ready_without_a_database(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(type(services.database), "read_session", unreachable)
    body = assert_problem(client.get("/readyz"), 503, "not_ready")
    assert body["checks"] == {"database": "ConnectionRefusedError"}
    assert client.get("/healthz").status_code == 200


def read_metrics(client: FlaskClient) -> dict[str, float]:
    """Every sample of /metrics by its name with labels; fails on a line that is no sample."""
    samples = {}
    for line in client.get("/metrics").get_data(as_text=True).splitlines():
        if line.startswith("# TYPE "):
            continue
        found = re.fullmatch(r'([a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) ([0-9.e+-]+)', line)
        assert found, line
        samples[found[1]] = float(found[2])
    return samples


def test_metrics_count_requests_by_route_and_never_by_address(client: FlaskClient, filled: Filled) -> None:
    for track_id in filled.track_ids[:3]:
        client.get(f"/tracks/{track_id}")
    client.get("/tracks/999999")
    client.get("/no/such/place")
    samples = read_metrics(client)
    route = 'method="GET",route="/tracks/<int:track_id>"'
    assert samples[f'whichlist_requests_total{{{route},status="200"}}'] == 3
    assert samples[f'whichlist_requests_total{{{route},status="404"}}'] == 1
    assert samples['whichlist_requests_total{method="GET",route="(none)",status="404"}'] == 1
    assert samples['whichlist_request_seconds_count{route="/tracks/<int:track_id>"}'] == 4
    assert samples['whichlist_request_seconds_bucket{route="/tracks/<int:track_id>",le="+Inf"}'] == 4
    assert samples['whichlist_request_seconds_sum{route="/tracks/<int:track_id>"}'] > 0
    assert samples["whichlist_tracks"] == N_TRACKS
    assert samples["whichlist_playlists"] == 2
    assert samples[f'whichlist_model_info{{id="{filled.bundle_ids[0]}"}}'] == 1


def test_buckets_are_cumulative(client: FlaskClient, filled: Filled) -> None:
    for _ in range(20):
        client.get(f"/recommend?track={filled.track_ids[0]}")
    samples = read_metrics(client)
    prefix = 'whichlist_request_seconds_bucket{route="/recommend"'
    counts = [value for name, value in samples.items() if name.startswith(prefix)]
    assert counts == sorted(counts)
    assert counts[-1] == 20


def test_the_openapi_document_names_every_route(client: FlaskClient, app: APIFlask) -> None:
    spec = client.get("/openapi.json").get_json()
    assert spec["openapi"].startswith("3.1")
    declared = {(path, method.upper()) for path, operations in spec["paths"].items() for method in operations}
    # What is for a person or a player to open, rather than for a program to call.
    hidden = {"static", "openapi.spec", "spotify.log_in", "spotify.end_log_in"}
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in hidden and not rule.endpoint.startswith(("pages.", "opensubsonic."))
    }
    assert declared == served
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            for status, response in operation["responses"].items():
                assert status == "204" or response["content"], (path, method)


def test_every_reference_of_the_openapi_document_leads_somewhere(client: FlaskClient) -> None:
    text = client.get("/openapi.json").get_data(as_text=True)
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(schemas)
    assert not [name for name in schemas if name[-1].isdigit()]  # the generator's mark of a duplicate


SHOWN = ("playlists", "playlists/1", "map", "releases", "models", "jobs", "login")
PAGES = [f"/app/{name}" for name in SHOWN]


class Links(HTMLParser):
    """Collects what a page loads or leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href", "action") and value]


@pytest.mark.parametrize("path", ["/", "/docs", "/problems/no_model", *PAGES])
def test_pages_need_nothing_from_elsewhere(client: FlaskClient, filled: Filled, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    links = Links()
    links.feed(response.get_data(as_text=True))
    assert links.found
    for link in links.found:
        assert link.startswith(("/", "#", "data:,")), link
        if link.startswith("/") and link != "/recommend":
            assert client.get(link).status_code == 200, link
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "<script>" not in response.get_data(as_text=True)


def test_the_page_that_asks_says_what_was_heard(client: FlaskClient, filled: Filled) -> None:
    page = client.get("/app/ask").get_data(as_text=True)
    for expected in (f"{N_TRACKS} tracks", 'type="file"'):
        assert expected in page


def test_the_first_page_says_what_to_do_when_empty(client: FlaskClient) -> None:
    for path in ("/", "/app/ask"):
        page = client.get(path).get_data(as_text=True)
        assert "There is no model yet" in page
        assert 'href="/app/playlists"' in page
    assert 'type="file"' not in page  # nothing to ask; songs to be sorted can be dropped before


def test_the_docs_show_every_route_and_every_error(client: FlaskClient) -> None:
    page = client.get("/docs").get_data(as_text=True)
    for path in client.get("/openapi.json").get_json()["paths"]:
        assert path in page
    for problem in all_problems().values():
        assert problem.code in page
        shown = client.get(f"/problems/{problem.code}").get_data(as_text=True)
        assert problem.title in unescape(shown)
    assert_problem(client.get("/problems/nonsense"), 404, "not_found")


def test_names_are_shown_as_text_never_as_markup(client: FlaskClient, filled: Filled) -> None:
    client.put(f"/playlists/{filled.playlist_ids[0]}", json={"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get("/").get_data(as_text=True)
