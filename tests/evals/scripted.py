"""An agent that cannot think: it calls what a weak one would, and then does what the error says, to the letter.

It knows what `tools/list` says and what its goal states; a task that it finishes is one whose errors name their own
correction.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from .eval_world import Use, World
from .judge import filled, named
from .tasks import JSON, Task

TRIES = 6
_NEXT = re.compile(r"\b[Cc]all ([a-z][a-z0-9-]+) with ((?:\w+=[^\s,;:]+(?:, )?)+)")

_OTHER = re.compile(r"\b[a-z]+(?:-[a-z]+)+ with (?:\w+=[^\s,;:]+(?:, )?)+")


@dataclass(frozen=True)
class Call:
    """What it is about to do."""

    tool: str
    arguments: JSON


@dataclass(frozen=True)
class Agent:
    """Plays one task in one world. `weak` makes the wrong call first; otherwise it makes the good calls only."""

    task: Task
    world: World
    accepted: dict[str, set[str]]
    """The names of every tool's arguments."""
    weak: bool = True
    blind: bool = False
    """Whether it reads only the first line of an error: what failed, but not what to change."""

    async def play(self) -> None:
        """All steps, the wrong one first in its place; until the end, or an error that names no correction."""
        wrong, calls = self.task.wrong, list(self.task.calls)
        place = 0
        while place < len(calls):
            step = calls[place]
            call = Call(step.tool, step.arguments)
            if self.weak and place == wrong.at:
                call = Call(wrong.tool or step.tool, wrong.arguments)
                place = (wrong.until or place + 1) - 1
            if (await self._carry(self._filled(call))).failed:
                return
            place += 1

    async def _carry(self, call: Call) -> Use:
        """One call, corrected as its errors say, as long as that changes anything."""
        used = await self.world.use(call.tool, call.arguments)
        for _ in range(TRIES):
            if not used.failed:
                break
            text = used.text.split("\n")[0] if self.blind else used.text
            look, wait = self._detour(text, call), re.search(r"Call again in (\d+) s\.", text)
            if look:
                other = await self.world.use(look.tool, look.arguments)
                if "Do not call it again" in text:
                    return other
            if wait:
                self.world.clock.wait(int(wait[1]))
            corrected = self._corrected(text, call)
            if corrected == call and not look and not wait:
                break
            call, used = corrected, await self.world.use(corrected.tool, corrected.arguments)
        return used

    def _detour(self, text: str, call: Call) -> Call | None:
        """The other tool that the error says to call, in the same project."""
        found = _NEXT.search(text)
        if not found or found[1] not in self.accepted or found[1] == call.tool:
            return None
        given = dict(re.findall(r"(\w+)=([^\s,;:.]+)", found[2]))
        same = {"project_id": call.arguments.get("project_id")} if "project_id" in call.arguments else {}
        return Call(found[1], {**same, **{name: _read(value) for name, value in given.items()}})

    def _corrected(self, text: str, call: Call) -> Call:
        unknown = re.search(r'Unknown tool: .*did you mean "([\w-]+)"', text)
        if unknown:
            return replace(call, tool=unknown[1])
        arguments = dict(call.arguments)
        for fault in re.split(r"\n(?:\(1\) )?| \(\d+\) ", text)[1:]:
            self._mend(fault, arguments, call.tool)
        return self._filled(replace(call, arguments=arguments))

    def _mend(self, fault: str, arguments: JSON, tool: str) -> None:
        """Do to the arguments what one sentence says."""
        name, *others = fault.partition(":")[0].split(", ")
        for other in others:
            # What is said of several at once is that they have no place.
            arguments.pop(other, None)
        like = re.search(r'Did you mean "([^"]+)"\?', fault)
        said = re.findall(r"\b(\w+)=([^\s,;:]*[^\s,;:.])", _OTHER.sub("", fault))
        meant = {key: _read(value) for key, value in said if key in self.accepted[tool]}
        if "no such argument" in fault:
            value = arguments.pop(name, None)
            if like:
                arguments.setdefault(like[1], value)
        elif like:
            _put(arguments, name, like[1])
        elif bound := re.search(r"(?:maximum|minimum) of (\d+)", fault):
            arguments[name] = int(bound[1])
        elif "not accepted" in fault or re.search(r"\b[Ll]eft out\b", fault):
            arguments.pop(name, None)
        elif meant:
            arguments.update(meant)
        else:
            self._reread(fault, arguments, tool)

    def _reread(self, fault: str, arguments: JSON, tool: str) -> None:
        """Look up in the goal what the sentence names."""
        words = set(re.findall(r"\w+", fault)) & self.accepted[tool]
        arguments.update({name: self.task.details[name] for name in words if name in self.task.details})

    def _filled(self, call: Call) -> Call:
        return replace(call, arguments=filled(call.arguments, named(self.task, self.world)))


async def agent(task: Task, world: World, *, weak: bool = True, blind: bool = False) -> Agent:
    """An agent that has listed the tools."""
    accepted = {tool.name: set(tool.input_schema.get("properties", {})) for tool in await world.tools()}
    return Agent(task, world, accepted, weak, blind)


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _put(arguments: JSON, where: str, value: str) -> None:
    """Set a value at `name` or `name[0]`."""
    name, _, index = where.rstrip("]").partition("[")
    if index:
        arguments[name] = [value if n == int(index) else part for n, part in enumerate(arguments[name])]
    else:
        arguments[name] = value
