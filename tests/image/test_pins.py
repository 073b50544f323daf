"""Everything that is in the image is pinned: the base by digest, the packages by hash."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUNTIME = PROJECT["project"]["dependencies"] + [
    requirement for extra in ("metrics", "otel") for requirement in PROJECT["project"]["optional-dependencies"][extra]
]
FILES = {"requirements.txt": RUNTIME, "requirements-build.txt": PROJECT["build-system"]["requires"]}
PIN = re.compile(r"([a-z0-9-]+)==(\S+)((?: --hash=sha256:[0-9a-f]{64})+)")


def pins(name: str) -> dict[str, str]:
    """Return the version of each package. Every line must be a version with hashes, so without addresses."""
    text = (ROOT / "deploy" / name).read_text("utf-8")
    lines = [line for line in re.sub(r" \\\n *", " ", text).splitlines() if not line.startswith("#")]
    matches = [PIN.fullmatch(line) for line in lines]
    assert None not in matches, lines
    return {match[1]: match[2] for match in matches if match}


@pytest.mark.parametrize("name", FILES)
def test_every_dependency_is_pinned_to_an_allowed_version(name: str) -> None:
    versions = pins(name)
    for text in FILES[name]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(versions[requirement.name]), f"{text}: run scripts/lock.py"


def test_every_stage_of_the_image_starts_from_the_digest() -> None:
    assert re.search(r"^ARG BASE=python:3\.\d+-slim@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE}"}


def test_pip_installs_nothing_without_a_hash_except_from_the_source() -> None:
    commands = re.findall(r"pip [^&\n]*(?:\\\n[^&\n]*)*", DOCKERFILE.partition("\nRUN")[2])
    installs = [command for command in commands if re.search(r" (?:install|wheel|download) ", command)]
    assert len(installs) == 4
    assert all("--require-hashes" in command or "--no-index" in command for command in installs)


def test_the_build_can_read_everything_that_it_copies() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = [source for copy in copies for source in copy.split()]
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    included = [line[1:] for line in lines if line.startswith("!")]
    assert [source for source in sources if not any(fnmatch(source, pattern) for pattern in included)] == []
