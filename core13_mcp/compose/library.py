"""The server as a library, for clients in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from os import PathLike, fspath
from typing import Any, TypedDict, Unpack

from mcp.server import Server

from ..declarations.catalog import enabled_tools, load
from ..errors import ConfigurationError
from ..pipeline.call import CallContext
from ..server import handlers
from ..server.instructions import instructions
from ..settings import OPTIONS, Confirm, SandboxEra, Settings, with_implied
from .engine import call_contexts, credential_provider


class ServerSettings(TypedDict, total=False):
    """The arguments of `build_server`. docs/configuration.md describes them: `timeout` is CORE13_TIMEOUT."""

    personal_api_key: str
    personal_api_key_file: str | PathLike[str]
    host: str
    project_id: int
    session_id: str
    csrf_token: str
    read_only: bool
    tools: Sequence[str]
    exclude_tools: Sequence[str]
    tools_dir: str | PathLike[str]
    confirm: Confirm
    confirm_timeout: float
    timeout: float
    max_result_chars: int
    sandbox: bool
    sandbox_db: str | PathLike[str]
    sandbox_era: SandboxEra


def build_server(**settings: Unpack[ServerSettings]) -> Server[Callable[[], CallContext]]:
    """Return an MCP server for use in this process, such as `mcp.Client(build_server(sandbox=True))`.

    The arguments are the settings. Environment variables are not read, and logging is not configured. Each connection
    has its own HTTP connections and, without `sandbox_db`, its own data in the sandbox.

    Raises:
        Core13Error: A setting is not valid, there is no usable key, or a declaration is wrong.
        TypeError: A setting does not exist.
    """
    values = _parse(settings)
    declared = load(values.tools_dir)
    catalog = enabled_tools(values, declared)
    credentials = credential_provider(values, sign_in=False)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[Callable[[], CallContext]]:
        async with call_contexts(values, credentials) as get_context:
            yield get_context

    text = instructions(values, len(catalog), len(declared))
    server = handlers.build_server(catalog, lambda request: request.lifespan_context(), text)
    server.lifespan = lifespan
    return server


def _parse(arguments: Mapping[str, Any]) -> Settings:
    options = {option.name: option for option in OPTIONS}
    values = {}
    for name, value in with_implied(arguments).items():
        if name not in ServerSettings.__annotations__:
            raise TypeError(f"build_server() got an unexpected keyword argument {name!r}")
        try:
            values[name] = options[name].parse(_text(value))
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}") from None
    return Settings(**values)


def _text(value: Any) -> str:
    """Return a value as the text of a setting. The parser of the setting then checks it."""
    if isinstance(value, PathLike):
        return str(fspath(value))
    return str(value) if isinstance(value, str | int | float) else ",".join(value)
