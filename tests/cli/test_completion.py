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


@pytest.mark.parametrize("shell", PROMPTS)
def test_the_script_of_every_shell_contains_every_tool_and_command(shell, capsys):
    main(["completion", shell])
    script = capsys.readouterr().out
    assert not [name for name in (*load(), "doctor", "claude-code", "eu", "outbox") if name not in script]
    assert not re.search("@[A-Z_]+@", script)


@pytest.mark.parametrize("shell", PROMPTS)
def test_at_a_prompt_the_tab_key_completes_commands_tools_arguments_flags_and_values(shell, home, capsys):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    main(["completion", shell])
    script = home / f"completion.{shell}"
    script.write_text(capsys.readouterr().out)
    command, setup = PROMPTS[shell]
    turns = [
        ("", setup.format(script=script)),
        ("ready> ", "core13-mcp do\t\n"),
        ("ran doctor.", "core13-mcp call users-li\tlim\t2\n"),
        ("ran call users-list limit=2.", "core13-mcp install claude-c\t--scope pro\t\n"),
        ("ran install claude-code --scope project.", "core13-mcp serve --host e\t--max-result-ch\t1000\n"),
        ("ran serve --host eu --max-result-chars 1000.", "exit\n"),
    ]

    code, output = at_a_terminal(command, {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm"}, turns)

    assert turns[-1][0] in output
    assert code == 0


def test_the_help_of_every_command_has_examples(capsys):
    for command in (
        "serve",
        "demo",
        "tools",
        "call",
        "sandbox",
        "install",
        "uninstall",
        "doctor",
        "completion",
        "help",
    ):
        with pytest.raises(SystemExit) as exit:
            main([command, "--help"])
        assert exit.value.code == 0
        assert f"core13-mcp {command}" in capsys.readouterr().out.partition("examples:\n")[2]


def test_help_imports_the_standard_library_only():
    # Without `site`, and with the package and the standard library as the only directories of modules.
    paths = [path for path in sys.path if "site-packages" not in path] + [str(Path(core13_mcp.__file__).parents[1])]
    script = f"import sys; sys.path[:] = {paths!r}; from core13_mcp.cli.main import main; main(['--help'])"
    subprocess.run([sys.executable, "-S", "-c", script], stdout=subprocess.DEVNULL, timeout=60, check=True)
