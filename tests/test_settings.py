from __future__ import annotations

import pytest

from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.origins import is_loopback
from core13_mcp.settings import OPTIONS, Settings, with_flags


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("POSTHOG_HOST", "eu", "host", "https://eu.posthog.com"),
        ("POSTHOG_HOST", "https://posthog.example.com/", "host", "https://posthog.example.com"),
        ("POSTHOG_HOST", "http://localhost:8010", "host", "http://localhost:8010"),
        ("POSTHOG_HOST", "http://[::1]:8010", "host", "http://[::1]:8010"),
        ("POSTHOG_PERSONAL_API_KEY", "pha_oauth", "personal_api_key", SecretStr("pha_oauth")),
        ("POSTHOG_PERSONAL_API_KEY", "0123456789abcdef", "personal_api_key", SecretStr("0123456789abcdef")),
        ("POSTHOG_PROJECT_ID", "7", "project_id", 7),
        ("POSTHOG_PROJECT_ID", "7.0", "project_id", 7),
        ("CORE13_READ_ONLY", "1", "read_only", True),
        ("CORE13_READ_ONLY", "False", "read_only", False),
        ("CORE13_TOOLS", " users-* , subscriptions-list,", "tools", ("users-*", "subscriptions-list")),
        ("CORE13_CONFIRM", "always", "confirm", "always"),
        ("CORE13_TIMEOUT", "2.5", "timeout", 2.5),
        ("CORE13_MAX_RESULT_CHARS", "", "max_result_chars", 40_000),
        ("CORE13_LOG_LEVEL", "  ", "log_level", "info"),
        ("CORE13_HTTP_POSTHOG_HOSTS", "eu,", "http_posthog_hosts", ("https://eu.posthog.com",)),
    ],
)
def test_a_variable_sets_a_value(variable, text, name, value):
    assert getattr(Settings.read({variable: text}), name) == value


def test_the_documented_default_of_every_option_is_the_value_that_is_used():
    defaults = {option.variable: option.default for option in OPTIONS}
    assert Settings.read(defaults) == Settings()._replace(sandbox=True), "the era of the sandbox implies the sandbox"


@pytest.mark.parametrize(
    ("environ", "flags", "sandbox"),
    [
        ({"CORE13_SANDBOX_DB": "x.db"}, {}, True),
        ({"CORE13_SANDBOX_ERA": "page"}, {}, True),
        ({}, {"sandbox_db": "x.db"}, True),
        ({}, {"sandbox_era": "today"}, True),
        ({"CORE13_SANDBOX_DB": "x.db", "CORE13_SANDBOX": "0"}, {}, False),
        ({"CORE13_SANDBOX": "0"}, {"sandbox_db": "x.db"}, True),
        ({"CORE13_SANDBOX_DB": " "}, {}, False),
    ],
)
def test_a_setting_of_the_sandbox_turns_the_sandbox_on_unless_the_same_source_turns_it_off(environ, flags, sandbox):
    assert Settings.read(environ, flags).sandbox is sandbox


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("CORE13_HTTP: 'x'", "--http: 'x'"),
        ("CORE13_HTTP_URL: 'x'; CORE13_HTTP", "CORE13_HTTP_URL: 'x'; --http"),
        ("set CORE13_AUTH=token", "set --auth=token"),
    ],
)
def test_a_message_names_the_flag_if_the_setting_is_a_flag(message, expected):
    assert with_flags(message, ["http", "auth"]) == expected


def test_a_flag_overrides_its_variable():
    assert Settings.read({"CORE13_TIMEOUT": "5"}, {"timeout": "7"}).timeout == 7


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"CORE13_TIMOUT": "5"}, 'CORE13_TIMOUT is not a setting. Did you mean "CORE13_TIMEOUT"?'),
        ({"CORE13_HOST": "eu"}, 'CORE13_HOST is not a setting. Did you mean "POSTHOG_HOST"?'),
        ({"CORE13_Q": "5"}, "CORE13_Q is not a setting. The settings are POSTHOG_PERSONAL_API_KEY, "),
        ({"CORE13_TIMEOUT": "0"}, "CORE13_TIMEOUT: not in range; use a number from 0.001 to 600"),
        ({"CORE13_TIMEOUT": "nan"}, "CORE13_TIMEOUT: "),
        ({"CORE13_TIMEOUT": "soon"}, "CORE13_TIMEOUT: not a number; use a number from 0.001 to 600"),
        ({"CORE13_MAX_RESULT_CHARS": "10"}, "_CHARS: not in range; use a whole number of at least 1000"),
        ({"CORE13_HTTP_MAX_BODY": "10000000"}, "use a whole number from 1024 to 4194304"),
        ({"CORE13_CONFIRM": "maybe"}, "CORE13_CONFIRM: unknown value; use auto, always or never"),
        ({"POSTHOG_PROJECT_ID": "@current"}, "POSTHOG_PROJECT_ID: not a number; use a whole number of at least 1"),
        ({"CORE13_READ_ONLY": "perhaps"}, "CORE13_READ_ONLY: not a boolean; use true or false"),
        ({"CORE13_HTTP_SESSIONS": "perhaps"}, "CORE13_HTTP_SESSIONS: not a switch; use on or off"),
        (
            {"CORE13_TOKEN": "phx_aKeyOfPostHog"},
            "CORE13_TOKEN: it is a PostHog key; use the token that the administrator",
        ),
        ({"CORE13_TOKEN": "a b"}, "CORE13_TOKEN: it contains characters that a token cannot contain"),
        ({"POSTHOG_PERSONAL_API_KEY": "phc_x"}, "POSTHOG_PERSONAL_API_KEY: a key that starts with phc_ is a public"),
        ({"POSTHOG_PERSONAL_API_KEY": "phs_x"}, "project secret key"),
        ({"POSTHOG_PERSONAL_API_KEY": "phr_x"}, "OAuth refresh token"),
        ({"POSTHOG_PERSONAL_API_KEY": "${POSTHOG_KEY}"}, "${POSTHOG_KEY} was not replaced by its value; set that"),
        ({"POSTHOG_PERSONAL_API_KEY": "${env:POSTHOG_KEY}"}, "was not replaced"),
        ({"POSTHOG_PERSONAL_API_KEY": "phx_é"}, "characters that no key has"),
        ({"POSTHOG_PERSONAL_API_KEY": "phx_a\nb"}, "more than one line"),
        ({"POSTHOG_SESSION_ID": "a; b"}, "POSTHOG_SESSION_ID: it contains characters that a cookie cannot contain"),
        ({"POSTHOG_CSRF_TOKEN": "a\nb"}, "POSTHOG_CSRF_TOKEN: it contains characters"),
        ({"POSTHOG_HOST": "${POSTHOG_HOST}"}, "POSTHOG_HOST: ${POSTHOG_HOST} was not replaced by its value"),
        ({"POSTHOG_PROJECT_ID": "%PROJECT%"}, "POSTHOG_PROJECT_ID: %PROJECT% was not replaced by its value"),
        ({"CORE13_TOOLS_DIR": "{{ dir }}"}, "CORE13_TOOLS_DIR: {{ dir }} was not replaced by its value"),
        ({"CORE13_SEAL_KEYS": "short"}, "CORE13_SEAL_KEYS: a key has fewer than 32 characters"),
        ({"CORE13_CONFIRM": "x", "CORE13_TIMEOUT": "x"}, "; CORE13_TIMEOUT: "),
    ],
)
def test_a_value_that_is_not_valid_is_an_error_that_names_the_variable(environ, message):
    with pytest.raises(ConfigurationError) as caught:
        Settings.read(environ)
    assert message in str(caught.value)


@pytest.mark.parametrize("environ", [{"POSTHOG_PERSONAL_API_KEY": "phc_secret"}, {"CORE13_SEAL_KEYS": "sealsecret"}])
def test_an_error_never_contains_a_secret(environ):
    with pytest.raises(ConfigurationError) as caught:
        Settings.read(environ)
    assert next(iter(environ.values())) not in str(caught.value)


def test_settings_with_the_same_secrets_are_equal_and_do_not_show_them():
    environ = {"POSTHOG_PERSONAL_API_KEY": "phx_secret", "CORE13_SEAL_KEYS": "k" * 32 + "," + "l" * 40}
    settings = Settings.read(environ)
    assert len(settings.seal_keys) == 2
    assert settings == Settings.read(environ) and hash(settings) == hash(Settings.read(environ)) != hash(Settings())
    assert "phx_secret" not in repr(settings) and "kkk" not in str(settings)


def test_the_variables_that_kubernetes_adds_for_a_service_are_ignored():
    assert Settings.read({"CORE13_MCP_SERVICE_HOST": "10.0.0.1", "CORE13_MCP_PORT": "tcp://10.0.0.1:80"}) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("us.i.posthog.com", "does not serve this API: it only receives events; use us"),
        ("https://app.posthog.com", "does not serve this API: it is the former address of the US region; use us"),
        ("app.posthog.com/", "former address of the US region; use us"),
        ("us.posthog.com", "is not us, eu or an origin; use us, or https://us.posthog.com$"),
        ("https://eu.posthog.com/api", "is not us, eu or an origin; use eu, or https://eu.posthog.com$"),
        ("posthog.example.com", "is not us, eu or an origin; use https://posthog.example.com$"),
        ("http://posthog.example.com/api", "is not us, eu or an origin; use https://posthog.example.com$"),
        ("localhost:8000", "is not us, eu or an origin; use http://localhost:8000$"),
        ("EU", "is not us, eu or an origin; use eu$"),
        ("uss", "is not us, eu or an origin; an origin is for example"),
        ("https://eu.i.posthog.com", "use eu"),
        ("https://posthog.example.com/api", "is not us, eu or an origin"),
        ("https://posthog.example.com?x=1", "is not us, eu or an origin"),
        ("https://me:pass@posthog.example.com", "is not us, eu or an origin"),
        ("http://posthog.example.com", "is not secure"),
        ("US", "is not us, eu or an origin"),
        ("https://posthog.example.com:99999", "is not us, eu or an origin"),
        ("https://[::1", "is not us, eu or an origin"),
        ("https://:pass@posthog.example.com", "is not us, eu or an origin"),
    ],
)
def test_a_host_that_must_not_receive_a_key_is_refused(text, message):
    with pytest.raises(ConfigurationError, match=f"POSTHOG_HOST: .*{message}"):
        Settings.read({"POSTHOG_HOST": text})


def test_loopback_hosts_are_recognized():
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "example.com")))


def test_every_secret_is_declared_as_one():
    secrets = {
        "POSTHOG_PERSONAL_API_KEY",
        "POSTHOG_SESSION_ID",
        "POSTHOG_CSRF_TOKEN",
        "CORE13_SEAL_KEYS",
        "CORE13_TOKEN",
    }
    assert {option.variable for option in OPTIONS if option.secret} == secrets
