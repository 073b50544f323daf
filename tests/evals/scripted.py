"""A scripted agent without a model. It follows the text of errors literally.

It knows the tools from `tools/list`, the values in its goal, and the errors that it reads. If it finishes a task after a
wrong call, the error alone contains the correction.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from .environment import Environment, ToolCall
from .judge import fill, named_results
from .tasks import JSON, Task

MAX_CORRECTIONS = 6
# `Call NAME with a=1, b=2` in an error: the tool to call next.
NEXT_CALL = re.compile(r"\b[Cc]all ([a-z][a-z0-9-]+) with ((?:\w+=[^\s,;:]+(?:, )?)+)")
# `NAME with a=1`: these arguments belong to another tool.
OTHER_TOOL = re.compile(r"\b[a-z]+(?:-[a-z]+)+ with (?:\w+=[^\s,;:]+(?:, )?)+")

Reading = Literal["all", "first line"]


@dataclass(frozen=True)
class PlannedCall:
    """A tool and arguments that the agent will call."""

    tool: str
    arguments: JSON


@dataclass(frozen=True)
class ScriptedAgent:
    """Plays one task in one environment.

    Attributes:
        argument_names: The names of the arguments of each tool.
        mistakes: Whether the agent makes the wrong call of the task first.
        reading: How much of an error the agent reads. The first line states what failed, but not the correction.
    """

    task: Task
    environment: Environment
    argument_names: dict[str, set[str]]
    mistakes: bool
    reading: Reading

    async def play(self) -> None:
        """Make all calls of the task. Stop at an error without a correction."""
        wrong, steps = self.task.wrong, list(self.task.calls)
        position = 0
        while position < len(steps):
            step = steps[position]
            call = PlannedCall(step.tool, step.arguments)
            if self.mistakes and position == wrong.at:
                call = PlannedCall(wrong.tool or step.tool, wrong.arguments)
                position = (wrong.until or position + 1) - 1
            if (await self._call_with_corrections(self._filled(call))).failed:
                return
            position += 1

    async def _call_with_corrections(self, planned: PlannedCall) -> ToolCall:
        """Make a call. Repeat it with the corrections from its errors while they change anything."""
        call = await self.environment.call(planned.tool, planned.arguments)
        for _ in range(MAX_CORRECTIONS):
            if not call.failed:
                break
            text = call.text if self.reading == "all" else call.text.split("\n")[0]
            other, seconds = self._other_call(text, planned), re.search(r"Call again in (\d+) s\.", text)
            if other:
                other_result = await self.environment.call(other.tool, other.arguments)
                if "before you call it again" in text:
                    return other_result
            if seconds:
                self.environment.clock.wait(int(seconds[1]))
            corrected = self._corrected(text, planned)
            if corrected == planned and not other and not seconds:
                break
            planned, call = corrected, await self.environment.call(corrected.tool, corrected.arguments)
        return call

    def _other_call(self, text: str, planned: PlannedCall) -> PlannedCall | None:
        """The call of another tool that the error requests, in the same project."""
        match = NEXT_CALL.search(text)
        if not match or match[1] not in self.argument_names or match[1] == planned.tool:
            return None
        arguments = {name: _parse(value) for name, value in re.findall(r"(\w+)=([^\s,;:.]+)", match[2])}
        if "project_id" in planned.arguments:
            arguments = {"project_id": planned.arguments["project_id"], **arguments}
        return PlannedCall(match[1], arguments)

    def _corrected(self, text: str, planned: PlannedCall) -> PlannedCall:
        suggestion = re.search(r'Unknown tool: .*[Dd]id you mean "([\w-]+)"', text)
        if suggestion:
            return replace(planned, tool=suggestion[1])
        arguments = dict(planned.arguments)
        for sentence in re.split(r"\n(?:\(1\) )?| \(\d+\) ", text)[1:]:
            self._apply(sentence, arguments, planned.tool)
        return self._filled(replace(planned, arguments=arguments))

    def _apply(self, sentence: str, arguments: JSON, tool: str) -> None:
        """Change the arguments as one sentence of an error requests."""
        name, *others = sentence.partition(":")[0].split(", ")
        for other in others:
            # A sentence about several arguments means that all but the first are not allowed.
            arguments.pop(other, None)
        suggestion = re.search(r'Did you mean "([^"]+)"\?', sentence)
        assignments = re.findall(r"\b(\w+)=(\d+-\d+-\d+T[\d:]+Z|[^\s,;:]*[^\s,;:.])", OTHER_TOOL.sub("", sentence))
        values = {key: _parse(value) for key, value in assignments if key in self.argument_names[tool]}
        if "no such argument" in sentence:
            value = arguments.pop(name, None)
            if suggestion:
                arguments.setdefault(suggestion[1], value)
        elif suggestion:
            _set(arguments, name, suggestion[1])
        elif limit := re.search(r"(?:maximum|minimum) of (\d+)", sentence):
            arguments[name] = int(limit[1])
        elif "not accepted" in sentence or re.search(r"[Ll]eft out|The default is", sentence):
            arguments.pop(name, None)
        elif values:
            arguments.update(values)
        else:
            self._copy_from_goal(sentence, arguments, tool)

    def _copy_from_goal(self, sentence: str, arguments: JSON, tool: str) -> None:
        """Set the arguments that the sentence names to their values in the goal."""
        names = set(re.findall(r"\w+", sentence)) & self.argument_names[tool]
        arguments.update({name: self.task.details[name] for name in names if name in self.task.details})

    def _filled(self, planned: PlannedCall) -> PlannedCall:
        return replace(planned, arguments=fill(planned.arguments, named_results(self.task, self.environment)))


async def create_agent(task: Task, environment: Environment, mistakes: bool, reading: Reading) -> ScriptedAgent:
    """Create an agent that has read the list of tools."""
    names = {tool.name: set(tool.input_schema.get("properties", {})) for tool in await environment.tools()}
    return ScriptedAgent(task, environment, names, mistakes, reading)


def _parse(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _set(arguments: JSON, location: str, value: str) -> None:
    """Set a value at `name` or `name[0]`."""
    name, _, index = location.rstrip("]").partition("[")
    if index:
        arguments[name] = [value if n == int(index) else item for n, item in enumerate(arguments[name])]
    else:
        arguments[name] = value
