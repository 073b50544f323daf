"""Secrets in every setting and argument, and a search for them in every output."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from ..processes import clean_environment, run_cli
from ..transports.stdio.peer import Peer, message, peer

pytestmark = pytest.mark.anyio

KEY = "phx_planted1aaaaaaaaaaaaaaaaaaaa"
ROTATED_KEY = "phx_planted2bbbbbbbbbbbbbbbbbbbb"
SESSION = "plantedsessioncccccccccccc"
CSRF = "plantedcsrfdddddddddddddd"
PASSWORD = 'planted "quoted"\\ pässword  twice'
GENERATED_PASSWORD = "plantedbytheapieeeeeeeeee"

# The last one is a part of all of them, so that a part of a secret is found too.
SECRETS = (KEY, ROTATED_KEY, SESSION, CSRF, PASSWORD, "planted")

CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("users-retrieve", {}),
    ("users-list", {"detail": "full"}),
    ("users-partial-update", {"password": PASSWORD, "current_password": PASSWORD}),
    ("session-recordings-sharing-passwords-create", {"project_id": 1, "recording_id": "r", "raw_password": PASSWORD}),
    ("session-recordings-sharing-passwords-create", {"project_id": 1, "recording_id": "r"}),
    ("users-credentials-review-complete-create", {}),
)


ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    html.escape,
    lambda text: text.encode().hex(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(f"user:{text}".encode()).decode(),
    lambda text: json.dumps(json.dumps(text)),
)


def decoded(text: str) -> Iterator[str]:
    """Yield a text, and what it contains in other encodings."""
    yield from (text, unquote(text), html.unescape(text), text.replace("\\", ""))
    for digits in re.findall("(?:[0-9a-f]{2}){8,}", text):
        yield bytes.fromhex(digits).decode("latin-1")
    for digits in re.findall("[A-Za-z0-9+/_-]{12,}", text):
        for start in range(4):
            part = digits[start : start + (len(digits) - start) // 4 * 4]
            yield base64.b64decode(part, altchars="-_" if "-" in part or "_" in part else None).decode("latin-1")


def echoes(request: str) -> list[tuple[int, object]]:
    """Return responses that quote a request, with different places at which it is shortened."""
    lengths = range(0, 300, 40)
    errors = [(400, {"code": "invalid", "detail": "x" * length + request, "attr": request}) for length in lengths]
    others: list[tuple[int, object]] = [
        (401, {"detail": request}),
        (403, {"error": request}),
        (409, {"detail": request}),
        (500, {"detail": request}),
        (502, request),
        (429, {"detail": request}),
        (302, request),
        (200, {"uuid": request, "email": request, "id": 1, "password": GENERATED_PASSWORD}),
        (200, {request: request}),
        (200, [request]),
    ]
    encoded = [encode(request) for encode in ENCODINGS]
    return [
        *errors,
        *others,
        *((400, {"detail": f"the request was {text}"}) for text in encoded),
        *((200, {"uuid": "0", "id": 1, "email": text, text: [text]}) for text in encoded),
    ]


class EchoAPI:
    """An API that quotes each request, and `body`, in a different kind of response.

    If `disconnect_every` is not 0, every so many requests get no response.
    """

    def __init__(self, disconnect_every: int = 0) -> None:
        self.body = ""
        self.request_lines: list[str] = []
        self._responses = 0
        self._disconnect_every = disconnect_every

    async def serve(self, stream: SocketStream) -> None:
        lines = BufferedByteReceiveStream(stream)
        async with stream:
            try:
                while True:
                    head = (await lines.receive_until(b"\r\n\r\n", 65536)).decode("latin-1")
                    self.request_lines.append(head.splitlines()[0])
                    if self._disconnect_every and len(self.request_lines) % self._disconnect_every == 0:
                        return
                    await stream.send(self.respond(head))
            except (anyio.IncompleteRead, anyio.BrokenResourceError):
                return

    def respond(self, head: str) -> bytes:
        responses = echoes(head + self.body)
        status, content = responses[self._responses % len(responses)]
        self._responses += 1
        body = content.encode("latin-1", "replace") if isinstance(content, str) else json.dumps(content).encode()
        # The connection is closed, because the body of the request is not read.
        start = f"HTTP/1.1 {status} Echo\r\nX-Echo: {KEY}\r\nConnection: close\r\nLocation: /?{KEY}\r\n"
        return start.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def echo_api(disconnect_every: int = 0) -> AsyncIterator[tuple[EchoAPI, str]]:
    """Run an API that quotes requests, and yield it with its origin."""
    api = EchoAPI(disconnect_every)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, api.serve)
        yield api, f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


def choose_call(api: EchoAPI, number: int) -> tuple[str, dict[str, object]]:
    """Return a call, and let the API quote its password."""
    name, arguments = CALLS[number % len(CALLS)]
    api.body = PASSWORD if PASSWORD in arguments.values() else ""
    return name, arguments


async def receive_until_response(client: Peer, request_id: int) -> str:
    """Return all messages up to the response to a request, as text."""
    messages: list[dict[str, object]] = []
    while not messages or messages[-1].get("id") != request_id:
        messages.append(await client.receive())
    return json.dumps(messages, ensure_ascii=False)


def assert_no_secret(text: str, *, allowed: str = "") -> None:
    """Check that a text has neither a secret nor a part of one, except an allowed one."""
    text = text.replace(allowed, "") if allowed else text
    assert not [secret for secret in SECRETS for form in decoded(text) if secret in form], text


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_output_has_a_secret_if_the_api_quotes_every_request(log_format: str, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    changes: dict[int, Callable[[], object]] = {
        45: lambda: key_file.write_text(ROTATED_KEY),
        88: lambda: key_file.write_text("not a key"),
        89: key_file.unlink,
    }
    async with echo_api() as (api, origin):
        variables = {
            "POSTHOG_HOST": origin,
            "POSTHOG_PERSONAL_API_KEY_FILE": str(key_file),
            "POSTHOG_SESSION_ID": SESSION,
            "POSTHOG_CSRF_TOKEN": CSRF,
            "CORE13_CONFIRM": "never",
            "CORE13_LOG_FORMAT": log_format,
            "CORE13_LOG_LEVEL": "debug",
            "CORE13_TIMEOUT": "0.2",
        }
        async with peer(**variables) as client:
            await client.initialize()
            for number in range(1, 90):
                if number in changes:
                    changes[number]()
                name, arguments = choose_call(api, number)
                await client.send(message("tools/call", number, name=name, arguments=arguments))
                assert_no_secret(await receive_until_response(client, number), allowed=GENERATED_PASSWORD)
            command_line = Path(f"/proc/{client.process.pid}/cmdline")
            assert_no_secret(command_line.read_text() if command_line.exists() else "")
            await client.close()
            status, log = await client.wait()
        assert status == 0 and len(api.request_lines) > 60
        assert_no_secret(log + "".join(api.request_lines))


@pytest.mark.parametrize(
    "variables",
    [
        {"POSTHOG_PERSONAL_API_KEY": KEY + "\u2026"},
        {"POSTHOG_PERSONAL_API_KEY": "phc_" + KEY},
        {"POSTHOG_PERSONAL_API_KEY_FILE": KEY},
        {"POSTHOG_HOST": f"https://{SESSION}:{KEY}@posthog.example"},
        {"POSTHOG_PROJECT_ID": KEY},
        {"POSTHOG_SESSION_ID": SESSION + "; path=/", "POSTHOG_PERSONAL_API_KEY": KEY},
        {"POSTHOG_CSRF_TOKEN": CSRF + "\u00e9", "POSTHOG_PERSONAL_API_KEY": KEY},
        {"CORE13_TIMEOUT": KEY},
        {"CORE13_TOOLS": KEY, "POSTHOG_PERSONAL_API_KEY": KEY},
        {"CORE13_TOOLS_DIR": "/" + KEY, "POSTHOG_PERSONAL_API_KEY": KEY},
        {"CORE13_LOG_LEVEL": KEY},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_the_error_for_an_invalid_setting_has_no_secret(variables: dict[str, str]) -> None:
    done = run_cli("serve", **variables)
    assert done.returncode == 2, done
    assert_no_secret(done.stdout + done.stderr)


# Replaces a function by one that raises an exception with a secret, and makes a call.
CRASH = """
import sys
import core13_mcp.{module} as module
assert hasattr(module, {name!r})
secret = sys.argv.pop()
def crash(*_, **__):
    try:
        raise RuntimeError(secret)
    except RuntimeError as error:
        raise TypeError("while " + secret) from error
module.{name} = crash
from core13_mcp.cli.main import main
sys.exit(main(["call", "users-retrieve", "--sandbox", "--log-level", "debug"]))
"""


@pytest.mark.parametrize(
    "function",
    ["pipeline.execution.bind", "api.client._read", "pipeline.response.parse_json", "compose.engine.make_context"],
)
def test_the_output_of_a_crash_has_no_secret(function: str) -> None:
    module, _, name = function.rpartition(".")
    script = CRASH.format(module=module, name=name)
    done = subprocess.run(
        [sys.executable, "-c", script, PASSWORD],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(),
    )
    assert done.returncode == 70 and "Traceback" not in done.stderr
    assert_no_secret(done.stdout + done.stderr)
