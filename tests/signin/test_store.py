from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from core13_mcp.api.credentials import KeyInfo
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings
from core13_mcp.signin import store as store_module
from core13_mcp.signin.source import SignInSource
from core13_mcp.signin.store import LockTimeout, Store, login_directory
from core13_mcp.signin.stored import Record, StoredSignIn, Tokens

ORIGIN = "https://eu.posthog.com"
GRANTED = KeyInfo(frozenset({"user:read"}), frozenset({1}), frozenset({"org"}))
TOKENS = Tokens(SecretStr("pha_access"), SecretStr("phr_refresh"), 9e9, 604_800.0, GRANTED)
RECORD = Record(ORIGIN, "client", sign_in=StoredSignIn(SecretStr("id"), "client", TOKENS, "ada@a.example"))


@pytest.fixture
def store(directory: Path) -> Store:
    return Store(directory, ORIGIN)


@pytest.fixture
def source(directory: Path) -> SignInSource:
    return SignInSource(Settings(host=ORIGIN, login_dir=str(directory), session_id=SecretStr("session")))


def test_a_record_is_read_as_it_was_written(store: Store) -> None:
    assert store.read() == Record(ORIGIN)
    store.write(RECORD)
    assert store.read() == RECORD


def test_only_the_owner_can_read_and_change_the_files(store: Store) -> None:
    old = os.umask(0)
    try:
        store.write(RECORD)
        anyio.run(_lock, store, 1.0)
    finally:
        os.umask(old)
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in store.path.parent.iterdir()} == {0o600}
    assert len(list(store.path.parent.iterdir())) == 2


def test_each_origin_has_its_own_file(directory: Path) -> None:
    origins = ["http://a.example", "https://a.example", "https://a.example:8443", "http://[::1]:80", ORIGIN]
    assert len({Store(directory, origin).path for origin in origins}) == len(origins)


def chmod(path: Path, mode: int) -> None:
    path.chmod(mode)


def link(path: Path, _: int) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


UNSAFE: list[tuple[Any, int, str, str]] = [
    (chmod, 0o640, "file", "other users can use .*chmod 600"),
    (chmod, 0o602, "file", "other users can use .*chmod 600"),
    (chmod, 0o750, "directory", "other users can use .*chmod 700"),
    (link, 0, "file", "it is a symbolic link"),
    (link, 0, "directory", "is a symbolic link.*CORE13_LOGIN_DIR"),
]


@pytest.mark.parametrize(("change", "mode", "what", "message"), UNSAFE)
def test_files_that_others_can_change_are_refused(
    store: Store, source: SignInSource, change: Any, mode: int, what: str, message: str
) -> None:
    store.write(RECORD)
    change(store.path if what == "file" else store.path.parent, mode)
    with pytest.raises(ConfigurationError, match=message):
        store.read()
    # A server starts all the same, and each call has the reason.
    assert source().key is None and source().problem
    if what == "directory":
        with pytest.raises(ConfigurationError, match=message):
            store.write(RECORD)


def test_files_of_another_user_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(RECORD)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigurationError, match=r"belongs to another user.*CORE13_LOGIN_DIR"):
        store.read()


def test_a_directory_in_place_of_the_file_is_refused(store: Store) -> None:
    store.write(Record(ORIGIN))
    store.path.unlink()
    store.path.mkdir()
    with pytest.raises(ConfigurationError, match="is not a regular file"):
        store.read()
    with pytest.raises(ConfigurationError, match="cannot be stored"):
        store.write(RECORD)


def test_a_lock_that_is_a_link_is_refused(store: Store) -> None:
    store.write(RECORD)
    store.path.with_suffix(".lock").symlink_to("elsewhere")
    with pytest.raises(ConfigurationError, match="it is a symbolic link"):
        anyio.run(_lock, store, 1.0)


def changed(**changes: Any) -> str:
    value = json.loads(RECORD.to_text())
    value["sign_in"] |= changes.pop("sign_in", {})
    return json.dumps(value | changes)


INVALID = {
    "text": ("secret", "it is not JSON"),
    "bytes": (b"\xff", "it is not UTF-8 text"),
    "nested": ("[" * 60_000, "it is not JSON"),
    "list": ("[]", "it was not written by this version"),
    "version": (changed(version=2), "it was not written by this version"),
    "host": (changed(host="https://us.posthog.com"), "it belongs to another host"),
    "client": (changed(client_id=1), "client_id is not a string"),
    "endpoints": (changed(endpoints={}), "endpoints are not paths"),
    "foreign endpoint": (changed(endpoints=dict.fromkeys(Record(ORIGIN).endpoints._fields, "//evil.example/")), "are not paths"),
    "sign-in": (json.dumps(json.loads(RECORD.to_text()) | {"sign_in": []}), "expires_at"),
    "token": (changed(sign_in={"access_token": "pha_\r\nX: secret"}), "access_token is not a token"),
    "expiry": (changed(sign_in={"expires_at": "soon"}), "expires_at is not a number of seconds"),
    "lifetime": (changed(sign_in={"expires_in": True}), "expires_in is not a number of seconds"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), INVALID.values(), ids=INVALID)
def test_an_invalid_file_is_refused_without_a_part_of_it(
    store: Store, source: SignInSource, text: str | bytes, reason: str
) -> None:
    store.write(Record(ORIGIN))
    store.path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError, match=f"cannot be used: .*{reason}.*Delete the file, and run") as caught:
        store.read()
    assert "secret" not in str(caught.value) and "pha_" not in str(caught.value)
    assert source().problem == str(caught.value)


def test_a_file_is_replaced_as_a_whole_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(RECORD)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigurationError, match=r"cannot be stored in .*: No space left on device"):
        store.write(Record(ORIGIN))
    assert store.read() == RECORD and len(list(store.path.parent.iterdir())) == 1


async def _lock(store: Store, timeout: float) -> None:
    async with store.lock(timeout):
        pass


@pytest.mark.anyio
async def test_a_lock_excludes_others_until_it_is_released(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOCK_INTERVAL", 0.001)
    async with store.lock(1):
        with pytest.raises(LockTimeout, match="another process has locked"):
            await _lock(Store(store.path.parent, ORIGIN), 0.01)
    await _lock(store, 0.0)


def test_a_source_reads_the_file_again_when_it_changes(store: Store, source: SignInSource) -> None:
    assert (
        "no PostHog key and no sign-in for https://eu.posthog.com; run `core13-mcp login --host eu`" in source().problem
    )
    source().require("session")
    with pytest.raises(ConfigurationError, match="only a login session is accepted here, neither an API key nor"):
        source()._replace(session_id=None).require("session")
    store.write(RECORD)
    assert source().secrets == ("pha_access", "session") and source() is source()
    assert source().source == "the sign-in of ada@a.example at https://eu.posthog.com"
    store.path.unlink()
    assert source().problem and source().secrets == ("session",)


@pytest.mark.parametrize(
    ("platform", "variables", "path"),
    [
        ("linux", {"XDG_CONFIG_HOME": "/elsewhere"}, "{home}/.config/core13-mcp"),
        ("darwin", {}, "{home}/Library/Application Support/core13-mcp"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/core13-mcp"),
        ("win32", {}, "{home}/.config/core13-mcp"),
    ],
)
def test_the_directory_is_a_fixed_place(home: Path, platform: str, variables: dict[str, str], path: str) -> None:
    assert login_directory(None, platform, variables) == Path(path.format(home=home))
    assert login_directory("~/mine", platform, variables) == home / "mine"


def unknown() -> Path:
    raise RuntimeError("no home")


@pytest.mark.parametrize("find_home", [unknown, Path])
def test_without_a_home_directory_the_error_names_the_variables(
    monkeypatch: pytest.MonkeyPatch, find_home: Any
) -> None:
    monkeypatch.setattr(Path, "home", find_home)
    with pytest.raises(ConfigurationError, match="Set the variable HOME, or CORE13_LOGIN_DIR"):
        login_directory(None, "linux", {})
    assert "Set the variable HOME" in SignInSource(Settings())().problem
