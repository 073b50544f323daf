"""`core13-mcp drift`, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.cli import main as cli
from core13_mcp.declarations.catalog import load
from core13_mcp.settings import OPTIONS

from ..openapi.derived import derived_document

COLOR = {"in": "query", "name": "color", "schema": {"type": "string"}}
TOOL = load()["users-list"]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


@pytest.fixture
def document() -> dict[str, Any]:
    """A document with the shipped tools, and with every difference that all versions of the API have."""
    content = derived_document(load().values())
    paths = content["paths"]
    subscriptions = "/api/projects/{project_id}/subscriptions/"
    listing = paths[subscriptions]["get"]
    listing["parameters"] = [item for item in listing["parameters"] if item["name"] != "deleted"]
    [passwords] = [item["post"] for path, item in paths.items() if path.endswith("/sharing/passwords/")]
    for response in passwords["responses"].values():
        del _schema(response)["properties"]["id"]
    return content


def _schema(node: Any) -> Any:
    return node["content"]["application/json"]["schema"]


def users_list(document: dict[str, Any]) -> Any:
    return document["paths"][TOOL.endpoint.path]["get"]


@pytest.fixture
def drift(tmp_path: Path, document: dict[str, Any], capsys: pytest.CaptureFixture[str]):
    """Compare the tools with the document."""

    def run(*arguments: str) -> tuple[int, str, str]:
        file = tmp_path / "document.json"
        file.write_text(json.dumps(document), "utf-8")
        status = cli.main(["drift", "--spec", str(file), *arguments])
        output = capsys.readouterr()
        return status, output.out.replace(str(tmp_path), ""), output.err

    return run


def test_only_accepted_differences_are_a_success(drift):
    status, out, err = drift()
    # A filter, and a field that one tool needs and shows.
    assert out == f"{len(load())} tools compared with /document.json\n0 breaks, 0 misleads, 0 new, 3 accepted\n"
    assert (status, err) == (0, "")


def test_what_is_new_is_printed_and_a_success(drift, document):
    users_list(document)["parameters"].append(COLOR)
    status, out, _ = drift()
    assert "new       users-list: arguments.color\n          The document has color, but" in out
    assert status == 0


def test_a_difference_that_breaks_calls_comes_first_and_the_status_is_1(drift, document):
    users_list(document)["parameters"].append(COLOR)
    del document["paths"]["/api/users/{uuid}/"]["get"]
    status, out, _ = drift()
    lines = out.splitlines()
    assert lines[1:3] == ["breaks    users-retrieve: operation", lines[2]]
    assert "it has DELETE, PATCH for this path" in lines[2]
    assert lines[3].startswith("new ")
    assert lines[-1] == "1 breaks, 0 misleads, 1 new, 3 accepted"
    assert status == 1


def test_programs_get_every_difference_and_the_reasons_of_the_accepted_ones(drift, document):
    users_list(document)["parameters"].append(COLOR)
    status, out, _ = drift("--json")
    report = json.loads(out)
    assert {key: report[key] for key in ("document", "tools", "breaks", "misleads", "new")} == {
        "document": "/document.json", "tools": len(load()), "breaks": 0, "misleads": 0, "new": 1,
    }  # fmt: skip
    message = "The document has color, but the tool does not offer it."
    assert report["differences"] == [
        {"rank": "new", "tool": "users-list", "difference": "arguments.color", "message": message}
    ]
    accepted = {(row["tool"], row["difference"]): row["reason"] for row in report["accepted"]}
    assert accepted["subscriptions-list", "arguments.deleted"].startswith("The API accepts this filter")
    assert status == 0


def test_declarations_of_a_directory_are_compared_too(drift, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    content = TOOL.model_dump(mode="json", by_alias=True)
    content |= {"name": "people-list", "endpoint": {**content["endpoint"], "path": "/api/people/"}}
    (tools / "people-list.json").write_text(json.dumps(content), "utf-8")
    status, out, _ = drift("--tools-dir", str(tools))
    assert out.startswith(f"{len(load()) + 1} tools compared with")
    assert "breaks    people-list: operation\n          The document does not have GET /api/people/.\n" in out
    assert status == 1


def test_control_characters_of_a_document_are_not_printed(drift, document):
    users_list(document)["parameters"].append({**COLOR, "name": "a\x1b[31m\nb"})
    _, out, _ = drift()
    assert "\x1b" not in out
    assert len(out.splitlines()) == 4


def test_a_document_that_cannot_be_read_is_an_error(drift, tmp_path, capsys):
    assert cli.main(["drift", "--spec", str(tmp_path / "none.json")]) == 2
    assert "none.json cannot be read: No such file" in capsys.readouterr().err


def test_the_sandbox_has_no_document_so_a_file_must_be_named(capsys):
    assert cli.main(["drift", "--sandbox"]) == 2
    assert "the sandbox has no OpenAPI document. Name a file or a URL with --spec." in capsys.readouterr().err


def test_by_default_the_document_of_the_host_is_read(capsys):
    # Nothing listens on this port.
    assert cli.main(["drift", "--host", "http://127.0.0.1:9"]) == 2
    assert "http://127.0.0.1:9/api/schema/ cannot be read" in capsys.readouterr().err


def test_a_terminal_shows_how_much_is_read_and_then_removes_it(drift, monkeypatch, capsys):
    monkeypatch.setattr("core13_mcp.cli.terminal.supports_color", lambda stream: True)
    _, out, err = drift()
    assert "reading the OpenAPI document: 0.0 MB" in err
    assert err.endswith("\r\x1b[2K")
    assert "\x1b" not in out.splitlines()[0]
