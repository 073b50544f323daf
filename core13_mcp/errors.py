"""The exceptions of this package."""

from __future__ import annotations

from typing import Any, ClassVar


class Core13Error(Exception):
    """The base class of all exceptions that this package raises intentionally."""


class ConfigurationError(Core13Error):
    """The configuration is not valid. `message` says what is wrong and why, `fix` what to change, as a sentence."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}. {fix}" if fix else message)
        self.message = message
        self.fix = fix


class DeclarationError(Core13Error):
    """A file of declarations is not valid. `problems` has each problem as a text, with the key path if there is one."""

    def __init__(self, file: str, *problems: str) -> None:
        super().__init__(f"{file}: {'; '.join(problem.removesuffix('.') for problem in problems)}")
        self.problems = problems


class ToolError(Core13Error):
    """A call failed.

    The message has at most four short lines, written for the model that made the call: what failed, why, what to
    change, what to call next. Empty lines are left out. `details` contains the same for programs. They are stable.

    Args:
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
        """The error for programs: `code`, `retryable`, and `status`, `field` and `retry_after` if set."""
        details = {"code": self._code, "retryable": self.retryable, "status": self.status, "field": self.field}
        details["retry_after"] = self.retry_after
        return {name: value for name, value in details.items() if value is not None}


class InvalidArguments(ToolError):
    """The arguments are not valid. Nothing was sent."""

    code = "invalid_arguments"


class Declined(ToolError):
    """The call was not confirmed. Nothing was sent."""

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
