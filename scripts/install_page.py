"""Writes docs/install.md: each client's file before and after, by really running `core13-mcp install` in an empty home.

`python scripts/install_page.py` writes the page; `--check` only says whether it is current, and exits with 1 if not.
"""

from __future__ import annotations

import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from shown import block, run, shown, write_or_compare

from core13_mcp.setup.client import Client
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import KEY, reference
from core13_mcp.setup.environment import Machine
from tests.setup.before import BEFORE
from tests.setup.doctor import broken

PAGE = ROOT / "docs" / "install.md"
URL = "https://mcp.example.com/mcp"
FENCES = {"json": "json", "jsonc": "jsonc", "toml": "toml"}
HEAD = f"""\
# Into a client

`core13-mcp install CLIENT` enters this server into the file where the client keeps its servers:

- What else is in the file stays as it is: other servers, comments, the order, indents and line ends. The file as it
  was is kept beside it, as `NAME.before-core13-mcp`.
- It is replaced at once or not at all. A file that cannot be parsed is left alone, and the line and column are said.
- The command is absolute, because programs with windows do not have your shell's `PATH`. It is this very installation,
  whose version changes only when you change it; `--uvx` runs it with uvx instead, with the version pinned.
- The settings that are given, as flags or as variables, go with it; secrets go only where the table says.

To see what would be written, without a key and without writing anything:

```sh
core13-mcp install cursor --print
core13-mcp install vscode --sandbox --print
```

`core13-mcp doctor` then says whether it works, and if not, why ([doctor.md](doctor.md)).

What follows is written by `scripts/install_page.py`, which ran every command on this page on a home folder of its own,
shown as `/home/you`, with the command shown as `/path/to/core13-mcp`. The variable `{KEY}` was set to
`phx_YOUR_KEY`.
"""
WITHOUT = """\
A key in a file can be read by whoever reads the file, and by every program that you run. A new file gets the mode 600;
of one that others can read, `install` says so. To keep the key out of it, name a file that holds it, or try it in the
sandbox, which needs none:

```sh
umask 077
echo phx_YOUR_KEY > ~/.posthog-key
core13-mcp install claude-desktop --personal-api-key-file ~/.posthog-key
core13-mcp install zed --sandbox
```
"""
SETTINGS = ["--personal-api-key-file", "key", "--read-only", "--tools", "users-*"]


class Home:
    """An empty home folder, where the command is run."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder).resolve()

    def write(self, client: str) -> Path:
        """The client's file as somebody may have it."""
        path, text = BEFORE[client]
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_bytes(text.encode())
        return self.path / path

    def run(self, *words: str, **variables: str) -> str:
        """A session: the command and what it said."""
        ran = run([*words], self.path, **{KEY: "phx_YOUR_KEY", **variables})
        return shown(f"$ core13-mcp {shlex.join(words)}\n{ran.stderr}{ran.stdout}", self.path)

    def file(self, client: Client, path: Path) -> str:
        """A file, as a block."""
        return block(FENCES[client.format], shown(path.read_bytes().decode().replace("\r\n", "\n"), self.path))


def keys() -> str:
    """Where the key goes, and why there."""
    rows = "".join(f"| {client.title} | {_key(client)} |\n" for client in CLIENTS.values())
    return f"## Where the key goes, and why\n\n| client | the key |\n|---|---|\n{rows}\n{WITHOUT}"


def _key(client: Client) -> str:
    if client.prompts:
        return f"`{reference(client)}`: it asks once, and keeps the answer in the system's key store"
    if client.format == "toml":
        return f"`env_vars` names the variable: {client.title} passes on nothing of its own that is not named"
    if client.reference:
        return f"`{reference(client)}`: the variable stays where it is, and must be set where {client.title} is started"
    return f"in the file itself, because {client.title} expands no variables in it; asked without echo"


def places() -> str:
    """The files, by client, scope and system."""
    systems = ("linux", "darwin", "win32")
    lines = []
    for client in CLIENTS.values():
        for scope in client.files:
            paths = dict.fromkeys(str(client.file(_machine(system), scope)) for system in systems)
            lines.append(f"| {client.title} | `{scope}` | {', '.join(f'`{path}`' for path in paths)} |\n")
    head = "## The files\n\nWhere Linux, macOS and Windows differ, in this order; the first scope is the default.\n\n"
    return head + "| client | scope | file |\n|---|---|---|\n" + "".join(lines)


def _machine(system: str) -> Machine:
    return Machine(platform=system, home=Path("~"), environ={"APPDATA": "%APPDATA%"}, here=Path("."))


def section(client: Client) -> str:
    """One client: before, what was said, after; and that taking it out gives every byte back."""
    with TemporaryDirectory() as folder:
        home = Home(folder)
        path = home.write(client.name)
        before, text = home.file(client, path), path.read_bytes()
        said = block("text", home.run("install", client.name))
        after = home.file(client, path)
        home.run("uninstall", client.name)
        if path.read_bytes() != text:
            raise SystemExit(f"{client.name}: uninstall did not give back what was there")
    return f"## {client.title}\n\nBefore:\n\n{before}\n{said}\nAfter:\n\n{after}"


def options() -> str:
    """What else can be asked of it."""
    with TemporaryDirectory() as folder:
        home = Home(folder)
        return "\n".join((settings(home), pinned(home), scopes(home), elsewhere(home), out(home)))


def settings(home: Home) -> str:
    """Settings as flags."""
    said = block("text", home.run("install", "zed", *SETTINGS))
    held = home.file(CLIENTS["zed"], home.path / BEFORE["zed"][0])
    title = "## With settings, and the key in a file of its own"
    return f"{title}\n\n{said}\nThe file, of which nothing was there before:\n\n{held}"


def pinned(home: Home) -> str:
    """With uvx, which is on the PATH for this."""
    broken.uvx(home.path)
    said = home.run("install", "cursor", "--uvx", "--print", PATH=str(home.path))
    return (
        "## With uvx\n\n"
        "Where `core13-mcp` itself was started with uvx, or with `--uvx`, the command is uvx with this version pinned: what\n"
        f"runs changes only when `install` is run again. Here uvx is in the home folder:\n\n{block('text', said)}"
    )


def scopes(home: Home) -> str:
    """Another file than the user's, and a client that has none."""
    asked = (("claude-code", "project"), ("claude-code", "local"), ("windsurf", "project"))
    said = "".join(home.run("install", client, "--scope", scope) for client, scope in asked)
    return (
        "## For one folder\n\n"
        "`--scope project` writes the file that a project shares; `local`, which only Claude Code has, is this folder in a\n"
        f"file of yours. A scope that a client has not is refused:\n\n{block('text', said)}"
    )


def elsewhere(home: Home) -> str:
    """A URL instead of a command."""
    refused = block("text", home.run("install", "claude-desktop", "--remote", URL))
    able = [client for client in CLIENTS.values() if client.url is not None]
    return (
        "## A server that runs elsewhere\n\n"
        "`--remote URL` enters a server that somebody runs for several people ([team.md](team.md)), instead of a command;\n"
        f"here with `--print`. Claude Desktop keeps such servers outside its file:\n\n{refused}\n"
        + "\n".join(f"{client.title}:\n\n{_printed(home, client)}" for client in able)
    )


def out(home: Home) -> str:
    """Taking it out, and out again."""
    home.write("cursor")
    home.run("install", "cursor")
    said = home.run("uninstall", "cursor") + home.run("uninstall", "cursor")
    return (
        "## Take it out again\n\n"
        "`uninstall` takes out what `install` put there, and the copy beside it. For each of the files above it gave back\n"
        f"every byte.\n\n{block('text', said)}"
    )


def _printed(home: Home, client: Client) -> str:
    said = home.run("install", client.name, "--remote", URL, "--print")
    return block(FENCES[client.format], said.split("\n", 2)[2])


def page() -> str:
    """The whole page."""
    with ThreadPoolExecutor(4) as pool:
        sections = list(pool.map(section, CLIENTS.values()))
    return "\n".join((HEAD, keys(), places(), *sections, options()))


if __name__ == "__main__":
    sys.exit(write_or_compare(PAGE, page))
