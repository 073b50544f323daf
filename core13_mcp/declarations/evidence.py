"""What a response must have for a result to report success."""

from __future__ import annotations

from typing import Any

from .base import Model

_NO_CONTENT = 204


class Evidence(Model):
    """The statuses and the field of a response that shows the effect of a call.

    Attributes:
        status: The statuses that the API uses for success.
        field: A field that the body has then. Without it, the API sends no body.
        row: The field that identifies each row, if the response is a list.
        echo: Whether the body has every property of the body of the request, instead of a certain field.
    """

    status: tuple[int, ...]
    field: str | None = None
    row: str | None = None
    echo: bool = False

    def is_in(self, status: int, value: Any, sent: Any) -> bool:
        """Whether a response with this status and JSON value, or None, shows the effect of a request with a body."""
        if status not in self.status:
            return False
        if status == _NO_CONTENT:
            return value is None
        if self.echo:
            return isinstance(value, dict) and isinstance(sent, dict) and sent.keys() <= value.keys()
        if self.field is None:
            return not value
        return isinstance(value, dict) and value.get(self.field) is not None
