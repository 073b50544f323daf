"""The API of the benchmark: it answers every request at once. It prints its port.

The id in the path sets the size of the response: an id above 1000 is the number of bytes, otherwise it has 2000. The
server is a bare asyncio protocol, so that its own time does not hide that of the MCP servers.
"""

import asyncio
import json
from typing import Any, ClassVar

BODY = {
    "id": 1,
    "dashboard": None,
    "insight": 41,
    "target_type": "email",
    "target_value": "ada@example.com,grace@example.com",
    "frequency": "weekly",
    "interval": 1,
    "byweekday": ["monday", "thursday"],
    "bysetpos": None,
    "count": None,
    "start_date": "2026-01-05T09:00:00Z",
    "until_date": None,
    "created_at": "2026-01-02T10:11:12.131415Z",
    "created_by": {
        "id": 7,
        "uuid": "0190a6e2-7c1e-7d6e-8f3a-000000000007",
        "first_name": "Ada",
        "email": "ada@example.com",
    },
    "deleted": False,
    "enabled": True,
    "title": "Weekly numbers",
    "summary": "sent every week on Monday and Thursday",
    "next_delivery_date": "2026-11-26T09:00:00Z",
    "invite_message": "",
    "summary_enabled": False,
    "summary_prompt_guide": "",
}
DEFAULT_SIZE = 2000


def build_response(size: int) -> bytes:
    """Return an HTTP response whose body has `size` bytes."""
    padding = "n" * (size - len(json.dumps(BODY)))
    body = json.dumps({**BODY, "invite_message": padding}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class API(asyncio.Protocol):
    """One connection. The requests have no bodies."""

    # By size.
    responses: ClassVar[dict[int, bytes]] = {}

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            id_ = head.split(b" ", 2)[1].partition(b"?")[0].rstrip(b"/").rpartition(b"/")[2]
            size = int(id_) if id_.isdigit() and int(id_) > 1000 else DEFAULT_SIZE
            if size not in self.responses:
                self.responses[size] = build_response(size)
            self._transport.write(self.responses[size])


async def main() -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(API, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
