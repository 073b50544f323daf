"""Completion: in the real shells, where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from core13_mcp.cli.main import main
from core13_mcp.declarations.catalog import load

from ..terminal import at_a_terminal

pytestmark = pytest.mark.usefixtures("home")

BASH = """\
source {script}
COMP_WORDS=(core13-mcp {line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_core13_mcp
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """\
compdef() {{ : }}; _files() {{ : }}
compadd() {{ local word; for word in "${{@[$@[(i)--]+1,-1]}}"; do [[ $word == ${{words[CURRENT]}}* ]] && print -r -- $word; done }}
source {script}
words=(core13-mcp {line}); CURRENT=${{#words}}
_core13_mcp
"""
FISH = """\
source {script}
complete -C 'core13-mcp {typed}' | string replace -r '\\t.*' ''
"""
# zsh adds what it is given by `compadd`, which only works at its prompt: here it prints the words that begin right.
READY = """\
PS1='ready> '; core13-mcp() {{ echo "ran $*."; }}; eval "$(cat {script})"
"""
FISH_READY = """\
function fish_prompt; echo -n 'ready> '; end; function core13-mcp; echo "ran $argv."; end; source {script}
"""
PROMPT = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], READY),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; " + READY),
    "fish": (["fish", "--no-config", "-i"], FISH_READY),
}
SHELLS = {"bash": ["bash", "--norc", "-c"], "zsh": ["zsh", "-f", "-c"], "fish": ["fish", "--no-config", "-c"]}
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@pytest.fixture(params=SHELLS)
def shell(request) -> str:
    """Each shell that there is."""
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param} here")
    return str(request.param)


@pytest.fixture
def script(shell, tmp_path, capsys):
    """The shell's script, in a file."""
    main(["completion", shell])
    path = tmp_path / f"completion.{shell}"
    path.write_text(capsys.readouterr().out)
    return path


@pytest.fixture
def complete(shell, script, home):
    """What a shell offers after some words have been typed."""

    def offered(typed: str) -> list[str]:
        line = typed + ("''" if typed.endswith(" ") or not typed else "")
        ran = subprocess.run(
            [*SHELLS[shell], SCRIPTS[shell].format(script=script, line=line, typed=typed)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"HOME": str(home)},
        )
        assert ran.stderr == ""
        return ran.stdout.split()

    return offered


def test_commands_are_offered(complete):
    assert complete("do") == ["doctor"]
    assert {"serve", "call", "install", "completion"} <= set(complete(""))


def test_tools_are_offered_where_one_is_named(complete):
    names = [name for name in load() if name.startswith("users-")]

    assert sorted(complete("call users-")) == names
    assert sorted(complete("tools users-")) == names


def test_the_arguments_of_a_tool_are_offered_after_it(complete):
    assert complete("call users-list of") == ["offset="]


def test_clients_and_the_values_of_flags_are_offered(complete):
    assert sorted(complete("install claude-")) == ["claude-code", "claude-desktop"]
    assert sorted(complete("install cursor --scope ")) == ["local", "project", "user"]
    assert sorted(complete("call --confirm ")) == ["always", "auto", "never"]


def test_flags_are_offered(complete):
    assert complete("doctor --js") == ["--json"]
    assert complete("sandbox --fa") == ["--faults"]


def test_at_a_prompt_the_tab_key_completes_commands_tools_and_arguments(shell, script, home):
    command, ready = PROMPT[shell]
    turns = [
        ("", ready.format(script=script)),
        ("ready> ", "core13-mcp do\t\n"),
        ("ran doctor.", "core13-mcp call users-li\tlim\t2\n"),
        ("ran call users-list limit=2.", "exit\n"),
    ]

    code, seen = at_a_terminal(command, {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm"}, turns)

    assert "ran call users-list limit=2." in seen
    assert code == 0


def test_every_command_has_help_with_examples_that_name_it(capsys):
    for command in ("serve", "demo", "tools", "call", "sandbox", "install", "uninstall", "doctor", "completion"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert f"core13-mcp {command}" in capsys.readouterr().out.partition("examples:\n")[2]


def test_help_imports_the_standard_library_only():
    script = "import sys, core13_mcp.cli.parser as g; g.program_parser().format_help(); g.command_parsers(); print([m for m in sys.modules if 'site-packages' in (getattr(sys.modules[m], '__file__', '') or '')])"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path += {sys.path!r}; {script}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ran.stdout.strip() == "[]"
