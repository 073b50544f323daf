"""The exceptions of this package.

Core13Error
├── ConfigurationError     the configuration is not valid; the server does not start
├── DeclarationError       a file in tools/ is not valid
└── ToolError              a call failed; the model receives the message
    ├── InvalidArguments   the arguments are not valid; nothing was sent
    ├── Declined           confirmation was refused or is not possible; nothing was sent
    ├── Refused            the API returned a 4xx status
    ├── Unavailable        the API is not reachable or failed; nothing was changed
    ├── OutcomeUnknown     a write was sent, and its result is unknown
    └── Unreadable         the API returned an unexpected response
"""

from __future__ import annotations

from typing import Any, ClassVar


class Core13Error(Exception):
    """The base class of all exceptions that this package raises intentionally."""


class ConfigurationError(Core13Error):
    """The configuration is not valid.

    Attributes:
        message: What is wrong and why.
        fix: What to change, as a sentence; may be empty.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}. {fix}" if fix else message)
        self.message = message
        self.fix = fix


class DeclarationError(Core13Error):
    """A file in tools/ is not valid."""


class ToolError(Core13Error):
    """A call failed.

    The message has at most four short lines, written for the model that made the call: what failed, why, what to
    change, what to call next. The attributes contain the same for programs. They are stable.

    Args:
        lines: The lines of the message; empty ones are left out.
        code: The error code, if it is not the one of the class.
        status: The HTTP status of the API.
        field: The argument that is not valid.
        retryable: Whether the same call may succeed later.
        retry_after: Seconds to wait before a retry.
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
        """The error for programs: `code`, `retryable`, and `status`, `field`, `retry_after` (seconds) if set."""
        optional = {"status": self.status, "field": self.field, "retry_after": self.retry_after}
        return {
            "code": self._code,
            "retryable": self.retryable,
            **{name: value for name, value in optional.items() if value is not None},
        }


class InvalidArguments(ToolError):
    """The arguments are not valid. Nothing was sent."""

    code = "invalid_arguments"


class Declined(ToolError):
    """The person declined, or the client cannot ask for confirmation. Nothing was sent."""

    code = "declined"


class Refused(ToolError):
    """The API returned a 4xx status."""

    code = "refused"


class Unavailable(ToolError):
    """The API is not reachable or failed, and nothing was changed."""

    code = "unavailable"


class OutcomeUnknown(ToolError):
    """A write was sent but its result is unknown: it may have been applied."""

    code = "outcome_unknown"


class Unreadable(ToolError):
    """The API returned HTML, invalid JSON, a redirect or a response that is too large."""

    code = "unreadable"
