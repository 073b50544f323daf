"""Shell completion, in the real shells that are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import core13_mcp
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
# `compadd` of zsh works at its prompt only. Here it prints the matching words.
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
PROMPT_SETUP = """\
PS1='ready> '; core13-mcp() {{ echo "ran $*."; }}; eval "$(cat {script})"
"""
FISH_PROMPT_SETUP = """\
function fish_prompt; echo -n 'ready> '; end; function core13-mcp; echo "ran $argv."; end; source {script}
"""
PROMPTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], PROMPT_SETUP),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; " + PROMPT_SETUP),
    "fish": (["fish", "--no-config", "-i"], FISH_PROMPT_SETUP),
}
SHELLS = {"bash": ["bash", "--norc", "-c"], "zsh": ["zsh", "-f", "-c"], "fish": ["fish", "--no-config", "-c"]}
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@pytest.fixture(params=SHELLS)
def shell(request) -> str:
    """Each installed shell."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def script(shell, tmp_path, capsys):
    """A file with the completion script."""
    main(["completion", shell])
    path = tmp_path / f"completion.{shell}"
    path.write_text(capsys.readouterr().out)
    return path


@pytest.fixture
def complete(shell, script):
    """The words that a shell offers after some typed words."""

    def offer(typed: str) -> list[str]:
        line = typed + ("''" if typed.endswith(" ") else "")
        command = [*SHELLS[shell], SCRIPTS[shell].format(script=script, line=line, typed=typed)]
        process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert process.stderr == ""
        return process.stdout.split()

    return offer


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("do", ["doctor"]),
        ("call users-", [name for name in load() if name.startswith("users-")]),
        ("tools users-l", ["users-list"]),
        ("call users-list of", ["offset="]),
        ("install claude-", ["claude-code", "claude-desktop"]),
        ("install cursor --scope ", ["local", "project", "user"]),
        ("call --confirm ", ["always", "auto", "never"]),
        ("serve --host ", ["eu", "us"]),
        ("sandbox --fa", ["--faults"]),
    ],
)
def test_commands_tools_arguments_flags_and_values_are_completed(complete, typed, words):
    assert sorted(complete(typed)) == words


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_every_shell_contains_every_tool_and_command(shell, capsys):
    main(["completion", shell])
    script = capsys.readouterr().out
    assert not [name for name in (*load(), "doctor", "claude-code", "eu", "outbox") if name not in script]
    assert not re.search("@[A-Z_]+@", script)


def test_at_a_prompt_the_tab_key_completes_commands_tools_and_arguments(shell, script, home):
    command, setup = PROMPTS[shell]
    turns = [
        ("", setup.format(script=script)),
        ("ready> ", "core13-mcp do\t\n"),
        ("ran doctor.", "core13-mcp call users-li\tlim\t2\n"),
        ("ran call users-list limit=2.", "exit\n"),
    ]

    code, output = at_a_terminal(command, {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm"}, turns)

    assert "ran call users-list limit=2." in output
    assert code == 0


def test_the_help_of_every_command_has_examples(capsys):
    for command in ("serve", "demo", "tools", "call", "sandbox", "install", "uninstall", "doctor", "completion"):
        with pytest.raises(SystemExit) as exit:
            main([command, "--help"])
        assert exit.value.code == 0
        assert f"core13-mcp {command}" in capsys.readouterr().out.partition("examples:\n")[2]


def test_help_imports_the_standard_library_only():
    # Without `site`, and with the package and the standard library as the only directories of modules.
    paths = [path for path in sys.path if "site-packages" not in path] + [str(Path(core13_mcp.__file__).parents[1])]
    script = f"import sys; sys.path[:] = {paths!r}; from core13_mcp.cli.main import main; main(['--help'])"
    subprocess.run([sys.executable, "-S", "-c", script], stdout=subprocess.DEVNULL, timeout=60, check=True)
