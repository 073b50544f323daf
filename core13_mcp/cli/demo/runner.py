"""Run one step of the demo: call a tool, check the result and print both."""

from __future__ import annotations

import json
import shlex
import textwrap
from dataclasses import dataclass, field
from typing import Any, TextIO

import anyio
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from ...jsonio import JSON
from ...templates.language import fill
from ...text import to_line
from ..terminal import style

WIDTH = 96


class DemoError(Exception):
    """A step did not have the expected result."""


@dataclass(frozen=True, slots=True)
class Expect:
    """The expected outcome of a call."""

    values: JSON = field(default_factory=dict)
    confirmed: bool = False
    # The error code, empty for success.
    error: str = ""
    # Strings that the text of the error contains.
    contains: tuple[str, ...] = ()

    def check(self, result: JSON, *, failed: bool, confirmations: int) -> None:
        """Compare an outcome with this one.

        Raises:
            DemoError: They differ.
        """
        if failed != bool(self.error):
            raise DemoError(f"the call {'failed' if failed else 'succeeded'}: {result.get('text', result)}")
        if confirmations != self.confirmed:
            raise DemoError(f"{confirmations} confirmation prompts, expected {int(self.confirmed)}")
        expected = {**self.values, "code": self.error} if self.error else self.values
        for name, value in expected.items():
            if result.get(name) != value:
                raise DemoError(f"{name} is {result.get(name)!r}, expected {value!r}")
        for text in self.contains:
            if text not in result["text"]:
                raise DemoError(f"the error does not contain {text!r}: {result['text']}")


@dataclass
class Demo:
    """A sequence of steps, printed to a stream. A step fails after `timeout` seconds."""

    stream: TextIO
    timeout: float = 20.0
    client: Client = field(init=False)
    steps: int = 0
    confirmations: int = 0

    async def confirm(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Print a confirmation prompt of the server and accept it, as the user of the client would."""
        self.confirmations += 1
        self._print("    ? ", f"{params.message} [confirmation prompt; the demo answers yes]", "yellow")
        return ElicitResult(action="accept", content={"confirm": True})

    async def step(self, title: str, tool: str, arguments: JSON, expect: Expect, lines: str = "{done}") -> JSON:
        """Call a tool, check the outcome and print it under a title.

        `lines` is a template of the printed lines; `{name}` is a value of the result. The text of an error is printed
        as it is. Returns the structured result, or the text and the details of an error.

        Raises:
            DemoError: The outcome is not the expected one.
        """
        self.steps += 1
        self.heading(title, self.steps)
        self._print("    > ", " ".join([tool, *(f"{name}={_word(value)}" for name, value in arguments.items())]))
        try:
            with anyio.fail_after(self.timeout):
                before = self.confirmations
                response = await self.client.call_tool(tool, dict(arguments))
            result = _result(response)
            expect.check(result, failed=bool(response.is_error), confirmations=self.confirmations - before)
        except TimeoutError:
            raise DemoError(f"step {self.steps}, {title!r}: no response within {self.timeout:g} s") from None
        except (DemoError, MCPError) as error:
            raise DemoError(f"step {self.steps}, {title!r}: {error}") from None
        if expect.error:
            self.show(result["text"], "    ! ", "red")
        else:
            self.show(fill(lines, **result))
        return result

    def heading(self, title: str, number: int | None = None) -> None:
        self._print(f"\n{number or '':2}  ", title, "bold")

    def note(self, text: str = "") -> None:
        """Print a line outside any step."""
        self._print("", text, "dim")

    def show(self, text: str, mark: str = "    < ", color: str = "green") -> None:
        for line in text.splitlines():
            self._print(mark, line, color)

    def _print(self, mark: str, text: str, color: str = "") -> None:
        indent = len(mark.lstrip("\n"))
        lines = textwrap.wrap(to_line(text), WIDTH - indent, break_long_words=False, break_on_hyphens=False)
        styled = [style(line, color, self.stream) if color else line for line in lines]
        print(mark + ("\n" + " " * indent).join(styled), file=self.stream, flush=True)


def _result(response: CallToolResult) -> JSON:
    if not response.is_error:
        return response.structured_content or {}
    text = "\n".join(part.text for part in response.content if isinstance(part, TextContent))
    return {"text": text, **(response.meta or {}).get("core13-mcp/error", {})}


def _word(value: Any) -> str:
    """A value as `core13-mcp call` accepts it in a shell."""
    return shlex.quote(value if isinstance(value, str) else json.dumps(value))
