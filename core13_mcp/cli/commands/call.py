"""`core13-mcp call`: call one tool from the shell."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio
import httpx2

from ...compose.engine import SANDBOX_ORIGIN, confirmation_keys, context_provider
from ...declarations.catalog import enabled_tools, load
from ...declarations.files import check_enabled
from ...declarations.model import Declaration
from ...errors import ConfigurationError, Declined, ToolError
from ...jsonio import JSON, parse_json
from ...pipeline.approval import Channel
from ...pipeline.call import plan, prepare
from ...pipeline.confirm import Answer, Confirmer
from ...pipeline.confirmation_code import ConfirmationCodes
from ...pipeline.execution import Execution
from ...pipeline.masking import masked
from ...pipeline.question import Question
from ...redaction import REDACTED
from ...settings import Settings
from ...text import single_line
from ..terminal import (
    can_prompt,
    cancelled_by_sigterm,
    interruptible,
    print_json,
    print_line,
    print_lines,
    prompt_yes_no,
    spinner,
    status_line,
)

# The status of a process that SIGTERM ends.
_TERMINATED = 128 + signal.SIGTERM

_BOM = "\ufeff"
_FORMS = "Write them as key=value words or as one JSON object, or use - to read a JSON object from stdin."


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Call the tool and print its result. Return 1 if the tool reports an error, and 143 after SIGTERM."""
    declared = load(settings.tools_dir)
    catalog = enabled_tools(settings, declared)
    annotations = {name: tool.annotations.model_dump(by_alias=True) for name, tool in declared.items()}
    check_enabled(arguments.name, annotations, settings)
    tool = catalog[arguments.name]
    tool_arguments = parse_arguments(arguments.arguments)
    try:
        if arguments.dry_run:
            _print_request(tool, tool_arguments, settings)
        else:
            with cancelled_by_sigterm() as scope:
                await _call(tool, tool_arguments, settings, yes=arguments.yes)
            return _TERMINATED if scope.cancelled_caught else 0
    except ToolError as error:
        print_lines(str(error), sys.stderr)
        return 1
    return 0


async def _call(tool: Declaration, arguments: JSON, settings: Settings, *, yes: bool) -> None:
    async with context_provider(settings) as get_context:
        context = get_context()
        codes = ConfirmationCodes(confirmation_keys(settings, context.credentials))
        # The person who adds --yes has confirmed the call.
        call = prepare(tool, arguments, replace(context, confirm="never") if yes else context)
        if not (tool.read_only or settings.sandbox):
            project = "" if call.project is None else f", project {call.project}"
            print_line(f"Account: {settings.host}{project}", sys.stderr)
        with spinner(tool.name) as restart:
            channel = Channel(_ask(tool.name, restart) if can_prompt() else "shell", codes)
            execution = Execution(call, channel, _print_progress)
            try:
                result = await execution.run()
            except anyio.get_cancelled_exc_class():
                # Ctrl-C or SIGTERM.
                status_line("")
                print_lines(str(execution.stopped()), sys.stderr)
                raise
    print_json(result.value)


def parse_arguments(words: list[str]) -> dict[str, Any]:
    """Parse `key=value` words, one JSON object, or `-` for a JSON object on stdin."""
    if words == ["-"]:
        return _parse_object(_read_stdin(), "standard input")
    if len(words) == 1 and words[0].lstrip().startswith(("{", "[")):
        return _parse_object(words[0], "the argument")
    pairs: dict[str, Any] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not (name and separator):
            raise ConfigurationError(f"the arguments contain {single_line(word, 60)!r}, which is not key=value", _FORMS)
        if name in pairs:
            raise ConfigurationError(f"the argument {single_line(name, 60)} is repeated", "Write it once.")
        pairs[name] = value
    return pairs


def _parse_object(text: str, source: str) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise ConfigurationError(f"{source} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{source} is not a JSON object", 'Write the arguments as {"name": value}.')
    return value


def _read_stdin() -> str:
    try:
        with interruptible():
            if sys.stdin.isatty():
                print("Type a JSON object, then press Ctrl-D. Ctrl-C cancels.", file=sys.stderr)
            text = sys.stdin.read()
    except UnicodeDecodeError:
        raise ConfigurationError("standard input is not UTF-8 text", "Save it as UTF-8.") from None
    if text.startswith(_BOM):
        raise ConfigurationError("standard input starts with a byte order mark", "Save it as UTF-8 without a BOM.")
    if not text.strip():
        raise ConfigurationError("standard input is empty", "Write a JSON object to it, or leave out `-`.")
    return text


def _print_request(tool: Declaration, arguments: JSON, settings: Settings) -> None:
    """Print the request that the call would send, without credentials and secret arguments."""
    request = plan(tool, arguments, settings.project_id)
    origin = SANDBOX_ORIGIN if settings.sandbox else settings.host
    print_line(f"{request.method} {httpx2.URL(origin + request.path, params=dict(request.query) or None)}")
    if request.body is not None:
        body = {name: REDACTED if name in tool.secrets else value for name, value in request.body.items()}
        print_json(masked(tool, body), indent=None)
    print("Dry run: nothing was sent.", file=sys.stderr)


def _ask(tool: str, restart: Callable[[], None]) -> Confirmer:
    async def ask(question: Question) -> Answer:
        status_line("")
        print_lines(question.text, sys.stderr)
        if not prompt_yes_no(f"{question.title}?"):
            raise Declined(f"{tool}: not confirmed; nothing was sent.")
        restart()
        return Answer("accept", confirmed=True)

    return ask


async def _print_progress(message: str) -> None:
    status_line("")
    print_line(message, sys.stderr)
