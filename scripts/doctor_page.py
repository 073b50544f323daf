"""Writes docs/doctor.md: what `core13-mcp doctor` really says of set-ups in which something is wrong.

`python scripts/doctor_page.py` writes the page; `--check` only says whether it is current, and exits with 1 if not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from shown import block, run, shown, write_or_compare

from core13_mcp.sandbox import CSRF_TOKEN, FULL_KEY, OTHER_PROJECT_KEY, PUBLIC_KEY, READ_ONLY_KEY, SESSION_ID
from tests.setup.doctor import broken
from tests.setup.doctor.broken import ENTRY, KEY

PAGE = ROOT / "docs" / "doctor.md"
GOOD = (broken.CURSOR, {"mcpServers": {"core13-mcp": ENTRY}})
SESSION = {"POSTHOG_SESSION_ID": SESSION_ID, "POSTHOG_CSRF_TOKEN": CSRF_TOKEN}
HEAD = """\
# What doctor says

`core13-mcp doctor` looks at everything that a set-up needs, a line for each: the variables, the key, the way to the API,
whose key it is, which projects and scopes it has, the login session, and every client's file, with the very command in
it tried. It only reads, never shows a secret, and goes on after what is wrong. Begin here when something does not work:

```sh
core13-mcp doctor --sandbox
```

- `ok`: it works. `note`: it works, but not all of it, or not as one may think. `wrong`: it does not work.
- After `->` stands what to do about it.
- The exit status is 1 if anything is wrong, else 0. `--json` says the same for a program.

What follows is written by `scripts/doctor_page.py`, which made each of these set-ups and ran the command in it. The API
is a sandbox on a port of this machine, named by `POSTHOG_HOST`; a login session is set, and where no file is shown
Cursor is set up as in the first. The home folder is shown as `/home/you`; after the first set-up, `...` stands for
lines that are as they were there.
"""


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """One set-up; {proxy} in its variables is a proxy at the API's address. `file` is a client's."""

    title: str
    api: Callable[[Path], AbstractContextManager[str]] = lambda _: broken.api()
    key: str = FULL_KEY
    variables: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    file: tuple[str, Any] | None = GOOD
    mode: int = 0o600


WELL = SetUp(title="Nothing is wrong")
PINNED = {**ENTRY, "command": "~/uvx", "args": ["core13-mcp@0.0.1", "serve"]}
NOBODY = "phx_sandboxNobody000000000000000000000000000000"
HIDDEN = {"HTTPS_PROXY": "{proxy}", "POSTHOG_HOST": "https://eu.posthog.com"}
SET_UPS = (
    SetUp(title="Nothing is set up yet", key="", file=None),
    SetUp(title="There is no key", key=""),
    SetUp(title="The key is of the wrong kind", key=PUBLIC_KEY),
    SetUp(title="The key is refused", key=NOBODY),
    SetUp(title="The key lacks a scope", key=READ_ONLY_KEY, api=lambda home: broken.with_scopes(home, "user:read")),
    SetUp(title="The key may not enter the project", key=OTHER_PROJECT_KEY, words=("--project-id", "1")),
    SetUp(title="The login session has ended", variables={"POSTHOG_SESSION_ID": "ended" + "0" * 27}),
    SetUp(title="The host only takes events in", variables={"POSTHOG_HOST": "https://us.i.posthog.com"}),
    SetUp(title="Nobody listens at the host", api=lambda _: broken.nobody()),
    SetUp(title="The proxy is not there", api=lambda _: broken.nobody(), variables=HIDDEN),
    SetUp(title="The certificate is not trusted", api=lambda _: broken.untrusted()),
    SetUp(title="Something else answers", api=lambda _: broken.api("html; times=99")),
    SetUp(title="Variables are wrong", variables={"CORE13_READONLY": "1", "CORE13_TIMEOUT": "soon"}),
    *(SetUp(title=title, file=(path, held)) for title, (_, path, held) in broken.FILES.items()),
    SetUp(title="Another version is pinned", file=(broken.CURSOR, {"mcpServers": {"core13-mcp": PINNED}})),
    SetUp(
        title="Others can read the key",
        file=(broken.ZED, {"context_servers": {"core13-mcp": {**ENTRY, "env": {KEY: FULL_KEY}}}}),
        mode=0o644,
    ),
)


class Run:
    """One run of the command in a set-up, in a home folder of its own."""

    def __init__(self, set_up: SetUp, home: Path, at: str) -> None:
        self.home, self.at, self.file = home, at, set_up.file
        broken.uvx(home)
        if set_up.file:
            written = broken.write(home, *set_up.file)
            written.chmod(set_up.mode)
            written.write_text(written.read_text("utf-8").replace("~/", f"{home}/"))
        given = {KEY: set_up.key, **set_up.variables}
        proxy = at.replace("//", "//me:secret@")
        self.given = {name: value.format(proxy=proxy) for name, value in given.items() if value}

    def doctor(self, *words: str) -> str:
        """The command, what it said, and its exit status."""
        ran = run(["doctor", *words], self.home, **{"POSTHOG_HOST": self.at, **SESSION, **self.given})
        typed = " ".join([*map(spoken, self.given.items()), "core13-mcp doctor", *words])
        return self.shown(f"$ {typed}\n{ran.stderr}{ran.stdout}$ echo $?\n{ran.returncode}")

    def held(self) -> str:
        """The client's file, as a block; nothing where the fault is elsewhere."""
        if self.file is None:
            return ""
        path = self.home / self.file[0]
        language = "json" if path.suffix == ".json" and isinstance(self.file[1], dict) else "text"
        return f"In `~/{self.file[0]}`:\n\n{block(language, self.shown(path.read_text('utf-8')))}\n"

    def shown(self, text: str) -> str:
        """Without what is of this run only."""
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8013", shown(text, self.home).replace(FULL_KEY, "phx_..."))
        return re.sub(r"Python [\d.]+\S*, \w+", "Python 3.x.y, Linux", text)


def spoken(given: tuple[str, str]) -> str:
    """A variable as one types it, without the rest of a secret."""
    name, value = given
    if name == KEY:
        return f"{name}={value[:4]}..."
    return f"{name}=..." if name in SESSION else f"{name}={value}"


def said(set_up: SetUp, *words: str) -> tuple[str, str]:
    """What is in the client's file, and what is said of the set-up."""
    with TemporaryDirectory() as folder, set_up.api(Path(folder)) as at:
        made = Run(set_up, Path(folder).resolve(), at)
        return made.held(), made.doctor(*set_up.words, *words)


def shortened(text: str, known: set[str]) -> str:
    """With `...` for lines that are known."""
    kept = ["..." if line in known else line for line in text.splitlines()]
    return "\n".join(line for line, before in zip(kept, ["", *kept], strict=False) if (line, before) != ("...", "..."))


def page() -> str:
    """The whole page."""
    held, well = said(WELL)
    known = {line for line in well.splitlines() if line.startswith(("ok ", "note "))}
    sections = [f"## {WELL.title}\n\n{held}{block('text', well)}"]
    with ThreadPoolExecutor(4) as pool:
        for set_up, (held, text) in zip(SET_UPS, pool.map(said, SET_UPS), strict=True):
            shown_file = "" if set_up.file is GOOD else held
            sections.append(f"## {set_up.title}\n\n{shown_file}{block('text', shortened(text, known))}")
    _, told = said(SetUp(title="", key=""), "--json")
    return "\n".join((HEAD, *sections, f"## For a program\n\n{block('text', told)}"))


if __name__ == "__main__":
    sys.exit(write_or_compare(PAGE, page))
