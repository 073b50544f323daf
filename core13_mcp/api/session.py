"""The requests of one call: one time limit, retries, and counters."""

from __future__ import annotations

import math
from dataclasses import replace

import anyio
import httpx2

from .client import APIClient, Deadline, may_be_sent
from .credentials import Credentials
from .exchange import APIRequest, APIResponse, ProgressCallback
from .retry import AttemptOutcome, is_ambiguous

# Share of the time limit that must be left when an attempt starts. The API would apply a request that is sent
# later, but its response would come too late.
MIN_REMAINING = 0.05


class APISession:
    """Sends the requests of one call, within `timeout` seconds for all of them and their retries.

    The time between two requests does not count, because a person may be asked then. The counters are also correct
    after an error or a cancellation.

    Attributes:
        waited: Seconds spent between attempts.
        status: HTTP status of the last response; None if the last request got no response.
        ambiguous: Whether an earlier attempt of the last request may have been applied.
        write_sent: Whether the API may have received a byte of a request that can change something.
    """

    def __init__(
        self,
        client: APIClient,
        credentials: Credentials,
        timeout: float,
        *,
        retry: bool = True,
        on_progress: ProgressCallback | None = None,
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._timeout = timeout
        self._policy = client.retry_policy if retry else replace(client.retry_policy, max_attempts=1)
        self._on_progress = on_progress
        self._elapsed = 0.0
        self.attempts = 0
        self.waited = 0.0
        self.status: int | None = None
        self.ambiguous = False
        self.write_sent = False

    @property
    def remaining(self) -> float:
        """Seconds of the time limit that are left."""
        return self._timeout - self._elapsed

    async def send(self, request: APIRequest) -> APIResponse:
        """Send a request, again if that is safe, and return the last response, whatever its status.

        Raises:
            httpx2.RequestError: There is no readable response.
        """
        self.status, self.ambiguous = None, False
        prepared = self._client.prepare(request, self._credentials)
        started = anyio.current_time()
        end = started + self._timeout - self._elapsed
        deadline = Deadline(end, latest_start=end - self._timeout * MIN_REMAINING)
        try:
            response = await self._send_with_retries(prepared, request.repeatable, deadline)
        finally:
            self.write_sent |= prepared.method != "GET" and may_be_sent(prepared)
            self._elapsed += anyio.current_time() - started
        self.status = response.status
        return response

    async def _send_with_retries(self, request: httpx2.Request, repeatable: bool, deadline: Deadline) -> APIResponse:
        attempt = 0
        while True:
            attempt += 1
            self.attempts += 1
            outcome: AttemptOutcome
            try:
                outcome = await self._client.send_once(request, deadline)
            except httpx2.TransportError as error:
                outcome = error
            delay = self._policy.delay(attempt, outcome, repeatable=repeatable)
            if delay is None or anyio.current_time() + delay >= deadline.end:
                break
            self.ambiguous |= is_ambiguous(outcome)
            reason = f"status {outcome.status}" if isinstance(outcome, APIResponse) else "no response"
            if self._on_progress:
                await self._on_progress(f"{reason}; retrying in {math.ceil(delay)} s")
            self.waited += delay
            await anyio.sleep(delay)
        if isinstance(outcome, httpx2.TransportError):
            raise outcome
        return outcome
