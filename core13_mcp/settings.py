"""All settings: each with its type, variable, flag, help and default. Standard library only."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, Self, get_type_hints

from .errors import ConfigurationError
from .keys import SecretStr
from .options import Choice, Option, api_key, boolean, cookie, integer, origins, seal_keys, seconds, words
from .origins import REGIONS, parse_origin
from .text import did_you_mean

Confirm = Literal["auto", "always", "never"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
Auth = Literal["none", "token", "own-key", "oauth"]

# Kubernetes sets these variables in every pod if a Service is called core13-mcp.
_SERVICE_VARIABLE = re.compile(r"CORE13_MCP_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)")


_secret = partial(Option, secret=True)
_http = partial(Option, serve_only=True)


class Settings(NamedTuple):
    """The settings of one start. The constructor does not validate its arguments; `read` does."""

    personal_api_key: Annotated[
        SecretStr | None, _secret("POSTHOG_PERSONAL_API_KEY", "personal API key (phx_...)", api_key)
    ] = None
    personal_api_key_file: Annotated[
        str | None, Option("POSTHOG_PERSONAL_API_KEY_FILE", "file with the API key; read again when it changes")
    ] = None
    host: Annotated[
        str, Option("POSTHOG_HOST", "us, eu, or an https:// origin (http:// on loopback only)", parse_origin, "us")
    ] = REGIONS["us"]
    project_id: Annotated[
        int | None,
        Option("POSTHOG_PROJECT_ID", "always use this project; tools then have no project_id argument", integer(1)),
    ] = None
    session_id: Annotated[
        SecretStr | None, _secret("POSTHOG_SESSION_ID", "login session, for tools that accept no API key", cookie)
    ] = None
    csrf_token: Annotated[
        SecretStr | None, _secret("POSTHOG_CSRF_TOKEN", "CSRF token of the login session", cookie)
    ] = None
    read_only: Annotated[
        bool, Option("CORE13_READ_ONLY", "enable only tools that change nothing; send only GET requests", boolean)
    ] = False
    tools: Annotated[
        tuple[str, ...], Option("CORE13_TOOLS", "names or globs of the tools to enable, comma-separated", words)
    ] = ()
    exclude_tools: Annotated[
        tuple[str, ...],
        Option("CORE13_EXCLUDE_TOOLS", "names or globs of the tools to disable; overrides --tools", words),
    ] = ()
    tools_dir: Annotated[
        str | None,
        Option("CORE13_TOOLS_DIR", "directory of declarations that are added to the built-in ones or replace them"),
    ] = None
    confirm: Annotated[
        Confirm,
        Option(
            "CORE13_CONFIRM",
            "auto: ask if the client can; always: refuse if it cannot ask; never: do not ask",
            Choice(Confirm),
        ),
    ] = "auto"
    timeout: Annotated[
        float, Option("CORE13_TIMEOUT", "seconds for a whole call, including retries", seconds(0.001, 600))
    ] = 30.0
    max_result_chars: Annotated[
        int, Option("CORE13_MAX_RESULT_CHARS", "maximum length of a result, in characters", integer(1000))
    ] = 40_000
    log_level: Annotated[
        LogLevel, Option("CORE13_LOG_LEVEL", "debug, info, warning or error; logs go to stderr", Choice(LogLevel))
    ] = "info"
    log_format: Annotated[LogFormat, Option("CORE13_LOG_FORMAT", "text or json", Choice(LogFormat))] = "text"
    sandbox: Annotated[bool, Option("CORE13_SANDBOX", "use the built-in fake PostHog; no account needed", boolean)] = (
        False
    )
    sandbox_db: Annotated[
        str | None, Option("CORE13_SANDBOX_DB", "file for the data of the sandbox; in memory by default")
    ] = None
    http: Annotated[str | None, _http("CORE13_HTTP", "serve Streamable HTTP on [HOST:]PORT instead of stdio")] = None
    auth: Annotated[
        Auth, _http("CORE13_AUTH", "how HTTP callers authenticate: none, token, own-key or oauth", Choice(Auth))
    ] = "none"
    caller_tokens_file: Annotated[
        str | None,
        _http(
            "CORE13_CALLER_TOKENS_FILE", "file of caller tokens, one `name: token` a line; read again when it changes"
        ),
    ] = None
    seal_keys: Annotated[
        tuple[SecretStr, ...],
        _http("CORE13_SEAL_KEYS", "secrets that protect confirmations; same on all replicas", seal_keys, secret=True),
    ] = ()
    http_url: Annotated[str | None, _http("CORE13_HTTP_URL", "public URL of this server, if it is behind a proxy")] = (
        None
    )
    http_hosts: Annotated[
        tuple[str, ...], _http("CORE13_HTTP_HOSTS", "extra allowed Host header values: names or networks", words)
    ] = ()
    http_origins: Annotated[
        tuple[str, ...], _http("CORE13_HTTP_ORIGINS", "web origins from which browsers may call", words)
    ] = ()
    http_bearer_keys: Annotated[
        bool,
        _http("CORE13_HTTP_BEARER_KEYS", "with own-key: also accept `Authorization: Bearer phx_...`", boolean),
    ] = False
    http_posthog_hosts: Annotated[
        tuple[str, ...],
        _http("CORE13_HTTP_POSTHOG_HOSTS", "with own-key: hosts that X-PostHog-Host may name", origins),
    ] = ()
    http_rate: Annotated[int, _http("CORE13_HTTP_RATE", "requests per minute and caller", integer(1))] = 240
    http_at_once: Annotated[int, _http("CORE13_HTTP_AT_ONCE", "concurrent requests per caller", integer(1))] = 8
    http_max_body: Annotated[
        int, _http("CORE13_HTTP_MAX_BODY", "maximum size of a request, in bytes", integer(1024, 4_194_304))
    ] = 1_048_576
    http_drain: Annotated[
        float,
        _http("CORE13_HTTP_DRAIN", "seconds to keep serving after SIGTERM, with /readyz at 503", seconds(0, 600)),
    ] = 5.0
    http_metrics: Annotated[bool, _http("CORE13_HTTP_METRICS", "serve Prometheus metrics at /metrics", boolean)] = False

    @classmethod
    def read(cls, environ: Mapping[str, str], flags: Mapping[str, str | bool] | None = None) -> Self:
        """Read the settings from environment variables and flags. Flags override variables.

        An empty variable counts as absent.

        Raises:
            ConfigurationError: A `CORE13_` variable does not exist, or a value is not valid.
        """
        _reject_unknown(environ)
        texts = {o.name: text for o in OPTIONS if (text := environ.get(o.variable, "").strip())} | dict(flags or {})
        values, problems = {}, []
        for option in OPTIONS:
            if option.name not in texts:
                continue
            try:
                values[option.name] = option.parse(str(texts[option.name]))
            except ValueError as error:
                problems.append(f"{option.variable}: {error}")
        if problems:
            raise ConfigurationError("; ".join(problems))
        return cls(**values)


def _options() -> tuple[Option, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    described = {name: hint.__metadata__[0] for name, hint in hints.items()}
    return tuple(
        option._replace(default=option.default or _text(Settings._field_defaults[name]))
        for name, option in described.items()
    )


def _text(default: object) -> str:
    return str(default).removesuffix(".0") if default else ""


OPTIONS: tuple[Option, ...] = _options()


def flag_values(arguments: Namespace) -> dict[str, Any]:
    """Return the settings that the command line contains, by name."""
    values = vars(arguments)
    return {o.name: values[f"set_{o.name}"] for o in OPTIONS if values.get(f"set_{o.name}") is not None}


def _reject_unknown(environ: Mapping[str, str]) -> None:
    variables = {option.name: option.variable for option in OPTIONS}
    for name in environ:
        if name.startswith("CORE13_") and name not in variables.values() and not _SERVICE_VARIABLE.match(name):
            suggestion = did_you_mean(name.removeprefix("CORE13_"), variables, variables.__getitem__)
            fix = suggestion or f"The settings are {', '.join(variables.values())}."
            raise ConfigurationError(f"{name} is not a setting", fix)
