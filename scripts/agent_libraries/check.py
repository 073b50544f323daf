"""Load all tools with one agent library over stdio, read, write and confirm a call, and print what the model gets.

Usage: check.py LIBRARY SERVER DIRECTORY

SERVER is the path of core13-mcp. DIRECTORY gets the data of the sandbox and the seal keys, because AutoGen and LlamaIndex
start a server for each call. The exit status is not 0 if a tool is missing, a call fails or a write is not confirmed.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

TOOLS = 18
READ = "users-hedgehog-config-retrieve"
WRITE = "users-hedgehog-config-partial-update"
COLOR = "rainbow-17"
CONFIRMED = "subscriptions-test-delivery-create"
DELIVERY = {"project_id": 1, "id": 1}
CODE = re.compile(r"\b\w{4}-\w{4}-\w{4}\b")

Call = Callable[[str, dict[str, Any]], Awaitable[str]]


@dataclass
class Server:
    """How a library starts the server, and the questions that the library passed on in forms."""

    command: str
    arguments: list[str]
    questions: list[str] = field(default_factory=list)

    def confirm(self, question: str) -> dict[str, bool]:
        """Return the content of a form that confirms the call."""
        self.questions.append(question)
        return {"confirm": True}


@dataclass(frozen=True)
class Loaded:
    """The JSON Schemas by the names that the model gets, and a function that calls one of the tools."""

    schemas: dict[str, Any]
    call: Call

    async def result(self, name: str, arguments: dict[str, Any]) -> str:
        """Call a tool by its name in the server, and return the text for the model, also if it is an error."""
        (visible,) = (key for key in self.schemas if key.replace("_", "-").endswith(name))
        try:
            return await self.call(visible, arguments)
        # Some libraries return the error of a tool, and the others raise exceptions of their own.
        except Exception as error:  # noqa: BLE001
            return str(error)


async def write(loaded: Loaded) -> None:
    """Change a value that the server returned, and see the change."""
    before = await loaded.result(READ, {})
    written = await loaded.result(WRITE, {"hedgehog_config": {"color": COLOR}})
    after = await loaded.result(READ, {})
    if COLOR in before or COLOR not in after:
        sys.exit(f"the write had no effect:\n{before}\n{written}\n{after}")


async def confirm(loaded: Loaded, server: Server) -> str:
    """Make a call that needs a confirmation, and return how it was confirmed."""
    result = await loaded.result(CONFIRMED, DELIVERY)
    method = "a form"
    if not server.questions:
        code = CODE.search(result) or sys.exit(f"no form and no code:\n{result}")
        method = "a code"
        result = await loaded.result(CONFIRMED, {**DELIVERY, "confirmation": code[0]})
    if "confirmation_" in result or "Queued" not in result:
        sys.exit(f"the call was not confirmed:\n{result}")
    return method


def description(schemas: dict[str, Any]) -> str:
    """State what the library changed in names and schemas."""
    texts = [json.dumps(schema) for schema in schemas.values()]
    closed = sum('"additionalProperties": false' in text for text in texts)
    nulls = sum('"default": null' in text for text in texts)
    return f"{len(schemas)} tools named like {min(schemas, key=len)}, {closed} schemas closed, {nulls} with null as a default"


async def check(library: str, command: str, directory: Path) -> None:
    """Load and call the tools with one library."""
    keys = directory / "seal-keys"
    keys.write_text("k" * 32)
    data = ["--sandbox-db", str(directory / f"{library}.db"), "--seal-keys-file", str(keys)]
    server = Server(command, ["serve", *data, "--log-level", "error"])
    module = importlib.import_module(f"libraries.{library.replace('-', '_')}")
    async with module.load(server) as loaded:
        if len(loaded.schemas) != TOOLS:
            sys.exit(f"{library}: loaded {len(loaded.schemas)} of {TOOLS} tools: {sorted(loaded.schemas)}")
        await write(loaded)
        method = await confirm(loaded, server)
    print(
        f"{module.PACKAGE} {version(module.PACKAGE)}: read, wrote, confirmed by {method}; {description(loaded.schemas)}"
    )


if __name__ == "__main__":
    asyncio.run(check(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
