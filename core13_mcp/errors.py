"""What can go wrong, as a tree.

Core13Error
├── ConfigurationError     the server cannot start as it is set up
├── DeclarationError       a file in tools/ is wrong
└── ToolError              one call failed; its text goes to the model
    ├── InvalidArguments   the arguments do not fit the declaration; nothing was sent
    ├── Declined           nobody agreed to it, or nobody could be asked; nothing was sent
    ├── Refused            the API answered 4xx
    ├── Unavailable        the API did not answer or failed, and nothing was changed
    ├── OutcomeUnknown     a write that may or may not have happened
    └── Unreadable         the API answered something that is not its own
"""

from __future__ import annotations

from typing import Any, ClassVar


class Core13Error(Exception):
    """Everything this package raises on purpose."""


class ConfigurationError(Core13Error):
    """The server cannot start as it is set up."""


class DeclarationError(Core13Error):
    """A file in tools/ is wrong."""


class ToolError(Core13Error):
    """One call failed.

    The text is at most four short lines, written for the model that made the call: what failed, why,
    what to change, what to call next. The attributes are the same for a program, and stable.
    """

    code: ClassVar[str] = "failed"

    def __init__(
        self,
        *lines: str,
        code: str | None = None,
        status: int | None = None,
        field: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__("\n".join(line for line in lines if line))
        self.status = status
        self.field = field
        self.retryable = retryable
        self.retry_after = retry_after
        self._code = code or self.code

    @property
    def details(self) -> dict[str, Any]:
        """The machine-readable half: code, retryable, and what else is known of status, field, retry_after (s)."""
        known = {"status": self.status, "field": self.field, "retry_after": self.retry_after}
        return {
            "code": self._code,
            "retryable": self.retryable,
            **{name: value for name, value in known.items() if value is not None},
        }


class InvalidArguments(ToolError):
    """The arguments do not fit the declaration; nothing was sent."""

    code = "invalid_arguments"


class Declined(ToolError):
    """The person said no, or could not be asked; nothing was sent."""

    code = "declined"


class Refused(ToolError):
    """The API understood the request and declined it."""

    code = "refused"


class Unavailable(ToolError):
    """The API did not answer, or failed, and nothing can have been changed."""

    code = "unavailable"


class OutcomeUnknown(ToolError):
    """A write was sent and its answer was lost: it may have happened."""

    code = "outcome_unknown"


class Unreadable(ToolError):
    """The API answered something that is not its own: HTML, broken JSON, a redirect, too much."""

    code = "unreadable"
