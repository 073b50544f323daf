"""All settings, each with its type, help, parser and default. Standard library only."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, Self

from .errors import ConfigurationError
from .keys import SecretStr, reference_problem
from .options import Choice, Option, api_key, bearer_token, boolean, cookie, number, origins, seal_keys, switch, words
from .origins import parse_origin
from .text import did_you_mean

Confirm = Literal["auto", "always", "never"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
SandboxEra = Literal["page", "today"]
Auth = Literal["none", "token", "own-key", "oauth"]

# Kubernetes sets these variables in every pod if a Service is called core13-mcp.
_SERVICE_VARIABLE = re.compile(r"CORE13_MCP_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)")

# Declares a field of `Settings`. The type of the field is not `Option`, because the default of the field replaces it.
_option: Callable[..., Any] = Option
_posthog = partial(_option, prefix="POSTHOG_")
_http = partial(_option, serve_only=True)
_sandbox = partial(_option, implies="sandbox")


class Settings(NamedTuple):
    """The settings of one start. The constructor does not validate its arguments; `read` does.

    The variable of `timeout` is CORE13_TIMEOUT. The variables of the fields with `_posthog` start with POSTHOG_.
    """

    personal_api_key: SecretStr | None = _posthog("personal API key (phx_...)", api_key, secret=True)
    personal_api_key_file: str | None = _posthog("file with the API key; read again when it changes")
    login_dir: str | None = _option(
        "directory of the sign-ins of `core13-mcp login`; by default, below the home directory"
    )
    host: str = _posthog("us, eu, or an https:// origin (http:// on loopback only)", parse_origin, "us")
    project_id: int | None = _posthog("always use this project; tools then have no project_id argument", number(int, 1))
    session_id: SecretStr | None = _posthog("login session, for tools that accept no API key", cookie, secret=True)
    csrf_token: SecretStr | None = _posthog("CSRF token of the login session", cookie, secret=True)
    token: SecretStr | None = _option(
        "token of a remote server, for `install --remote`; this server does not use it", bearer_token, secret=True
    )
    read_only: bool = _option("enable only tools that change nothing; send only GET requests", boolean)
    tools: tuple[str, ...] = _option("names or globs of the tools to enable, comma-separated", words)
    exclude_tools: tuple[str, ...] = _option("names or globs of the tools to disable; overrides --tools", words)
    tools_dir: str | None = _option("directory of declarations that are added to the built-in ones or replace them")
    confirm: Confirm = _option(
        "auto: by a form, or by a code in the chat; always: by a form only; never: do not ask", Choice(Confirm), "auto"
    )
    confirm_timeout: float = _option("seconds for the answer to a question", number(float, 1, 3600), "300")
    timeout: float = _option("seconds for a whole call, including retries", number(float, 0.001, 600), "30")
    max_result_chars: int = _option("maximum length of a result, in characters", number(int, 1000), "40000")
    log_level: LogLevel = _option("debug, info, warning or error; logs go to stderr", Choice(LogLevel), "info")
    log_format: LogFormat = _option("text or json", Choice(LogFormat), "text")
    sandbox: bool = _option("use the built-in fake PostHog; no account needed", boolean)
    sandbox_db: str | None = _sandbox("file for the data of the sandbox, in memory by default; implies --sandbox")
    sandbox_era: SandboxEra = _sandbox(
        "API version of the sandbox: page, or today for the newest one; implies --sandbox", Choice(SandboxEra), "page"
    )
    http: str | None = _http("serve Streamable HTTP on [HOST:]PORT instead of stdio")
    auth: Auth = _http("how HTTP callers authenticate: none, token, own-key or oauth", Choice(Auth), "none")
    caller_tokens_file: str | None = _http(
        "file of caller tokens, one `name: token` a line; read again when it changes"
    )
    seal_keys: tuple[SecretStr, ...] = _http(
        "secrets that protect confirmations; same on all replicas", seal_keys, secret=True
    )
    seal_keys_file: str | None = _http(
        "file of the secrets that protect confirmations, separated by commas or line ends; read at start"
    )
    http_url: str | None = _http("public URL of this server, if it is behind a proxy")
    http_hosts: tuple[str, ...] = _http("extra allowed Host header values: names or networks", words)
    http_origins: tuple[str, ...] = _http("web origins from which browsers may call", words)
    http_bearer_keys: bool = _http("with own-key: also accept `Authorization: Bearer phx_...`", boolean)
    http_posthog_hosts: tuple[str, ...] = _http("with own-key: hosts that X-PostHog-Host may name", origins)
    http_rate: int = _http("requests per minute and caller", number(int, 1), "240")
    http_at_once: int = _http("concurrent requests per caller", number(int, 1), "8")
    http_max_body: int = _http("maximum size of a request, in bytes", number(int, 1024, 4_194_304), "1048576")
    http_sessions: bool = _http(
        "sessions for clients of the 2025 protocols that show forms: on, or off if requests of one client may reach "
        "different replicas",
        switch,
        "on",
    )
    http_drain: float = _http("seconds to keep serving after SIGTERM, with /readyz at 503", number(float, 0, 600), "5")
    http_metrics: bool = _http("serve Prometheus metrics at /metrics, on a port of their own", boolean)
    http_metrics_port: str = _http("[HOST:]PORT of the metrics", default="127.0.0.1:9464")

    @classmethod
    def read(cls, environ: Mapping[str, str], flags: Mapping[str, str | bool] | None = None) -> Self:
        """Read the settings from environment variables and flags. Flags override variables.

        An empty variable counts as absent.

        Raises:
            ConfigurationError: A `CORE13_` variable does not exist, or a value is not valid.
        """
        _reject_unknown(environ)
        variables = {o.name: text for o in OPTIONS if (text := environ.get(o.variable, "").strip())}
        texts = with_implied(variables) | with_implied(flags or {})
        values, problems = {}, []
        for option in OPTIONS:
            if option.name not in texts:
                continue
            text = str(texts[option.name])
            try:
                # A secret can look like a reference, and must not be shown.
                if not option.secret and (problem := reference_problem(text)):
                    raise ValueError(problem)
                values[option.name] = option.parse(text)
            except ValueError as error:
                problems.append(f"{option.variable}: {error}")
        if problems:
            raise ConfigurationError("; ".join(problems))
        return cls(**values)


OPTIONS: tuple[Option, ...] = tuple(option._replace(name=name) for name, option in Settings._field_defaults.items())

# The options describe the fields. The defaults of the fields are values.
Settings.__new__.__defaults__ = tuple(option.default_value for option in OPTIONS)


def with_implied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of one source with the switches that they turn on, unless it sets them itself.

    A person who names the database of the sandbox expects that calls go to the sandbox.
    """
    return {option.implies: True for option in OPTIONS if option.implies and option.name in values} | dict(values)


def with_flags(message: str, flags: Iterable[str]) -> str:
    """Return a message that names the flag, and not the variable, of each setting in `flags`."""
    for option in OPTIONS:
        if option.name in flags:
            message = re.sub(rf"(?<!\w){option.variable}(?!\w)", option.flag, message)
    return message


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
