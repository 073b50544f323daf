"""Install, install again and uninstall lose no byte of a person's file, whatever the file contains."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core13_mcp.setup import config
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.command import server_command
from core13_mcp.setup.entries import Secret, ServerEntry
from core13_mcp.setup.environment import Environment
from core13_mcp.setup.install import install
from core13_mcp.setup.paths import ParseError
from core13_mcp.setup.uninstall import uninstall

from .test_editing import commented

ENTRY = ServerEntry(
    command=server_command(), variables={"POSTHOG_PROJECT_ID": "7"}, secrets=(Secret(value="phx_given000000"),)
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)
OWN_ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "command": st.sampled_from(["docker", "core13-mcp", "/opt/core13-mcp", ""]) | SCALARS,
        "args": st.lists(st.sampled_from(["serve", "--read-only", "--host", "eu", "run", "-i"]), max_size=3) | SCALARS,
        "env": st.dictionaries(st.sampled_from(["POSTHOG_PERSONAL_API_KEY", "HTTPS_PROXY", "CORE13_SANDBOX"]), TEXT)
        | SCALARS,
        "url": TEXT,
        "headers": st.dictionaries(TEXT, TEXT, max_size=1),
        "disabled": SCALARS,
        "disabledTools": VALUES,
    },
)
SERVERS = st.fixed_dictionaries({}, optional={"files": VALUES, "core13-mcp": OWN_ENTRIES | VALUES}) | VALUES
INPUTS = st.lists(st.fixed_dictionaries({"id": st.sampled_from(["posthog-personal-api-key", "mine"])}), max_size=2)
FILES = st.sampled_from(list(CLIENTS)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.fixed_dictionaries(
            {}, optional={"a": VALUES, CLIENTS[name].servers_key: SERVERS, "inputs": INPUTS, "z": VALUES}
        ),
    )
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """The name of a client, and the text of its file: odd values, comments, line ends, a byte order mark, duplicates."""
    name, content = draw(FILES)
    text_format = CLIENTS[name].format
    if text_format == "toml":
        text = tomlkit.dumps(_without_null(content)) + draw(st.sampled_from(["", "\n# mine", "\n\n# mine\n"]))
    elif text_format in ("json", "yaml"):
        # JSON is YAML too, and so is the form with one member on each line.
        text = json.dumps(
            content, indent=draw(st.sampled_from([None, 1, 2, "\t"]) if text_format == "json" else st.just(2))
        )
    else:
        text = draw(commented(content) | st.sampled_from(["", "// mine", "/* mine */\n", " \n", "{}"]))
    text = text.replace("\r\n", "\n").replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    return name, draw(st.sampled_from(["", "", "\ufeff"])) + text


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value if item is not None] if isinstance(value, list) else value


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
def test_install_twice_and_uninstall_lose_no_byte(file: tuple[str, str]) -> None:
    with TemporaryDirectory() as folder:
        check(Path(folder), *file)


def check(home: Path, name: str, text: str) -> None:
    environment = Environment(platform="linux", home=home, variables={}, cwd=home / "project")
    target = CLIENTS[name].config_file(environment)
    target.path.parent.mkdir(parents=True, exist_ok=True)
    before = text.encode()
    target.path.write_bytes(before)

    try:
        install(target, ENTRY)
    except ParseError as error:
        assert target.path.read_bytes() == before and str(target.path) in str(error)
        assert [path.name for path in target.path.parent.iterdir()] == [target.path.name]
        return
    after = target.path.read_bytes()
    assert not install(target, ENTRY).changed and target.path.read_bytes() == after
    content, old = config.load(target), config.parse(target, text)
    assert _rest(target, content) == _rest(target, old)

    removal = uninstall(target, environment)
    kept = [target.path, *removal.backups]
    assert before in [path.read_bytes() for path in kept if path.exists()]
    assert _rest(target, config.load(target)) == _rest(target, old)


def _rest(file: Any, content: Any) -> Any:
    """The content without the entry, the prompt, and the objects that contain nothing else."""
    rest = json.loads(json.dumps(content))
    servers = rest.get(file.client.servers_key)
    if isinstance(servers, dict):
        servers.pop("core13-mcp", None)
    inputs = [item for item in rest.get("inputs") or [] if item != {} and item.get("type") != "promptString"]
    rest = {**rest, "inputs": inputs}
    return {
        key: value
        for key, value in rest.items()
        if value not in ({}, []) or key not in (file.client.servers_key, "inputs")
    }
