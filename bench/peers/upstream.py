"""The upstream of every server under test: answers each GET at once, with JSON of about the asked size.

`python upstream.py` prints its port. A path that ends in `/NUMBER/` is answered with NUMBER as the id; an id from
1001 on asks for that many bytes. It is a bare protocol, so that what is measured is the servers.
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
SIZE = 2000


def answer(size: int) -> bytes:
    """A whole HTTP response whose body has `size` bytes."""
    short = json.dumps({**BODY, "invite_message": ""}).encode()
    body = json.dumps({**BODY, "invite_message": "n" * (size - len(short))}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Answering(asyncio.Protocol):
    """Answers every request on one connection."""

    ready: ClassVar[dict[int, bytes]] = {}

    def connection_made(self, transport: Any) -> None:
        """Keep the connection."""
        self._transport = transport
        self._pending = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete; none of them has a body."""
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            head, _, self._pending = self._pending.partition(b"\r\n\r\n")
            number = head.split(b" ", 2)[1].partition(b"?")[0].rstrip(b"/").rpartition(b"/")[2]
            size = int(number) if number.isdigit() and int(number) > 1000 else SIZE
            if size not in self.ready:
                self.ready[size] = answer(size)
            self._transport.write(self.ready[size])


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
