"""An OpenAPI document is read from a file or a URL, within limits, and each failure names the next step."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from core13_mcp.errors import ConfigurationError
from core13_mcp.openapi import source
from core13_mcp.openapi.source import load_document

from .documents import content

DOCUMENT = json.dumps(content()).encode()


class DocumentServer(ThreadingHTTPServer):
    """Records the requests; `ended` releases those that wait."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ended = threading.Event()
        self.requests: list[tuple[str, dict[str, str]]] = []


class Handler(BaseHTTPRequestHandler):
    """Serves the document at /api/schema/, and failures at other paths."""

    server: DocumentServer

    def do_GET(self) -> None:
        headers: dict[str, str] = {}
        status, body = 200, DOCUMENT
        if self.path.startswith("/moved/"):
            status, headers = 302, {"Location": "https://other.example/schema/?token=secret"}
        elif self.path.startswith("/missing/"):
            status = 404
        elif self.path.startswith("/yaml/"):
            body = b"openapi: 3.0.3\n"
        elif self.path.startswith("/zip/"):
            body, headers = gzip.compress(DOCUMENT), {"Content-Encoding": "gzip"}
        elif self.path.startswith("/silent/"):
            self.server.ended.wait(30)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        self.server.requests.append((self.path, dict(self.headers)))


@pytest.fixture
def server() -> Iterator[DocumentServer]:
    server = DocumentServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    thread.join(10)
    server.server_close()


def url(server: DocumentServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def failure(spec: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        anyio.run(load_document, spec)
    return str(caught.value)


@pytest.mark.parametrize("path", ["/api/schema/?format=json", "/zip/"])
def test_a_document_is_downloaded_without_credentials_and_with_progress(server: DocumentServer, path: str):
    sizes: list[int] = []
    document = anyio.run(load_document, url(server, path), sizes.append)
    assert "big_things_list" in document.operations
    assert sizes[-1] == len(DOCUMENT)
    ((requested, headers),) = server.requests
    assert requested == path
    assert "json" in headers["Accept"] and not headers.keys() & {"Authorization", "Cookie"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/moved/?key=secret", "/moved/ answered with status 302. Use https://other.example/schema/ instead."),
        ("/missing/", "/missing/ answered with status 404. Check the URL, or name a file with --spec."),
        ("/yaml/", "Save https://us.posthog.com/api/schema/?format=json (or that of your host) to a file"),
    ],
)
def test_another_answer_than_a_document_is_an_error(server: DocumentServer, path: str, message: str):
    text = failure(url(server, path))
    assert message in text and "secret" not in text


def test_a_server_that_does_not_answer_is_an_error(server: DocumentServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(source, "TIMEOUT", 0.05)
    assert "/silent/ did not answer completely within" in failure(url(server, "/silent/"))


def test_a_document_that_is_too_large_is_an_error(
    server: DocumentServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(source, "MAX_BYTES", 1000)
    file = tmp_path / "openapi.json"
    file.write_bytes(DOCUMENT)
    for spec in (url(server, "/api/schema/"), str(file)):
        assert "has more than 0 MiB" in failure(spec)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[1]", "is not an OpenAPI 3 document"),
        (b'{"openapi": "2.0", "paths": {}}', "is not an OpenAPI 3 document"),
        (b'{"openapi": "3.1.0", "paths": []}', "is not an OpenAPI 3 document"),
        (b"[" * 200_000, "is nested too deeply"),
        (b"openapi: 3.0.3", "is not JSON"),
        (b"\xff", "is not JSON"),
    ],
)
def test_a_file_that_is_no_document_is_an_error(tmp_path: Path, data: bytes, message: str):
    file = tmp_path / "openapi.json"
    file.write_bytes(data)
    assert message in failure(str(file))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("none.json", "the document none.json cannot be read: No such file or directory"),
        ("http://posthog.example/api/schema/", "is not a URL that can be read. Use https://"),
        ("https://me:secret@posthog.example/", "https://posthog.example/ is not a URL that can be read"),
        ("ftp://posthog.example/", "is not a URL that can be read"),
        ("https://[::1/", "the URL is not a URL that can be read"),
        ("http://127.0.0.1:1/api/schema/", "http://127.0.0.1:1/api/schema/ cannot be read: "),
    ],
)
def test_a_document_that_cannot_be_read_is_an_error_without_secrets(spec: str, message: str):
    text = failure(spec)
    assert message in text and "secret" not in text
