"""The embedded sandbox, for calls in this process and for the command `sandbox`.

The functions raise ConfigurationError if the port is in use or the file is not a sandbox database.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import httpx2

from .. import sandbox
from ..api.credentials import Credentials
from ..errors import ConfigurationError
from ..keys import SecretStr
from ..settings import Settings

SANDBOX_KEY = sandbox.FULL_KEY


async def serve_sandbox(port: int, database: str, *, ready: Callable[[str], None], **options: Any) -> None:
    """Serve the sandbox on loopback until SIGINT or SIGTERM.

    Args:
        port: 0 selects a free port.
        database: A file, or `:memory:`.
        ready: Called with the origin as soon as connections are accepted.
        **options: The options of `sandbox.build`.
    """
    try:
        await sandbox.serve("127.0.0.1", port, database, oauth=True, ready=ready, **options)
    except (OSError, ValueError) as error:
        message = f"The sandbox cannot start: {error}"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            message = f"Port {port} is in use. Choose another port, or use --port 0 for a free one."
        raise ConfigurationError(message) from None


def read_outbox(database: str) -> list[dict[str, Any]]:
    """Return the messages that the sandbox would have sent, oldest first."""
    fix = "Pass --db FILE, the file that `serve --sandbox-db` or `sandbox --db` writes."
    if database == ":memory:":
        raise ConfigurationError("No sandbox database. The outbox of another process is in its file", fix)
    try:
        return sandbox.outbox(database)
    except FileNotFoundError as error:
        raise ConfigurationError(str(error).rstrip("."), fix) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The outbox cannot be read: {error}") from None


def sandbox_transport(settings: Settings) -> httpx2.AsyncBaseTransport:
    """Build a transport that sends its requests to a sandbox in this process."""
    try:
        app = sandbox.build(settings.sandbox_db or ":memory:", era=settings.sandbox_era)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"CORE13_SANDBOX_DB: {error}") from None
    return httpx2.ASGITransport(app, raise_app_exceptions=False)


def sandbox_credentials(settings: Settings) -> Credentials:
    """Return the credentials for the sandbox: a configured sandbox key, or that of the default user.

    A real key is not used, because it would be stored in the file with the sandbox data.
    """
    key = settings.personal_api_key
    if key is not None and "sandbox" in key.get_secret_value():
        return Credentials(key, settings.session_id, settings.csrf_token)
    key, session_id, csrf_token = map(SecretStr, (sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN))
    return Credentials(key, session_id, csrf_token)
