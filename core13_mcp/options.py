"""The variables and flags, as a table: cheap to import, so that `--help` costs nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: its variable, what it means, and its default. Secrets have no flag."""

    variable: str
    says: str
    default: str = ""
    secret: bool = False
    switch: bool = False

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
    Option("CORE13_READ_ONLY", "only tools that change nothing; anything but GET is refused", switch=True),
    Option("CORE13_TOOLS", "names or globs of the tools to offer, comma-separated"),
    Option("CORE13_EXCLUDE_TOOLS", "names or globs of the tools to leave out; wins over --tools"),
    Option("CORE13_TOOLS_DIR", "a folder of declarations to add, or to put in place of shipped ones"),
    Option("CORE13_CONFIRM", "auto: as declared; always: refuse what cannot be asked; never: ask nobody", "auto"),
    Option("CORE13_TIMEOUT", "seconds for a whole call, retries included", "30"),
    Option("CORE13_MAX_RESULT_CHARS", "budget of one result, in characters", "40000"),
    Option("CORE13_LOG_LEVEL", "debug, info, warning or error, to stderr", "info"),
    Option("CORE13_LOG_FORMAT", "text or json", "text"),
    Option("CORE13_SANDBOX", "forward to the embedded sandbox; no account, nothing is sent to anyone", switch=True),
    Option("CORE13_SANDBOX_DB", "a file that keeps the sandbox's data; in memory without it"),
)
