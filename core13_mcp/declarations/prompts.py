"""MCP prompts: templates that clients show to people, often as slash commands."""

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
    """An argument of a prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    required: bool = False


class PromptTemplate(BaseModel):
    """A prompt as it is in `prompts.json`.

    Attributes:
        tools: The tools that the text mentions. The prompt is listed only if all of them are enabled.
        text: The lines of the prompt, with placeholders such as `{arguments.name}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...] = ()
    tools: tuple[str, ...]
    text: tuple[str, ...]

    def to_mcp(self) -> Prompt:
        """Return the definition that MCP clients receive."""
        arguments = [PromptArgument(**argument.model_dump()) for argument in self.arguments]
        return Prompt(name=self.name, title=self.title, description=self.description, arguments=arguments)

    def render(self, values: Mapping[str, str]) -> GetPromptResult:
        """Fill the template. A missing optional argument becomes "unknown".

        Raises:
            MCPError: A required argument is missing, or an argument does not exist.
        """
        names = {argument.name for argument in self.arguments}
        required = {argument.name for argument in self.arguments if argument.required}
        arguments = {name: text for name, text in values.items() if text.strip()}
        if missing := required - arguments.keys():
            raise MCPError(INVALID_PARAMS, f"{self.name} needs {', '.join(sorted(missing))}")
        if unknown := arguments.keys() - names:
            raise MCPError(INVALID_PARAMS, f"{self.name} takes {', '.join(sorted(names))}, not {min(unknown)[:60]!r}")
        text = "\n".join(render(line, arguments=arguments) for line in self.text)
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=self.description, messages=[message])


def load_prompts(catalog: Catalog) -> dict[str, PromptTemplate]:
    """Return the prompts whose tools are all in the catalog, by name."""
    templates = TypeAdapter(list[PromptTemplate]).validate_python(read_server_file("prompts.json"))
    return {template.name: template for template in templates if all(tool in catalog for tool in template.tools)}


def list_result(prompts: Mapping[str, PromptTemplate]) -> ListPromptsResult:
    """Return the result of `prompts/list`."""
    return ListPromptsResult(prompts=[template.to_mcp() for template in prompts.values()])


def render_prompt(prompts: Mapping[str, PromptTemplate], params: GetPromptRequestParams) -> GetPromptResult:
    """Return the result of `prompts/get`.

    Raises:
        MCPError: There is no prompt of this name, or its arguments are not valid.
    """
    if params.name in prompts:
        return prompts[params.name].render(params.arguments or {})
    suggestion = did_you_mean(params.name, prompts)
    raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name[:100]!r}. {suggestion}".rstrip())
