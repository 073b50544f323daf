from __future__ import annotations

import pytest

from core13_mcp.errors import ConfigurationError
from core13_mcp.options import OPTIONS
from core13_mcp.origins import is_loopback, parse_origin
from core13_mcp.settings import Settings


@pytest.mark.parametrize(
    ("variable", "value", "name", "meant"),
    [
        ("POSTHOG_HOST", "eu", "host", "https://eu.posthog.com"),
        ("POSTHOG_HOST", "https://posthog.example.com/", "host", "https://posthog.example.com"),
        ("POSTHOG_HOST", "http://localhost:8010", "host", "http://localhost:8010"),
        ("POSTHOG_HOST", "http://[::1]:8010", "host", "http://[::1]:8010"),
        ("POSTHOG_PROJECT_ID", "7", "project_id", 7),
        ("CORE13_READ_ONLY", "1", "read_only", True),
        ("CORE13_READ_ONLY", "false", "read_only", False),
        ("CORE13_TOOLS", " users-* , subscriptions-list,", "tools", ("users-*", "subscriptions-list")),
        ("CORE13_CONFIRM", "always", "confirm", "always"),
        ("CORE13_TIMEOUT", "2.5", "timeout", 2.5),
        ("CORE13_MAX_RESULT_CHARS", "", "max_result_chars", 40_000),
        ("CORE13_LOG_LEVEL", "  ", "log_level", "info"),
        (
            "CORE13_HTTP_POSTHOG_HOSTS",
            "us,eu",
            "http_posthog_hosts",
            ("https://us.posthog.com", "https://eu.posthog.com"),
        ),
    ],
)
def test_a_variable_is_read(variable, value, name, meant):
    assert getattr(Settings.read({variable: value}), name) == meant


def test_every_option_is_a_setting_and_every_setting_an_option():
    assert {option.name for option in OPTIONS} == set(Settings.model_fields)
    assert len({option.variable for option in OPTIONS}) == len(OPTIONS)


def test_every_default_that_the_help_tells_is_the_default():
    told = {option.variable: option.default for option in OPTIONS if option.default}
    assert Settings.read(told) == Settings.read({})


def test_a_flag_wins_over_its_variable():
    assert Settings.read({"CORE13_TIMEOUT": "5"}, {"timeout": "7"}).timeout == 7


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"CORE13_TIMOUT": "5"}, "CORE13_TIMOUT is not a setting; did you mean CORE13_TIMEOUT?"),
        ({"CORE13_HOST": "eu"}, "CORE13_HOST is not a setting; did you mean POSTHOG_HOST?"),
        ({"CORE13_Q": "5"}, "CORE13_Q is not a setting; known are "),
        ({"CORE13_TIMEOUT": "0"}, "CORE13_TIMEOUT: "),
        ({"CORE13_TIMEOUT": "nan"}, "CORE13_TIMEOUT: "),
        ({"CORE13_TIMEOUT": "inf"}, "CORE13_TIMEOUT: "),
        ({"CORE13_MAX_RESULT_CHARS": "10"}, "CORE13_MAX_RESULT_CHARS: "),
        ({"CORE13_CONFIRM": "maybe"}, "CORE13_CONFIRM: "),
        ({"POSTHOG_PROJECT_ID": "0"}, "POSTHOG_PROJECT_ID: "),
        ({"POSTHOG_PROJECT_ID": "@current"}, "POSTHOG_PROJECT_ID: "),
        ({"CORE13_READ_ONLY": "perhaps"}, "CORE13_READ_ONLY: "),
        ({"POSTHOG_PERSONAL_API_KEY": "phc_x"}, "POSTHOG_PERSONAL_API_KEY: a key that starts with phc_ is a public"),
        ({"POSTHOG_PERSONAL_API_KEY": "phs_x"}, "project secret key"),
        ({"POSTHOG_PERSONAL_API_KEY": "phr_x"}, "OAuth refresh token"),
        ({"POSTHOG_PERSONAL_API_KEY": "${POSTHOG_KEY}"}, "${POSTHOG_KEY} came as it is: what started this put nothing"),
        ({"POSTHOG_PERSONAL_API_KEY": "${env:POSTHOG_KEY}"}, "set that variable where it is started"),
        ({"POSTHOG_PERSONAL_API_KEY": "$POSTHOG_KEY"}, "set that variable where it is started"),
        ({"POSTHOG_PERSONAL_API_KEY": "phx_é"}, "characters that no key has"),
        ({"POSTHOG_PERSONAL_API_KEY": "phx_a\nb"}, "characters that no key has"),
        ({"POSTHOG_SESSION_ID": "a; b"}, "POSTHOG_SESSION_ID: it has characters that no cookie can carry"),
        ({"POSTHOG_CSRF_TOKEN": "a\nb"}, "POSTHOG_CSRF_TOKEN: it has characters"),
        ({"CORE13_SEAL_KEYS": "short"}, "CORE13_SEAL_KEYS: a key needs at least 32 characters"),
        ({"CORE13_CONFIRM": "x", "CORE13_TIMEOUT": "x"}, "; CORE13_TIMEOUT: "),
    ],
)
def test_a_variable_that_cannot_be_right_is_an_error_that_names_it(environ, says):
    with pytest.raises(ConfigurationError) as caught:
        Settings.read(environ)
    assert says in str(caught.value)


@pytest.mark.parametrize("environ", [{"POSTHOG_PERSONAL_API_KEY": "phc_secret"}, {"CORE13_SEAL_KEYS": "sealsecret"}])
def test_an_error_never_shows_a_secret(environ):
    with pytest.raises(ConfigurationError) as caught:
        Settings.read(environ)
    assert next(iter(environ.values())) not in str(caught.value)


def test_what_kubernetes_adds_for_a_service_is_no_setting():
    assert Settings.read({"CORE13_MCP_SERVICE_HOST": "10.0.0.1", "CORE13_MCP_PORT": "tcp://10.0.0.1:80"}) == Settings()


def test_no_secret_at_all_is_a_setting_too():
    assert Settings(personal_api_key=None, session_id=None, csrf_token=None) == Settings()


def test_a_long_seal_key_is_taken():
    assert len(Settings.read({"CORE13_SEAL_KEYS": "k" * 32 + "," + "l" * 40}).seal_keys) == 2


@pytest.mark.parametrize("key", ["phx_abc", "0123456789abcdef", "pha_oauth"])
def test_other_keys_are_tried(key):
    assert Settings.read({"POSTHOG_PERSONAL_API_KEY": key}).personal_api_key is not None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("us.i.posthog.com", "only takes events in; for this API say us"),
        ("https://eu.i.posthog.com", "say eu"),
        ("https://app.posthog.com", "say us"),
        ("posthog.example.com", "is not us, eu or an origin"),
        ("https://posthog.example.com/api", "is not us, eu or an origin"),
        ("https://posthog.example.com?x=1", "is not us, eu or an origin"),
        ("https://me:pass@posthog.example.com", "is not us, eu or an origin"),
        ("http://posthog.example.com", "must be https://"),
        ("http://10.0.0.1", "must be https://"),
        ("ftp://localhost", "is not us, eu or an origin"),
        ("https://", "is not us, eu or an origin"),
        ("US", "is not us, eu or an origin"),
        ("https://posthog.example.com:port", "is not us, eu or an origin"),
        ("https://posthog.example.com:99999", "is not us, eu or an origin"),
        ("https://[::1", "is not us, eu or an origin"),
        ("https://:pass@posthog.example.com", "is not us, eu or an origin"),
    ],
)
def test_a_host_to_which_no_key_should_go_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        parse_origin(given)
    with pytest.raises(ConfigurationError, match="POSTHOG_HOST"):
        Settings.read({"POSTHOG_HOST": given})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("example.com", False),
    ],
)
def test_this_machine_is_known_by_its_names(host, loopback):
    assert is_loopback(host) is loopback


def test_a_secret_has_no_flag_and_a_flag_has_a_variable():
    assert {option.variable for option in OPTIONS if option.secret} == {
        "POSTHOG_PERSONAL_API_KEY", "POSTHOG_SESSION_ID", "POSTHOG_CSRF_TOKEN", "CORE13_SEAL_KEYS",
    }  # fmt: skip
    assert next(option.flag for option in OPTIONS if option.variable == "CORE13_READ_ONLY") == "--read-only"
