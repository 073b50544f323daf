"""What `install` and `uninstall` share: which files a command line names, and how they are changed one after the other."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence

from ..errors import ConfigurationError
from ..setup.client import ConfigFile
from ..setup.clients import CLIENTS
from ..setup.environment import Environment
from ..setup.installed import Installation, installations
from .terminal import can_prompt, print_json, print_line, prompt_yes_no


def chosen_files(
    arguments: argparse.Namespace, environment: Environment, find_all: Callable[[], Sequence[ConfigFile]]
) -> Sequence[ConfigFile]:
    """Return the files of the named clients, or with `--all` those of `find_all`.

    Raises:
        ConfigurationError: No client is named, or names and `--all`, or a client does not have the scope.
    """
    if bool(arguments.clients) == arguments.all:
        fix = f"Name one or more of {', '.join(CLIENTS)}, or use --all without a name."
        raise ConfigurationError(f"{arguments.command} needs either names of clients or --all", fix)
    if arguments.all:
        return [file for file in find_all() if arguments.scope in (None, file.scope)]
    return [CLIENTS[name].config_file(environment, arguments.scope) for name in dict.fromkeys(arguments.clients)]


def is_confirmed(arguments: argparse.Namespace, files: Sequence[ConfigFile], question: str) -> bool:
    """List the files, and return whether the person agrees to change them. A person who named the clients agrees.

    Raises:
        ConfigurationError: Nobody can be asked.
    """
    if not arguments.all or not files:
        return True
    for file in files:
        print_line(f"  {file.client.title} ({file.scope}): {file.path}", sys.stderr)
    if not arguments.yes and not can_prompt():
        raise ConfigurationError(f"{arguments.command} --all asks before it changes files", "Add --yes to agree.")
    return arguments.yes or prompt_yes_no(question)


async def for_each(files: Sequence[ConfigFile], change: Callable[[ConfigFile], Awaitable[int]]) -> int:
    """Change one file after the other, and return the highest exit status. An error does not end the others."""
    if len(files) == 1:
        return await change(files[0])
    statuses = []
    for file in files:
        try:
            statuses.append(await change(file))
        except ConfigurationError as error:
            print_line(f"{file.client.title}: {error}", sys.stderr)
            statuses.append(2)
    return max(statuses, default=0)


def print_installations(environment: Environment, as_json: bool) -> int:
    """Print where this server is installed. Return 1 if a file cannot be read."""
    existing, problems = installations(environment)
    if as_json:
        print_json({"installations": [installation.as_json() for installation in existing], "problems": problems})
    else:
        for installation in existing:
            _print(installation)
        for problem in problems:
            print_line(problem, sys.stderr)
        if not existing:
            print_line("no client is configured to use this server")
    return 1 if problems else 0


def _print(installation: Installation) -> None:
    file = installation.file
    print_line(f"{file.client.title} ({file.scope}): {installation.name} in {file.path}")
    print_line(f"  runs: {installation.runs}")
    for variable, value in installation.settings.items():
        print_line(f"  with: {variable}={value}")
    for name, place in installation.secrets.items():
        print_line(f"  not shown: {name}, {'in this file' if place == 'file' else f'from {file.client.title}'}")
