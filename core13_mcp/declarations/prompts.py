"""What a person can ask for by name: hosts show prompts as commands."""

from __future__ import annotations

from collections.abc import Mapping

from mcp import MCPError
from mcp.types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)
from pydantic import BaseModel, ConfigDict, TypeAdapter

from ..text import did_you_mean, render
from .catalog import Catalog
from .files import read_server_file


class Argument(BaseModel):
    """One thing that a person may say beforehand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    required: bool = False


class PromptTemplate(BaseModel):
    """One prompt as its file says it: lines in which `{arguments.name}` stands for what the person said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...] = ()
    tools: tuple[str, ...]
    """The tools that its text relies on; without any of them it is not offered."""
    text: tuple[str, ...]

    def to_mcp(self) -> Prompt:
        """The part that clients list."""
        told = [PromptArgument(**argument.model_dump()) for argument in self.arguments]
        return Prompt(name=self.name, title=self.title, description=self.description, arguments=told)

    def render(self, said: Mapping[str, str]) -> GetPromptResult:
        """The prompt with what the person said in it; what they did not say reads "unknown".

        Raises:
            MCPError: What it cannot do without is missing, or something in it has no place.
        """
        known = {argument.name for argument in self.arguments}
        needed = {argument.name for argument in self.arguments if argument.required}
        given = {name: text for name, text in said.items() if text.strip()}
        if missing := needed - given.keys():
            raise MCPError(INVALID_PARAMS, f"{self.name} needs {', '.join(sorted(missing))}")
        if odd := given.keys() - known:
            raise MCPError(INVALID_PARAMS, f"{self.name} takes {', '.join(sorted(known))}, not {min(odd)[:60]!r}")
        text = "\n".join(render(line, arguments=given) for line in self.text)
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=self.description, messages=[message])


def load_prompts(catalog: Catalog) -> dict[str, PromptTemplate]:
    """The shipped prompts whose tools are all offered, by name, in the order of their file."""
    found = TypeAdapter(list[PromptTemplate]).validate_python(read_server_file("prompts.json"))
    return {script.name: script for script in found if all(tool in catalog for tool in script.tools)}


def list_result(offered: Mapping[str, PromptTemplate]) -> ListPromptsResult:
    """What a client is told of the prompts."""
    return ListPromptsResult(prompts=[script.to_mcp() for script in offered.values()])


def render_prompt(offered: Mapping[str, PromptTemplate], params: GetPromptRequestParams) -> GetPromptResult:
    """The prompt that was asked for.

    Raises:
        MCPError: There is none of that name, or its arguments do not fit.
    """
    if params.name in offered:
        return offered[params.name].render(params.arguments or {})
    raise MCPError(
        INVALID_PARAMS, f"Unknown prompt: {params.name[:100]!r}. {did_you_mean(params.name, offered)}".strip()
    )
