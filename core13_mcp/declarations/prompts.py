"""MCP prompts: templates that clients show to people, often as slash commands."""

from __future__ import annotations

from mcp import MCPError
from mcp.types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    Prompt,
    PromptMessage,
    TextContent,
)

from ..templates.language import fill
from ..text import did_you_mean
from .catalog import Catalog
from .files import PROMPT_KEYS, enabled_prompts


class Prompts:
    """The prompts that use only tools of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._contents = {content["name"]: content for content in enabled_prompts(catalog)}

    def list(self) -> ListPromptsResult:
        """Return the result of `prompts/list`."""
        prompts = [{key: content[key] for key in PROMPT_KEYS} for content in self._contents.values()]
        return ListPromptsResult(prompts=[Prompt.model_validate(prompt) for prompt in prompts])

    def get(self, params: GetPromptRequestParams) -> GetPromptResult:
        """Return the result of `prompts/get`. A missing optional argument becomes "unknown" in the text.

        Raises:
            MCPError: There is no prompt of this name, a required argument is missing, or an argument does not exist.
        """
        name = params.name
        if name not in self._contents:
            suggestion = did_you_mean(name, self._contents)
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {name[:100]!r}. {suggestion}".rstrip())
        content = self._contents[name]
        required = {argument["name"]: argument["required"] for argument in content["arguments"]}
        arguments = {argument: text for argument, text in (params.arguments or {}).items() if text.strip()}
        if missing := [argument for argument in sorted(required) if required[argument] and argument not in arguments]:
            raise MCPError(INVALID_PARAMS, f"{name} needs {', '.join(missing)}")
        if unknown := arguments.keys() - required:
            raise MCPError(INVALID_PARAMS, f"{name} takes {', '.join(sorted(required))}, not {min(unknown)[:60]!r}")
        text = "\n".join(fill(line, **arguments) for line in content["text"])
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=content["description"], messages=[message])
