"""The expected outcome of a call in the demo."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...jsonio import JSON


class DemoError(Exception):
    """A call did not have the expected outcome."""


@dataclass(frozen=True, slots=True)
class Expect:
    """The expected outcome of a call.

    Attributes:
        values: Fields of the result, or details of the error.
        confirmed: Whether the server asks for a confirmation.
        error: The error code, empty for success.
        contains: Strings that the text of the error contains.
    """

    values: JSON = field(default_factory=dict)
    confirmed: bool = False
    error: str = ""
    contains: tuple[str, ...] = ()

    def check(self, result: JSON, *, failed: bool, confirmations: int) -> None:
        """Compare an outcome with this one.

        Raises:
            DemoError: They differ.
        """
        if failed != bool(self.error):
            raise DemoError(f"the call {'failed' if failed else 'succeeded'}: {result.get('text', result)}")
        if confirmations != self.confirmed:
            raise DemoError(f"{confirmations} confirmation prompts, expected {int(self.confirmed)}")
        expected = {**self.values, "code": self.error} if self.error else self.values
        for name, value in expected.items():
            if result.get(name) != value:
                raise DemoError(f"{name} is {result.get(name)!r}, expected {value!r}")
        for text in self.contains:
            if text not in result["text"]:
                raise DemoError(f"the error does not contain {text!r}: {result['text']}")
