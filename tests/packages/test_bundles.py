"""The packages before those who take them: the official MCPB tool, the published schemas, and a host that starts one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema.validators import validator_for
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from core13_mcp import sandbox
from core13_mcp.declarations.catalog import load

from ..asgi import listening

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
KINDS = ("mcpb", "mcpb-uvx")
PUBLISHED = {
    "packages/server.json": "server-json.2025-12-11.schema.json",
    "packages/mcpb/manifest.json": "mcpb-manifest-v0.4.schema.json",
    "packages/mcpb-uvx/manifest.json": "mcpb-manifest-v0.3.schema.json",
}
HOST = """\
import { readFileSync } from "node:fs";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";
const [extensionPath, answers] = process.argv.slice(1);
const manifest = JSON.parse(readFileSync(`${extensionPath}/manifest.json`, "utf8"));
const said = { manifest, extensionPath, systemDirs: {}, userConfig: JSON.parse(answers), pathSeparator: "/" };
console.log(JSON.stringify((await getMcpConfigForManifest(said)) ?? null));
"""
READS = [tool.name for tool in load().values() if tool.read_only]


def tool(*words: str | Path) -> str:
    """What a program of the official package prints; it has to succeed."""
    home = Path(os.environ["MCPB"])
    program, *rest = map(str, words)
    command = [program if program == "node" else str(home / "node_modules" / ".bin" / program), *rest]
    ran = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(params=KINDS)
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A bundle as the official tool packs it."""
    tool("mcpb", "pack", ROOT / "packages" / request.param, tmp_path / f"{request.param}.mcpb")
    return tmp_path / f"{request.param}.mcpb"


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_tool_finds_the_manifest_valid(kind):
    assert "Manifest schema validation passes!" in tool("mcpb", "validate", ROOT / "packages" / kind / "manifest.json")


def test_the_official_tool_packs_what_we_pack(packed, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import_module("packages").pack_bundles(tmp_path / "ours")

    (ours,) = [path for path in (tmp_path / "ours").iterdir() if ("-uvx" in path.name) == ("-uvx" in packed.name)]
    assert held(packed) == held(ours)


@pytest.mark.parametrize("path", PUBLISHED)
def test_what_is_published_fits_the_published_schema(path):
    if "SCHEMAS" not in os.environ:
        pytest.skip("SCHEMAS does not name the folder of the published schemas")
    schema = json.loads((Path(os.environ["SCHEMAS"]) / PUBLISHED[path]).read_text("utf-8"))

    validator = validator_for(schema)
    validator.check_schema(schema)
    said = json.loads((ROOT / path).read_text("utf-8"))
    assert [error.message for error in validator(schema).iter_errors(said)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_asks_for_the_key_before_it_starts_anything(kind):
    assert host(ROOT / "packages" / kind, {}) is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "tools"),
    [
        ({}, list(load())),
        ({"project_id": "", "read_only": False}, list(load())),
        ({"project_id": "1", "read_only": True}, READS),
    ],
    ids=["only the key", "empty answers", "all answers"],
)
async def test_a_host_starts_the_bundle_and_calls_a_tool(packed, tmp_path, answers, tools):
    with anyio.fail_after(300):
        async with (
            listening(sandbox.build()) as api,
            started(packed, tmp_path, {"personal_api_key": sandbox.FULL_KEY, "host": api, **answers}) as client,
        ):
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            answer = await client.call_tool("users-retrieve", {})

    assert list(listed) == tools
    assert ("project_id" in listed["subscriptions-list"].input_schema["properties"]) == (not answers.get("project_id"))
    assert answer.structured_content["email"] == "ada@analytical.example"


@asynccontextmanager
async def started(bundle: Path, folder: Path, answers: dict[str, Any]) -> AsyncIterator[Client]:
    """A client of what a host starts, after it has unpacked the bundle and asked the person these things."""
    tool("mcpb", "unpack", bundle, folder / "unpacked")
    config = host(folder / "unpacked", answers)
    own = {name: value for name, value in os.environ.items() if name.startswith("UV_")}
    environ = {**own, "HOME": str(folder), "PATH": os.environ["PATH"], **config["env"]}
    server = StdioServerParameters(command=config["command"], args=config["args"], env=environ)
    async with Client(stdio_client(server, errlog=sys.stderr)) as client:
        yield client


def host(folder: Path, answers: dict[str, Any]) -> Any:
    """What the official package makes of the manifest and the person's answers; None where one is missing."""
    return json.loads(tool("node", "--input-type=module", "-e", HOST, folder, json.dumps(answers)))


def held(bundle: Path) -> dict[str, bytes]:
    """The files in a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
