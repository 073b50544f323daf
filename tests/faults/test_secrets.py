"""Secrets planted everywhere, and everything that comes out searched for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from ..processes import CLI, clean_environment
from ..transports.stdio.peer import Peer, message, peer

pytestmark = pytest.mark.anyio

KEY = "phx_planted1aaaaaaaaaaaaaaaaaaaa"
ROTATED = "phx_planted2bbbbbbbbbbbbbbbbbbbb"
SESSION = "plantedsessioncccccccccccc"
CSRF = "plantedcsrfdddddddddddddd"
PASSWORD = 'planted "quoted"\\ pässword  twice'
MADE = "plantedbytheapieeeeeeeeee"
SECRETS = (KEY, ROTATED, SESSION, CSRF, PASSWORD, "planted")
"""The last is a part of all of them, so that not even a piece may come out."""

Answer = tuple[int, object]


def quoting(request: str) -> list[Answer]:
    """Answers that quote a request, cut at every length at which a piece of a secret could be left."""
    errors = [
        (400, {"code": "invalid", "detail": "x" * length + request, "attr": request}) for length in range(0, 300, 40)
    ]
    by_hand: list[Answer] = [
        (401, {"detail": request}),
        (403, {"error": request}),
        (409, {"detail": request}),
        (500, {"detail": request}),
        (502, request),
    ]
    results = [{"uuid": request, "email": request, "id": 1, "password": MADE}, {request: request}, [request]]
    return [*errors, *by_hand, (429, {"detail": request}), (302, request), *((200, result) for result in results)]


class Echo:
    """An API that says back whatever it is told, in every kind of answer in turn, or hangs up every so often."""

    def __init__(self, hangs_up: int = 0) -> None:
        self.hangs_up = hangs_up
        self.lines: list[str] = []
        self.count = 0
        self.told = ""

    async def serve(self, stream: SocketStream) -> None:
        lines = BufferedByteReceiveStream(stream)
        async with stream:
            try:
                while True:
                    answer = self.answer((await lines.receive_until(b"\r\n\r\n", 65536)).decode("latin-1"))
                    if self.hangs_up and self.count % self.hangs_up == 0:
                        return
                    await stream.send(answer)
            except (anyio.IncompleteRead, anyio.BrokenResourceError):
                return

    def answer(self, head: str) -> bytes:
        self.lines.append(head.splitlines()[0])
        answers = quoting(head + self.told)
        status, said = answers[self.count % len(answers)]
        self.count += 1
        body = said.encode("latin-1", "replace") if isinstance(said, str) else json.dumps(said).encode()
        # Closed, because the body of the request is never read.
        start = f"HTTP/1.1 {status} Echo\r\nX-Echo: {KEY}\r\nConnection: close\r\nLocation: /?{KEY}\r\n"
        return start.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def echo(hangs_up: int = 0) -> AsyncIterator[tuple[Echo, str]]:
    api = Echo(hangs_up)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, api.serve)
        yield api, f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("users-retrieve", {}),
    ("users-list", {"detail": "full"}),
    ("users-partial-update", {"password": PASSWORD, "current_password": PASSWORD}),
    ("session-recordings-sharing-passwords-create", {"project_id": 1, "recording_id": "r", "raw_password": PASSWORD}),
    ("session-recordings-sharing-passwords-create", {"project_id": 1, "recording_id": "r"}),
    ("users-credentials-review-complete-create", {}),
)


async def said(client: Peer, number: int) -> str:
    """Everything that a client hears up to the answer to its call."""
    heard: list[dict[str, object]] = []
    while not heard or heard[-1].get("id") != number:
        heard.append(await client.receive())
    return json.dumps(heard, ensure_ascii=False)


def clear(text: str, *but: str) -> None:
    """No secret, and no piece of one, but where the caller is meant to have it."""
    for allowed in but:
        text = text.replace(allowed, "")
    assert not [secret for secret in SECRETS if secret in text], text


@pytest.mark.parametrize("form", ["text", "json"])
async def test_no_secret_comes_out_whatever_the_api_says_back(form: str, tmp_path: Path) -> None:
    held = tmp_path / "key"
    held.write_text(KEY)
    async with echo() as (api, origin):
        env = {"POSTHOG_PERSONAL_API_KEY_FILE": str(held), "POSTHOG_SESSION_ID": SESSION, "POSTHOG_CSRF_TOKEN": CSRF}
        env |= {
            "CORE13_LOG_LEVEL": "debug",
            "CORE13_LOG_FORMAT": form,
            "CORE13_CONFIRM": "never",
            "POSTHOG_HOST": origin,
        }
        async with peer(CORE13_TIMEOUT="0.2", **env) as client:
            await client.initialize()
            for number in range(1, 90):
                if number == 45:
                    held.write_text(ROTATED)
                if number == 88:
                    held.write_text("not a key")
                if number == 89:
                    held.unlink()
                name, arguments = CALLS[number % len(CALLS)]
                api.told = PASSWORD if PASSWORD in arguments.values() else ""
                await client.send(message("tools/call", number, name=name, arguments=arguments))
                clear(await said(client, number), MADE)
            arguments_of = Path(f"/proc/{client.process.pid}/cmdline")
            clear(arguments_of.read_text() if arguments_of.exists() else "")
            await client.close()
            status, log = await client.wait()
        assert status == 0 and api.count > 60
        clear(log)
        clear("".join(api.lines))


@pytest.mark.parametrize(
    "over",
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
)
@pytest.mark.parametrize("words", [["call", "users-retrieve"], ["serve"]])
def test_a_wrong_setting_is_told_without_a_secret(over: dict[str, str], words: list[str]) -> None:
    done = subprocess.run(
        [*CLI, *words], check=False, input="", capture_output=True, text=True, timeout=60, env=clean_environment(**over)
    )
    assert done.returncode == 2, done
    clear(done.stdout + done.stderr)


CRASH = """
import sys
import core13_mcp.{module} as module
def crash(*_, **__):
    secret = sys.argv.pop()
    try:
        raise ValueError(secret)
    except ValueError as error:
        raise RuntimeError("while " + secret) from error
module.{name} = crash
from core13_mcp.cli.main import main
sys.argv = ["core13-mcp", "call", "users-retrieve", "--log-level", "debug"]
sys.argv.append({secret!r})
sys.exit(main(sys.argv[1:-1]))
"""


@pytest.mark.parametrize(
    "place",
    [
        "pipeline.bind.quote",
        "api.client.send_with_retries",
        "api.client._read",
        "pipeline.response.strip_invisible",
        "settings.parse_origin",
    ],
)
def test_a_crash_anywhere_is_told_without_its_words(place: str) -> None:
    module, _, name = place.rpartition(".")
    env = clean_environment(POSTHOG_PERSONAL_API_KEY=KEY, POSTHOG_HOST="http://127.0.0.1:9")
    script = CRASH.format(module=module, name=name, secret=PASSWORD)
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **env},
    )
    assert done.returncode != 0 and "Traceback" not in done.stderr
    clear(done.stdout + done.stderr)
