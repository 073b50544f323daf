"""Whose key the API has accepted lately, so that made-up keys are not taken for callers."""

from __future__ import annotations

from collections import OrderedDict

import anyio

FOR = 3600.0
"""Seconds for which a caller is known after the API last accepted its key."""

AT_MOST = 16_384
"""Callers that are known at the same time; whoever was heard of longest ago is forgotten first."""

STRANGERS = 16
"""All callers who are not known count as so many, however many keys they bring."""

_REFUSED = 401
_SAYS_NOTHING = 429
# The API may turn requests away before it looks at their keys.


def lane(principal: str, known: bool) -> str:
    """With whom a caller takes turns: alone, or in one of the few lanes of strangers, always the same."""
    return principal if known else f"stranger {int(principal, 16) % STRANGERS}"


class Known:
    """The callers whose key the API accepted. Of each there is a hash and a time, and nothing else."""

    def __init__(self) -> None:
        self._heard: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, principal: str) -> bool:
        heard = self._heard.get(principal)
        return heard is not None and anyio.current_time() - heard < FOR

    def heard(self, principal: str, status: int | None) -> None:
        """Note how the API answered a caller; None where it did not."""
        if status == _REFUSED:
            self._heard.pop(principal, None)
        elif status is not None and status < 500 and status != _SAYS_NOTHING:
            self._heard[principal] = anyio.current_time()
            self._heard.move_to_end(principal)
            self._forget()

    def _forget(self) -> None:
        oldest = next(iter(self._heard))
        if len(self._heard) > AT_MOST or oldest not in self:
            del self._heard[oldest]
