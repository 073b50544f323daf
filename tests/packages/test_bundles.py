"""The packages work with the official MCPB tool, the published schemas and a host.

`scripts/packages-check` runs these tests. MCPB is the folder of the official tool, SCHEMAS, if it is set, the folder of
the published schemas, and WHEEL, if it is set, the wheel that belongs into a bundle.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
from .release import release_files

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[2]
BUNDLES = ("mcpb", "mcpb-uvx")
SCHEMAS = {
    "packages/server.json": "server-json.2025-12-11.schema.json",
    "packages/mcpb/manifest.json": "mcpb-manifest-v0.4.schema.json",
    "packages/mcpb-uvx/manifest.json": "mcpb-manifest-v0.3.schema.json",
}
HOST = """\
import { readFileSync } from "node:fs";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";
const [extensionPath, settings] = process.argv.slice(1);
const manifest = JSON.parse(readFileSync(`${extensionPath}/manifest.json`, "utf8"));
const input = { manifest, extensionPath, systemDirs: {}, userConfig: JSON.parse(settings), pathSeparator: "/" };
console.log(JSON.stringify((await getMcpConfigForManifest(input)) ?? null));
"""
READ_ONLY_TOOLS = [tool.name for tool in load().values() if tool.read_only]


def run_tool(program: str, *arguments: str | Path) -> str:
    """Run a program of the official package and return its output."""
    home = Path(os.environ["MCPB"])
    path = program if program == "node" else str(home / "node_modules" / ".bin" / program)
    command = [path, *map(str, arguments)]
    run = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def host_config(folder: Path, settings: dict[str, Any]) -> Any:
    """The command that a host starts with these settings; None if a required one is missing."""
    return json.loads(run_tool("node", "--input-type=module", "-e", HOST, folder, json.dumps(settings)))


@asynccontextmanager
async def connect(bundle: Path, folder: Path, settings: dict[str, Any]) -> AsyncIterator[Client]:
    """A client of the server that a host starts from a bundle."""
    run_tool("mcpb", "unpack", bundle, folder / "unpacked")
    config = host_config(folder / "unpacked", settings)
    uv = {name: value for name, value in os.environ.items() if name.startswith("UV_")}
    environ = {**uv, "HOME": str(folder), "PATH": os.environ["PATH"], **config["env"]}
    server = StdioServerParameters(command=config["command"], args=config["args"], env=environ)
    async with Client(stdio_client(server, errlog=sys.stderr)) as client:
        yield client


@pytest.fixture(params=BUNDLES)
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A bundle that the official tool has validated and packed."""
    folder, path = tmp_path / "bundle", tmp_path / f"{request.param}.mcpb"
    shutil.copytree(ROOT / "packages" / request.param, folder)
    if wheel := os.environ.get("WHEEL"):
        shutil.copy(wheel, folder)
    run_tool("mcpb", "pack", folder, path)
    return path


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_published_file_is_valid_for_its_schema(path: str) -> None:
    if "SCHEMAS" not in os.environ:
        pytest.skip("SCHEMAS is not set to the folder of the published schemas")
    schema = json.loads((Path(os.environ["SCHEMAS"]) / SCHEMAS[path]).read_text("utf-8"))

    validator = validator_for(schema)
    validator.check_schema(schema)
    content = json.loads(release_files()[path])
    assert [error.message for error in validator(schema).iter_errors(content)] == []


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_host_starts_no_bundle_without_the_key(bundle: str) -> None:
    assert host_config(ROOT / "packages" / bundle, {}) is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("settings", "tools"),
    [
        ({}, list(load())),
        ({"project_id": "", "read_only": False}, list(load())),
        ({"project_id": "1", "read_only": True}, READ_ONLY_TOOLS),
    ],
    ids=["only the key", "empty settings", "all settings"],
)
async def test_a_host_starts_the_bundle_and_calls_a_tool(
    packed: Path, tmp_path: Path, settings: dict[str, Any], tools: list[str]
) -> None:
    with anyio.fail_after(300):
        async with (
            listening(sandbox.build()) as origin,
            connect(packed, tmp_path, {"personal_api_key": sandbox.FULL_KEY, "host": origin, **settings}) as client,
        ):
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            result = await client.call_tool("users-retrieve", {})

    assert list(listed) == tools
    assert ("project_id" in listed["subscriptions-list"].input_schema["properties"]) == (not settings.get("project_id"))
    assert result.structured_content is not None
    assert result.structured_content["email"] == "ada@analytical.example"
