"""The requests of one call: one time limit, retries, and counters."""

from __future__ import annotations

import math
from dataclasses import replace

import anyio
import httpx2

from .client import APIClient, Deadline, may_be_sent
from .credentials import Credentials, SignIn
from .exchange import APIRequest, APIResponse, ProgressCallback
from .retry import AttemptOutcome, is_ambiguous

# Share of the time limit that must be left when an attempt starts. The API would apply a request that is sent
# later, but its response would come too late.
MIN_REMAINING = 0.05

UNAUTHORIZED = 401


class APISession:
    """Sends the requests of one call, within `timeout` seconds for all of them and their retries.

    The time between two requests does not count, because a person may be asked then. The counters are also correct
    after an error or a cancellation.

    Attributes:
        credentials: The credentials of the next request. Those of a sign-in change when its access token is renewed.
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
        self.credentials = credentials
        self._timeout = timeout
        self._policy = client.retry_policy if retry else replace(client.retry_policy, max_attempts=1)
        self._on_progress = on_progress
        self._elapsed = 0.0
        self.attempts = 0
        self.waited = 0.0
        self.status: int | None = None
        self.ambiguous = False
        self.write_sent = False
        self._was_rejected = False

    @property
    def remaining(self) -> float:
        """Seconds of the time limit that are left."""
        return self._timeout - self._elapsed

    async def send(self, request: APIRequest) -> APIResponse:
        """Send a request, repeat it if that is safe, and return the last response, whatever its status.

        Raises:
            httpx2.RequestError: There is no readable response.
            ConfigurationError: The client refuses the request, or the person has to sign in again.
        """
        self.status, self.ambiguous = None, False
        started = anyio.current_time()
        end = started + self.remaining
        deadline = Deadline(end, latest_start=end - self._timeout * MIN_REMAINING)
        try:
            response = await self._send_with_valid_token(request, deadline)
        finally:
            self._elapsed += anyio.current_time() - started
        self.status = response.status
        return response

    async def _send_with_valid_token(self, request: APIRequest, deadline: Deadline) -> APIResponse:
        uses_token = request.auth == "key"
        sign_in = self.credentials.sign_in
        if uses_token and sign_in and sign_in.is_due():
            await self._renew(sign_in, deadline, rejected=False)
        response = await self._send(request, deadline)
        sign_in = self.credentials.sign_in
        # The API authenticates before it acts, so a rejected write was not applied.
        if response.status == UNAUTHORIZED and uses_token and sign_in and not self._was_rejected:
            self._was_rejected = True
            await self._renew(sign_in, deadline, rejected=True)
            response = await self._send(request, deadline)
        return response

    async def _renew(self, sign_in: SignIn, deadline: Deadline, *, rejected: bool) -> None:
        self.credentials = await sign_in.renew(deadline.end - anyio.current_time(), rejected=rejected)

    async def _send(self, request: APIRequest, deadline: Deadline) -> APIResponse:
        prepared = self._client.prepare(request, self.credentials)
        try:
            return await self._send_with_retries(prepared, request.repeatable, deadline)
        finally:
            self.write_sent |= prepared.method != "GET" and may_be_sent(prepared)

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
