"""Checks of every client: its files, a handshake with each server in them, and the key that the server gets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ...errors import ConfigurationError
from ...identity import NAME, VERSION
from ...keys import SecretStr
from ...origins import REGIONS
from ...settings import OPTIONS, Settings
from ..clients import CLIENTS
from ..command import server_command
from ..entries import KEY
from ..environment import Environment
from ..installed import config_files
from .entries import Entry, find_entries
from .entry_checks import check_entry
from .finding import Finding, from_error
from .handshake import Launch, handshake
from .passed_on import PLACEHOLDER_KEY, process_environment, request_headers
from .project import own_command, skipped, skipped_host
from .remote import SignInRequired, remote_handshake
from .variables import unused_credentials

AccountCheck = Callable[[Settings], Awaitable[list[Finding]]]
"""Checks with cheap requests which account and project the credentials of these settings reach."""


class ClientCheck:
    """The checks of the files of all clients.

    Of the servers in files of the project, only this installation is started, unless `run_project_commands` is set.

    Args:
        settings: The settings of this shell. `timeout` applies to each server.
    """

    def __init__(
        self, environment: Environment, settings: Settings, check_account: AccountCheck, run_project_commands: bool
    ) -> None:
        self._environment = environment
        self._timeout = settings.timeout
        self._hosts = {*REGIONS.values(), settings.host}
        self._check_account = check_account
        self._trusts_project = run_project_commands

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield the findings about each client. If none has this server, check the command of `install`."""
        environment, reported = self._environment, set[Finding]()
        for file in config_files(environment):
            entries, findings = find_entries(file)
            for entry in entries:
                findings += await self._check_entry(entry)
            for finding in findings:
                # Two scopes can share a file; a problem of the whole file is reported once.
                if finding not in reported:
                    yield finding
                reported.add(finding)
        if not reported:
            fix = f"{NAME} install CLIENT adds it; clients: " + ", ".join(CLIENTS)
            yield Finding("clients", "note", "no client is configured to use this server", fix)
            yield await self._check_own_command()

    async def _check_own_command(self) -> Finding:
        command = server_command()
        # Without the settings of this shell: problems in them have their own findings.
        settings = ("CORE13_", "POSTHOG_", "SSL_CERT_")
        variables = {
            name: value for name, value in self._environment.variables.items() if not name.startswith(settings)
        }
        launch = Launch(command, {**variables, KEY: PLACEHOLDER_KEY}, _home(self._environment))
        try:
            server = await handshake(launch, self._timeout)
        except ConfigurationError as error:
            return from_error("handshake", error)
        return Finding("handshake", "ok", f"{' '.join(command)} answers: {server}")

    async def _check_entry(self, entry: Entry) -> list[Finding]:
        findings = check_entry(entry, self._environment)
        if any(finding.status == "wrong" for finding in findings):
            return findings
        is_foreign = entry.file.project is not None and not self._trusts_project
        if entry.command:
            command = own_command(entry, self._environment) if is_foreign else entry.command
            return findings + (await self._check_command(entry, command) if command else [skipped(entry)])
        return [*findings, skipped(entry) if is_foreign else await self._check_remote(entry)]

    async def _check_remote(self, entry: Entry) -> Finding:
        headers, missing = request_headers(entry, self._environment)
        if missing or entry.value.get("type") == "sse":
            reason = f"{missing[0]} is not set here" if missing else "it uses the old SSE transport"
            return entry.finding("skip", f"{entry.url} was not called, because {reason}")
        try:
            server = await remote_handshake(entry.url or "", headers, self._timeout)
        except SignInRequired:
            message = f"{entry.url} requires a sign-in, which only {entry.client.title} can do, so it was not checked"
            return entry.finding("skip", message, f"sign in there; {entry.client.next_step}")
        except ConfigurationError as error:
            fix = (
                error.fix or f"{entry.reinstall_command} --remote {entry.url} writes the header that the server expects"
            )
            return entry.finding("wrong", error.message, fix)
        return entry.finding("ok", f"{entry.url} answers: {server}")

    async def _check_command(self, entry: Entry, command: list[str]) -> list[Finding]:
        environment = self._environment
        # A file of the person applies in every project, so its command must not depend on this one.
        cwd = environment.cwd if entry.file.scope in ("project", "local") else _home(environment)
        launch = Launch(command, process_environment(entry, environment), cwd)
        try:
            server = await handshake(launch, self._timeout)
        except ConfigurationError as error:
            return [await self._diagnose(entry, error, launch)]
        account, findings = await self._check_key(entry, launch)
        findings.insert(0, entry.finding("ok", str(server) + account))
        if server.version != VERSION:
            message = f"it runs version {server.version}, but this is version {VERSION}"
            fix = f"{entry.reinstall_command} writes the command of this version"
            findings.append(entry.finding("note", message, fix))
        return findings

    async def _check_key(self, entry: Entry, launch: Launch) -> tuple[str, list[Finding]]:
        """Return the account that the server of an entry uses, and findings about its key and its project."""
        try:
            settings = _settings(entry, launch)
        except ConfigurationError as error:
            return "", [entry.finding("skip", f"the key was not checked: {error.message}")]
        named = [name for name, _ in entry.variables]
        findings = [entry.finding("note", *text) for text in unused_credentials(settings, named)]
        if settings.sandbox:
            return ", with the built-in sandbox", findings
        if settings.personal_api_key == SecretStr(PLACEHOLDER_KEY):
            return "", [*findings, _unknown_key(entry)]
        is_foreign = entry.file.project is not None and not self._trusts_project
        if is_foreign and settings.host not in self._hosts:
            return "", [*findings, skipped_host(entry, settings.host)]
        account = await self._check_account(settings)
        owners = [finding.message for finding in account if (finding.check, finding.status) == ("owner", "ok")]
        findings += [entry.finding(one.status, one.message, one.fix) for one in account if one.status != "ok"]
        return "".join(f", with the account of {owner}" for owner in owners), findings

    async def _diagnose(self, entry: Entry, error: ConfigurationError, launch: Launch) -> Finding:
        """Return why an entry does not start."""
        message, _, fix = str(error).partition("; ")
        reinstall = entry.reinstall_command
        if entry.client.is_gui and not fix:
            shell_path = self._environment.variables.get("PATH", "")
            with suppress(ConfigurationError):
                await handshake(launch._replace(environ={**launch.environ, "PATH": shell_path}), self._timeout)
                reason = f"it starts only with the PATH of your shell, which {entry.client.title} does not see"
                return entry.finding("wrong", f"{reason}: {message}", f'{reinstall}, or add "PATH" to its env')
        fix = fix or f"run the command in a shell to see the problem, or run {reinstall}"
        # Without the arguments, which can contain a key or a token.
        return entry.finding("wrong", f"{entry.command[0]}: {message}", fix)


def _settings(entry: Entry, launch: Launch) -> Settings:
    """Return the settings of the server that an entry starts."""
    names = {option.variable for option in OPTIONS}
    variables: Mapping[str, str] = {name: value for name, value in launch.environ.items() if name in names}
    settings = Settings.read(variables, entry.flags)
    file = settings.personal_api_key_file
    return settings._replace(personal_api_key_file=file and str((launch.cwd or Path("/")) / file))


def _unknown_key(entry: Entry) -> Finding:
    title = entry.client.title
    if entry.client.prompts:
        return entry.finding("skip", f"the key was not checked, because only {title} knows it")
    message = f"the key was not checked, because {KEY} is not set here"
    return entry.finding("skip", message, f"set it in the environment of {title}, and here to check it")


def _home(environment: Environment) -> Path | None:
    return environment.home if environment.home.is_dir() else None
