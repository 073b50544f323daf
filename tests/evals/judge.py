"""Whether a task is done: by what the tools answered, what the API holds, and what was sent. Knows no agent."""

from __future__ import annotations

import re
from typing import Any

from .eval_world import World
from .tasks import Step, Task


async def faults(task: Task, world: World) -> list[str]:
    """Everything that is not as it must be; nothing where the task is done."""
    results = named(task, world)
    wrong = [f"{step.tool} did not end as it should" for step in task.calls if not _ended(step, world)]
    for after in task.after:
        path = str(filled(after.get, results))
        found = await world.get(path)
        if not holds(found, after.has):
            wrong.append(f"{path} is not as it should be")
    sent = await world.outbox()
    if len(sent) != len(task.outbox) or not all(map(holds, sent, task.outbox)):
        wrong.append(f"{len(sent)} messages were sent, not the {len(task.outbox)} that should")
    return wrong


def named(task: Task, world: World) -> dict[str, Any]:
    """The last good result of each step that has a name."""
    last = {used.tool: used.value for used in world.log if not used.failed}
    return {step.name: last.get(step.tool) for step in task.calls if step.name}


def holds(found: Any, wanted: Any) -> bool:
    """Whether a value has at least what is wanted: more keys are fine, other items of a list are not."""
    match wanted:
        case dict():
            return isinstance(found, dict) and all(
                name in found and holds(found[name], wanted[name]) for name in wanted
            )
        case list():
            return isinstance(found, list) and len(found) == len(wanted) and all(map(holds, found, wanted))
        case _:
            return bool(found == wanted)


def filled(value: Any, results: dict[str, Any]) -> Any:
    """The value with `{name.path}` replaced; a text that is nothing else becomes the value itself, of any type."""
    match value:
        case str():
            whole = re.fullmatch(r"\{([\w.]+)\}", value)
            if whole:
                return _at(results, whole[1])
            return re.sub(r"\{([\w.]+)\}", lambda found: str(_at(results, found[1])), value)
        case dict():
            return {name: filled(part, results) for name, part in value.items()}
        case list():
            return [filled(part, results) for part in value]
        case _:
            return value


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        try:
            value = value[int(step)] if isinstance(value, list) else value.get(step)
        except (AttributeError, IndexError):
            return None
    return value


def _ended(step: Step, world: World) -> bool:
    uses = [used for used in world.log if used.tool == step.tool]
    if step.refused:
        return any(used.failed and step.refused in used.text for used in uses)
    return step.has is None or any(holds(used.value, step.has) for used in uses)
