"""The sandbox in the process of its client, with connection faults as a socket would show them."""

from __future__ import annotations

import httpx2


class Transport(httpx2.ASGITransport):
    """An ASGITransport that turns a reset into ReadError.

    A whole answer is gathered before it is handed on: what depends on time between bytes needs a real socket.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as reset:
            raise httpx2.ReadError(str(reset), request=request) from reset
