"""Check whether a task is done, by the results of the tools, the data in the API and the messages that were sent."""

from __future__ import annotations

import re
from typing import Any

from .environment import Environment
from .tasks import Step, Task


async def find_problems(task: Task, environment: Environment) -> list[str]:
    """Everything that differs from the task's goal. Empty if the task is done."""
    results = named_results(task, environment)
    problems = [f"{step.tool} did not end as expected" for step in task.calls if not _succeeded(step, environment)]
    for after in task.after:
        path = str(fill(after.get, results))
        if not contains(await environment.get(path), after.has):
            problems.append(f"{path} has other data than expected")
    messages = await environment.outbox()
    if len(messages) != len(task.outbox) or not all(map(contains, messages, task.outbox)):
        problems.append(f"{len(messages)} messages were sent, {len(task.outbox)} are expected")
    return problems


def named_results(task: Task, environment: Environment) -> dict[str, Any]:
    """The last successful result of each step that has a name."""
    values = {call.tool: call.value for call in environment.calls if not call.failed}
    return {step.name: values.get(step.tool) for step in task.calls if step.name}


def contains(value: Any, expected: Any) -> bool:
    """Whether a value has all expected content. Objects may have more keys; lists have the same length."""
    match expected:
        case dict():
            return isinstance(value, dict) and all(
                name in value and contains(value[name], expected[name]) for name in expected
            )
        case list():
            return isinstance(value, list) and len(value) == len(expected) and all(map(contains, value, expected))
        case _:
            return bool(value == expected)


def fill(value: Any, results: dict[str, Any]) -> Any:
    """Replace `{name.path}` in a value. A text that is only a placeholder becomes the value itself, of any type."""
    match value:
        case str():
            placeholder = re.fullmatch(r"\{([\w.]+)\}", value)
            if placeholder:
                return _get_path(results, placeholder[1])
            return re.sub(r"\{([\w.]+)\}", lambda match: str(_get_path(results, match[1])), value)
        case dict():
            return {name: fill(part, results) for name, part in value.items()}
        case list():
            return [fill(part, results) for part in value]
        case _:
            return value


def _get_path(value: Any, path: str) -> Any:
    for key in path.split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value.get(key)
        except (AttributeError, IndexError):
            return None
    return value


def _succeeded(step: Step, environment: Environment) -> bool:
    calls = [call for call in environment.calls if call.tool == step.tool]
    if step.refused:
        return any(call.failed and step.refused in call.text for call in calls)
    return step.has is None or any(contains(call.value, step.has) for call in calls)
