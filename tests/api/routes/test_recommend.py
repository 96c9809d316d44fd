"""``/recommend``: stored tracks, files of the library, uploads, and everything that can be wrong."""

import io
import os
import signal
from functools import partial
from pathlib import Path
from urllib.parse import quote_from_bytes

import numpy as np
import pytest
import soundfile
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.schemas.answers import RecommendationSchema
from api.services import find_services
from recommender.answering.answer import Recommendation
from recommender.answering.question import ask_by_reference
from recommender.catalogue.playlists import create_playlist
from recommender.catalogue.tracks import delete_track, update_track
from recommender.catalogue.verdicts import MembershipVerdict, record_verdict
from recommender.jobs.ledger import enqueue
from recommender.records.jobs import JobKind
from recommender.records.tracks import TrackFacts
from tests.api.conftest import N_PER_PLAYLIST, Filled, make_notes, write_notes
from tests.api.problems import assert_problem


def test_a_stored_track_is_answered_from_its_stored_embedding(client: FlaskClient, filled: Filled) -> None:
    answer = client.get("/recommend", query_string={"track": filled.track_ids[0]}).get_json()
    assert answer["track"] == {
        "id": filled.track_ids[0],
        "title": "Piece 0",
        "artist": "Artist 00",
        "duration_s": 4.0,
        "heard_in_part": None,
    }
    assert (answer["group"], answer["model"], answer["encoder"]) == ("default", filled.bundle_ids[0], "tiny")
    assert answer["verdict"] == "fits"
    first = answer["playlists"][0]
    assert (first["id"], first["name"], first["rank"], first["fits"]) == (
        filled.playlist_ids[0],
        "low",
        1,
        True,
    )
    assert answer["member_of"] == [{"id": filled.playlist_ids[0], "name": "low"}]
    assert [p["name"] for p in answer["playlists"]] == ["low", "high"]
    near = [neighbour["track"]["id"] for neighbour in first["nearest"]]
    assert len(near) == 3
    assert set(near) <= set(filled.track_ids[1:N_PER_PLAYLIST])
    assert set(answer["timing_ms"]) == {"look_up", "score"}  # nothing was decoded


def test_what_is_sent_is_what_the_schema_would_write_byte_by_byte(
    app: APIFlask, client: FlaskClient, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Recommendation] = []

    def note(*arguments: object, **options: object) -> Recommendation:
        asked.append(ask_by_reference(*arguments, **options))  # type: ignore[arg-type]
        return asked[-1]

    monkeypatch.setattr("api.routes.recommend.ask_by_reference", note)
    with filled.database.session() as session:
        record_verdict(session, filled.playlist_ids[1], filled.track_ids[0], MembershipVerdict.WRONG)
        enqueue(session, JobKind.REFIT, {"reason": "Lär \N{SNOWMAN}"})
    addresses = [
        f"/recommend?track={filled.track_ids[0]}",
        f"/recommend?track={filled.track_ids[-1]}&segments=false&neighbours=0&top=1",
        f"/recommend?track={quote_from_bytes(b'unscanned/Nobody - Low news.wav')}",
    ]
    for address in addresses:
        sent = client.get(address)
        with app.test_request_context():
            expected = app.json.response(RecommendationSchema().dump(asked[-1].to_dict()))
        assert (sent.data, sent.content_type) == (expected.data, expected.content_type)
    assert [bool(answer.said) for answer in asked] == [True, False, False]
    assert all(answer.learning is not None for answer in asked)


def test_a_file_of_the_library_is_listened_to(client: FlaskClient, filled: Filled) -> None:
    path = filled.sounds.library / "unscanned" / "Nobody - Low news.wav"
    for named in (str(path), "unscanned/Nobody - Low news.wav"):
        answer = client.get("/recommend", query_string={"track": named}).get_json()
        assert answer["track"] == {
            "id": None,
            "title": "Low news",
            "artist": "Nobody",
            "duration_s": pytest.approx(4.0, abs=0.01),
            "heard_in_part": None,
        }
        assert (answer["playlists"][0]["name"], answer["member_of"]) == ("low", [])
        assert set(answer["timing_ms"]) == {"decode", "mel", "encode", "score"}
        assert [segment["playlist"] for segment in answer["segments"]].count("low") >= 1
        assert answer["segments"][0]["end_s"] > answer["segments"][0]["start_s"] >= 0


def test_a_scanned_file_is_known_by_its_path(client: FlaskClient, filled: Filled) -> None:
    path = filled.sounds.heard[N_PER_PLAYLIST].path
    answer = client.get("/recommend", query_string={"track": str(path)}).get_json()
    assert answer["track"]["id"] == filled.track_ids[N_PER_PLAYLIST]
    assert answer["playlists"][0]["name"] == "high"


@pytest.mark.parametrize(
    ("identity", "reference"),
    [
        (("isrc", "USABC1234567"), "isrc:us-abc-12-34567"),
        (("mbid", "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"), "mbid:8F3471B5-7E6A-48DA-86A9-C1C07A0F47AE"),
        (("spotify", "4uLU6hMCjMI75M1A2tKUQC"), "spotify:track:4uLU6hMCjMI75M1A2tKUQC"),
        (
            ("spotify", "4uLU6hMCjMI75M1A2tKUQC"),
            "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=abc",
        ),
    ],
)
def test_registered_names_lead_to_the_track(
    client: FlaskClient, filled: Filled, identity: tuple[str, str], reference: str
) -> None:
    track_id = filled.track_ids[3]
    with filled.database.session() as session:
        update_track(session, track_id, TrackFacts("Piece", "Artist", identities=(identity,)))
    answer = client.get("/recommend", query_string={"track": reference}).get_json()
    assert answer["track"]["id"] == track_id


def test_an_upload_is_answered_and_not_kept(
    client: FlaskClient, filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    content = (filled.sounds.outside / "Nobody - High news.wav").read_bytes()
    upload = {"file": (io.BytesIO(content), "C:\\music\\Nobody - High news.wav")}
    answer = client.post("/recommend?top=1&neighbours=0&segments=false", data=upload).get_json()
    assert (answer["track"]["id"], answer["track"]["title"]) == (None, "High news")
    assert [p["name"] for p in answer["playlists"]] == ["high"]
    assert (answer["playlists"][0]["nearest"], answer["similar"], answer["segments"]) == ([], [], [])
    assert list(folder.iterdir()) == []


def test_an_upload_is_answered_like_the_same_file_in_the_library(client: FlaskClient, filled: Filled) -> None:
    path = filled.sounds.library / "unscanned" / "Nobody - Low news.wav"
    by_path = client.get("/recommend", query_string={"track": str(path)}).get_json()
    by_upload = client.post("/recommend", data={"file": (path.open("rb"), path.name)}).get_json()
    for answer in (by_path, by_upload):
        answer.pop("timing_ms")
    assert by_path == by_upload


def test_a_track_this_encoder_never_heard_is_listened_to(client: FlaskClient, filled: Filled) -> None:
    track_id = filled.track_ids[0]
    _forget_embedding(filled, track_id)
    answer = client.get(f"/recommend?track={track_id}").get_json()
    assert (answer["track"]["id"], answer["playlists"][0]["name"]) == (track_id, "low")
    assert "decode" in answer["timing_ms"]


def _forget_embedding(filled: Filled, track_id: int, *, and_its_file: bool = False) -> None:
    tables = ("embedding", "audio_file") if and_its_file else ("embedding",)
    with filled.database.engine.begin() as connection:
        for table in tables:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE track_id = {track_id}")


def test_without_a_model_the_answer_says_what_to_do(client: FlaskClient) -> None:
    body = assert_problem(client.get("/recommend?track=1"), 409, "no_model")
    assert "POST /playlists" in str(body["action"])
    assert "Add a playlist first" in str(body["page"])
    upload = {"file": (io.BytesIO(b"x"), "x.wav")}
    assert_problem(client.post("/recommend", data=upload), 409, "no_model")


@pytest.mark.parametrize("reference", ["999999", "isrc:USABC1234567", "mbid:x", "spotify:track:x"])
def test_no_such_track(client: FlaskClient, filled: Filled, reference: str) -> None:
    assert_problem(client.get("/recommend", query_string={"track": reference}), 404, "track_not_found")


def test_a_missing_file_of_the_library(client: FlaskClient, filled: Filled) -> None:
    for named in ("unscanned/missing.wav", "unscanned", "x" * 4000):
        assert_problem(client.get("/recommend", query_string={"track": named}), 404, "track_not_found")


def test_a_removed_track_is_gone_at_once(client: FlaskClient, filled: Filled) -> None:
    with filled.database.session() as session:
        delete_track(session, filled.track_ids[1])
    assert_problem(client.get(f"/recommend?track={filled.track_ids[1]}"), 404, "track_not_found")
    answer = client.get(f"/recommend?track={filled.track_ids[0]}&neighbours=50").get_json()
    shown = [n["track"]["id"] for p in answer["playlists"] for n in p["nearest"]] + [
        n["track"]["id"] for n in answer["similar"]
    ]
    assert filled.track_ids[1] not in shown


def test_paths_outside_the_library_are_refused_alike_whether_they_exist(
    client: FlaskClient, filled: Filled
) -> None:
    outside = filled.sounds.outside / "Nobody - High news.wav"
    link = filled.sounds.library / "unscanned" / "link.wav"
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    named = [
        str(outside),
        str(outside.with_name("missing.wav")),
        "../outside/Nobody - High news.wav",
        f"{filled.sounds.library}/../outside/missing.wav",
        str(link),
        "/etc/passwd",
        "/etc/missing",
        "\0",
    ]
    bodies = []
    for path in named:
        body = assert_problem(client.get("/recommend", query_string={"track": path}), 403, "outside_library")
        bodies.append(body | {"request_id": None})
    link.unlink()
    for body in bodies:
        del body["request_id"]  # the one thing that differs
    assert all(body == bodies[0] for body in bodies)


def test_other_urls_are_not_fetched(client: FlaskClient, filled: Filled) -> None:
    for url in ("https://example.org/track.mp3", "http://127.0.0.1:1/x", "file:///etc/passwd"):
        body = assert_problem(client.get("/recommend", query_string={"track": url}), 422, "urls_not_enabled")
        assert "address of a song is not taken" in str(body["detail"])


def test_a_track_known_by_name_only(client: FlaskClient, filled: Filled) -> None:
    _forget_embedding(filled, filled.track_ids[0], and_its_file=True)
    assert_problem(client.get(f"/recommend?track={filled.track_ids[0]}"), 409, "track_without_audio")


def test_groups(client: FlaskClient, filled: Filled) -> None:
    track = filled.track_ids[0]
    assert client.get(f"/recommend?track={track}&group=default").get_json()["group"] == "default"
    assert_problem(client.get(f"/recommend?track={track}&group=mood"), 404, "group_not_found")
    with filled.database.session() as session:
        create_playlist(session, name="liked", group="mood")
    assert_problem(client.get(f"/recommend?track={track}&group=mood"), 409, "group_not_fitted")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "track"),
        ("track=", "track"),
        ("track=1&top=0", "top"),
        ("track=1&top=many", "top"),
        ("track=1&neighbours=-1", "neighbours"),
        ("track=1&neighbours=51", "neighbours"),
        ("track=1&segments=perhaps", "segments"),
        ("track=1&group=", "group"),
        ("track=1&grop=default", "grop"),
    ],
)
def test_bad_parameters_are_named(client: FlaskClient, query: str, name: str) -> None:
    body = assert_problem(client.get(f"/recommend?{query}"), 422, "invalid_request")
    assert [(error["in"], error["name"]) for error in body["errors"]] == [("query", name)]
    assert name in str(body["detail"])


def wav(y: np.ndarray, sample_rate_hz: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y, samplerate=sample_rate_hz, format="WAV")
    return file.getvalue()


NOISE = np.random.default_rng(440).standard_normal(16_000 * 4).astype(np.float32) * 0.1
BAD_AUDIO = {
    "a text file named .mp3": ("undecodable_audio", b"this is no music, whatever its name says\n" * 50),
    "0 bytes": ("undecodable_audio", b""),
    "silence": ("silent_audio", wav(np.zeros(16_000 * 4), 16_000)),
    "0.5 s": ("too_short", wav(NOISE[:8_000], 16_000)),
    "an m4a": ("undecodable_audio", b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + bytes(200)),
}


@pytest.mark.parametrize("what", BAD_AUDIO)
def test_bad_audio_is_refused_with_its_reason(
    client: FlaskClient, filled: Filled, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, content = BAD_AUDIO[what]
    response = client.post("/recommend", data={"file": (io.BytesIO(content), "upload.mp3")})
    body = assert_problem(response, 422, code)
    assert "/tmp" not in str(body["detail"])


@pytest.mark.parametrize(("sample_rate_hz", "n_channels"), [(8_000, 1), (96_000, 6)])
def test_unusual_audio_is_answered(
    client: FlaskClient, filled: Filled, sample_rate_hz: int, n_channels: int
) -> None:
    y = make_notes(pitch_hz=200.0, seed=5, sample_rate_hz=sample_rate_hz)[:, None] * np.full(n_channels, 0.3)
    upload = {"file": (io.BytesIO(wav(y, sample_rate_hz)), "x.wav")}
    response = client.post("/recommend", data=upload)
    assert response.status_code == 200
    assert response.get_json()["playlists"][0]["name"] == "low"


@pytest.mark.parametrize("name", ["with space é 🎧.wav".encode(), b"not utf-8 \xff\xfe.wav"])
def test_odd_file_names(client: FlaskClient, filled: Filled, name: bytes) -> None:
    path = filled.sounds.library / "unscanned" / os.fsdecode(name)
    write_notes(path, pitch_hz=200.0, seed=99)
    shown = name.decode("utf-8", "replace")
    try:
        by_path = client.get("/recommend", query_string=f"track=unscanned/{quote_from_bytes(name)}")
        by_upload = client.post("/recommend", data={"file": (path.open("rb"), shown)})
    finally:
        path.unlink()
    assert by_upload.get_json()["track"]["title"] == shown.removesuffix(".wav")
    if shown.encode() == name:
        assert by_path.get_json()["track"]["title"] == shown.removesuffix(".wav")
    else:  # a query string is text: such a file is asked for by its id, or at the command line
        assert_problem(by_path, 404, "track_not_found")


def test_uploads_of_the_wrong_kind(client: FlaskClient, filled: Filled) -> None:
    assert_problem(
        client.post("/recommend", data=b"RIFF", content_type="audio/wav"), 415, "unsupported_media_type"
    )
    assert_problem(client.post("/recommend", json={"file": "x"}), 415, "unsupported_media_type")
    body = assert_problem(
        client.post("/recommend", data={"other": (io.BytesIO(b"x"), "x")}), 422, "invalid_request"
    )
    assert "file" in str(body["detail"])


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGILL])
def test_a_decoder_that_dies_is_an_answer_and_the_next_request_is_served(
    client: FlaskClient, filled: Filled, app: APIFlask, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = find_services(app)
    content = wav(make_notes(pitch_hz=200.0, seed=5, sample_rate_hz=16_000), 16_000)
    with monkeypatch.context() as patched:
        dies = partial(ours.apart, partial(signal.raise_signal, number))
        patched.setattr(ours.holder.current().encoder, "apart", lambda call: dies())
        refused = client.post("/recommend", data={"file": (io.BytesIO(content), "x.wav")})
    body = assert_problem(refused, 422, "decoder_crashed")
    assert "the decoder died" in str(body["detail"])
    answer = client.post("/recommend", data={"file": (io.BytesIO(content), "x.wav")})
    assert answer.status_code == 200
