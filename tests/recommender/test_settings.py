"""Settings: where a value comes from, and what is refused with which sentence."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recommender.errors import SettingsError
from recommender.settings import SETTINGS, Settings, load_settings


def test_defaults_live_in_the_data_folder_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(environ={})
    assert settings == Settings(
        data=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path}/data/whichlist.sqlite",
        queue_url=f"sqlite:///{tmp_path}/data/queue.sqlite",
    )
    assert settings.bundles_directory == tmp_path / "data" / "bundles"
    assert settings.encoders_directory == tmp_path / "data" / "encoders"
    assert settings.cache_directory == tmp_path / "data" / "cache"


def test_later_sources_win(tmp_path: Path) -> None:
    (tmp_path / "whichlist.toml").write_text('port = 1\nhost = "::1"\nalpha = 0.2\n')
    environ = {"WHICHLIST_DATA": str(tmp_path), "WHICHLIST_PORT": "2", "WHICHLIST_HOST": "0.0.0.0"}
    settings = load_settings({"host": "127.0.0.2", "max_upload_mb": None}, environ=environ)
    assert (settings.alpha, settings.port, settings.host) == (0.2, 2, "127.0.0.2")
    assert settings.max_upload_mb == 100


def test_the_process_environment_is_read_when_nothing_else_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHICHLIST_DATA", str(tmp_path))
    monkeypatch.setenv("WHICHLIST_LEASE_S", "7.5")
    assert (load_settings().data, load_settings().lease_s) == (tmp_path, 7.5)


def test_the_data_folder_of_an_override_decides_which_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "whichlist.toml").write_text("port = 9\n")
    assert load_settings({"data": tmp_path}, environ={"WHICHLIST_DATA": "/elsewhere"}).port == 9


def test_library_roots_are_a_list_in_the_environment_and_in_the_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (tmp_path / "whichlist.toml").write_text(f'library_roots = ["{one}", "{two}"]\n')
    assert load_settings({"data": tmp_path}, environ={}).library_roots == (one, two)
    environ = {"WHICHLIST_LIBRARY_ROOTS": f"{two}::{one}"}
    assert load_settings({"data": tmp_path}, environ=environ).library_roots == (two, one)


@pytest.mark.parametrize(
    "short", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"]
)
def test_postgresql_urls_get_the_driver_we_ship(short: str) -> None:
    settings = load_settings({"database_url": short, "queue_url": short}, environ={})
    assert settings.database_url == settings.queue_url == "postgresql+psycopg://u:p@h/d"


def test_secrets_are_not_shown() -> None:
    secret = {"api_token": "hush", "database_url": "postgresql://u:hush@h/d"}
    assert "hush" not in repr(load_settings(secret, environ={}))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "many", "WHICHLIST_PORT (port): invalid literal for int() with base 10: 'many', got 'many'"),
        ("PORT", "70000", "WHICHLIST_PORT (port): must lie between 0 and 65535, got '70000'"),
        ("ALPHA", "0.9", "WHICHLIST_ALPHA (alpha): must lie between 0.001 and 0.5, got '0.9'"),
        ("ALPHA", "nan", "WHICHLIST_ALPHA (alpha): must lie between 0.001 and 0.5, got 'nan'"),
        ("PRETRAINED", "on", "WHICHLIST_PRETRAINED (pretrained): must be one of auto, off, got 'on'"),
        ("SPOTIFY_TRAINING", "yes", "must be one of refuse, allow, got 'yes'"),
        ("SPOTIFY_REDIRECT_URI", "http://localhost:8000/callback", "(Spotify refuses `localhost`)"),
        ("SPOTIFY_REDIRECT_URI", "http://192.168.1.2/callback", "must begin with https://"),
        ("SPOTIFY_REDIRECT_URI", "https://music.example/", "must end in /callback"),
        ("DATABASE_URL", "mysql://x", "must start with sqlite:/// or postgresql://, got 'mysql://x'"),
        ("HOST", "  ", "WHICHLIST_HOST (host): must not be empty, got '  '"),
    ],
)
def test_a_bad_value_is_refused_with_its_name(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={f"WHICHLIST_{name}": value})
    assert sentence in str(caught.value)


def test_an_unknown_setting_or_a_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no setting 'prot'; there are data, "):
        load_settings({"prot": 1}, environ={})
    (tmp_path / "whichlist.toml").write_text("port = = 1")
    with pytest.raises(SettingsError, match=r"whichlist\.toml cannot be read as TOML"):
        load_settings({"data": tmp_path}, environ={})


def test_every_field_is_a_documented_setting() -> None:
    assert [setting.field for setting in SETTINGS] != []
    assert {setting.field for setting in SETTINGS} == {field.name for field in fields(Settings)}
    assert all(setting.description.endswith(".") for setting in SETTINGS)
    assert {setting.variable for setting in SETTINGS} >= {"WHICHLIST_DATA", "WHICHLIST_SPOTIFY_TRAINING"}


def test_documented_defaults_are_the_real_ones() -> None:
    settings = load_settings(environ={})
    for setting in SETTINGS:
        if setting.default in ("none", "./data") or "data folder" in setting.default:
            continue
        assert setting.parse(setting.default) == getattr(settings, setting.field), setting.field


NAMES = st.sampled_from([setting.field for setting in SETTINGS])
VALUES = st.one_of(
    st.text(max_size=30).filter(lambda text: "\0" not in text),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["on", "off", "json", "http://", "postgresql://", "sqlite:///", "/", "~nobody-here/x", "[::1]:x"]
    ),
)
HELD_BY_ENVIRONMENT = st.dictionaries(NAMES.filter(lambda name: name != "data"), VALUES, max_size=4)


@hypothesis_settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(HELD_BY_ENVIRONMENT)
def test_any_environment_is_taken_or_refused_in_a_sentence(tmp_path: Path, named: dict[str, str]) -> None:
    environ = {f"WHICHLIST_{name.upper()}": value for name, value in named.items()}
    environ["WHICHLIST_DATA"] = str(tmp_path)
    try:
        taken = load_settings(environ=environ)
    except SettingsError as refusal:
        assert any(name.upper() in str(refusal).upper() for name in named)
    else:
        assert 0 <= taken.port <= 65_535
        assert 0 < taken.alpha <= 0.5
        assert taken.log in ("text", "json")
        assert taken.subsonic_url is None or taken.subsonic_url.startswith("http")


@hypothesis_settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.one_of(NAMES, st.text("abc_.[]= #", max_size=8)),
            st.sampled_from(
                ["1", '"x"', "[1]", "{}", "{a = 1}", "nan", "1979-05-27", "true", "'", '"""', "-1e400", ""]
            ),
        ),
        max_size=4,
    ).map(lambda lines: "\n".join(f"{name} = {value}" for name, value in lines).encode())
)
@example(b"\xff\xfe")
@example(b"port = 1\nport = 2")
@example(b"[port]\nx = 1")
def test_any_settings_file_is_taken_or_refused_in_a_sentence(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "whichlist.toml").write_bytes(written)
    try:
        load_settings(environ={"WHICHLIST_DATA": str(tmp_path)})
    except SettingsError as refusal:
        assert str(refusal).strip()
