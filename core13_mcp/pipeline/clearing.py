"""The argument that clears fields of an object, which are sent as null. Pure."""

from __future__ import annotations

from ..declarations.model import Declaration
from ..jsonio import JSON


def cleared_fields(tool: Declaration, arguments: JSON) -> list[str]:
    """Return the fields that a call clears."""
    names = arguments.get(tool.clear) if tool.clear else None
    return [name for name in names if name in tool.clearable] if isinstance(names, list) else []


def clearing_errors(tool: Declaration, arguments: JSON) -> list[str]:
    """Describe each field that a call both sets and clears."""
    both = [name for name in dict.fromkeys(cleared_fields(tool, arguments)) if name in arguments]
    return [f"{name}: the call sets this field and clears it. Leave it out of one of the two." for name in both]


def ignored_nulls(tool: Declaration, arguments: JSON) -> str:
    """Return a sentence about arguments that are null and could be cleared, or an empty string."""
    names = [name for name in tool.clearable if name in arguments and arguments[name] is None]
    names = [name for name in names if name not in cleared_fields(tool, arguments)]
    if not names:
        return ""
    listed = ", ".join(f'"{name}"' for name in names)
    verb, it = ("were", "them") if len(names) > 1 else ("was", "it")
    return f"{', '.join(names)}: null {verb} ignored; to clear {it}, pass {tool.clear}=[{listed}]."
