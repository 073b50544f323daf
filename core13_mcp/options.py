"""The variables and flags, as a table: cheap to import, so that `--help` costs nothing."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, NamedTuple


class Option(NamedTuple):
    """One setting: its variable, what it means, and its default. Secrets have no flag; `serve_only` is for serve only."""

    variable: str
    help: str
    default: str = ""
    secret: bool = False
    is_flag: bool = False
    serve_only: bool = False

    @property
    def name(self) -> str:
        """The setting's name: the variable without its prefix, in lower case."""
        return self.variable.removeprefix("CORE13_").removeprefix("POSTHOG_").lower()

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return "--" + self.name.replace("_", "-")


OPTIONS = (
    Option("POSTHOG_PERSONAL_API_KEY", "the personal API key (phx_...)", secret=True),
    Option("POSTHOG_PERSONAL_API_KEY_FILE", "a file that holds the key; read again when it changes"),
    Option("POSTHOG_HOST", "us, eu, or an https:// origin (http:// on loopback only)", "us"),
    Option("POSTHOG_PROJECT_ID", "pins the project: project_id then leaves the schemas"),
    Option("POSTHOG_SESSION_ID", "a login session, for the tools that accept no key", secret=True),
    Option("POSTHOG_CSRF_TOKEN", "the CSRF token of that session", secret=True),
    Option("CORE13_READ_ONLY", "only tools that change nothing; anything but GET is refused", is_flag=True),
    Option("CORE13_TOOLS", "names or globs of the tools to offer, comma-separated"),
    Option("CORE13_EXCLUDE_TOOLS", "names or globs of the tools to leave out; wins over --tools"),
    Option("CORE13_TOOLS_DIR", "a folder of declarations to add, or to put in place of shipped ones"),
    Option("CORE13_CONFIRM", "auto: as declared; always: refuse what cannot be asked; never: ask nobody", "auto"),
    Option("CORE13_TIMEOUT", "seconds for a whole call, retries included", "30"),
    Option("CORE13_MAX_RESULT_CHARS", "budget of one result, in characters", "40000"),
    Option("CORE13_LOG_LEVEL", "debug, info, warning or error, to stderr", "info"),
    Option("CORE13_LOG_FORMAT", "text or json", "text"),
    Option("CORE13_SANDBOX", "forward to the embedded sandbox; no account, nothing is sent to anyone", is_flag=True),
    Option("CORE13_SANDBOX_DB", "a file that keeps the sandbox's data; in memory without it"),
    Option("CORE13_HTTP", "[HOST:]PORT to serve Streamable HTTP on, instead of stdio", serve_only=True),
    Option("CORE13_AUTH", "who may call over HTTP: none, token, own-key or oauth", "none", serve_only=True),
    Option(
        "CORE13_CALLER_TOKENS_FILE", "callers' tokens, a `name: token` a line; read when it changes", serve_only=True
    ),
    Option("CORE13_SEAL_KEYS", "keys that seal confirmations, shared by all replicas", secret=True, serve_only=True),
    Option("CORE13_HTTP_URL", "the URL by which callers reach this server, if a proxy is in front", serve_only=True),
    Option("CORE13_HTTP_HOSTS", "more names or networks that a Host header may say", serve_only=True),
    Option("CORE13_HTTP_ORIGINS", "web origins whose pages may call", serve_only=True),
    Option(
        "CORE13_HTTP_BEARER_KEYS", "own-key: take `Authorization: Bearer phx_...` too", is_flag=True, serve_only=True
    ),
    Option("CORE13_HTTP_POSTHOG_HOSTS", "own-key: hosts that X-PostHog-Host may name", serve_only=True),
    Option("CORE13_HTTP_RATE", "requests that one caller may make in a minute", "240", serve_only=True),
    Option("CORE13_HTTP_AT_ONCE", "requests of one caller that run at the same time", "8", serve_only=True),
    Option("CORE13_HTTP_MAX_BODY", "bytes of one request", "1048576", serve_only=True),
    Option("CORE13_HTTP_DRAIN", "seconds to go on serving after SIGTERM, not ready", "5", serve_only=True),
    Option("CORE13_HTTP_METRICS", "answer /metrics, for Prometheus", is_flag=True, serve_only=True),
)


def flags(arguments: Namespace) -> dict[str, Any]:
    """The settings that were given as flags."""
    given = vars(arguments)
    return {o.name: given[f"set_{o.name}"] for o in OPTIONS if given.get(f"set_{o.name}") is not None}
