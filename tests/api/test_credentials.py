from __future__ import annotations

from pathlib import Path

import pytest

from core13_mcp.api.credentials import Credentials, credentials_from
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings

KEY, OTHER = "phx_first00000000000000000000000", "phx_second0000000000000000000000"


def test_a_key_in_the_environment_is_the_key():
    settings = Settings.read(
        {"POSTHOG_PERSONAL_API_KEY": KEY, "POSTHOG_SESSION_ID": "s-secret", "POSTHOG_CSRF_TOKEN": "c-secret"}
    )
    assert credentials_from(settings)().secrets == (KEY, "s-secret", "c-secret")


def test_no_key_is_an_error_that_says_how_to_make_one_and_how_to_do_without():
    with pytest.raises(ConfigurationError, match=r"Settings > Personal API keys.*--sandbox"):
        credentials_from(Settings())


def test_a_key_file_is_read_again_when_it_changes(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    held = credentials_from(Settings(personal_api_key_file=str(file)))
    assert held().secrets == held().secrets == (KEY,)
    file.write_text(f"{OTHER}, longer".partition(",")[0])
    (tmp_path / "new").write_text(OTHER)
    (tmp_path / "new").replace(file)
    assert held().secrets == (OTHER,)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "it is empty"), (b"  \n", "it is empty"), (b"phc_public0000", "public project key"), (b"\xff\xfe", "not UTF-8"),
     (b"two words", "characters that no key has")],
)  # fmt: skip
def test_a_key_file_without_a_usable_key_is_an_error_that_names_it(tmp_path: Path, content, says):
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says) as caught:
        credentials_from(Settings(personal_api_key_file=str(file)))
    assert str(file) in str(caught.value)
    assert "phc_public0000" not in str(caught.value)


def test_a_key_file_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(
        ConfigurationError, match=f"the file with the API key, {tmp_path / 'none'}: it cannot be read: No such file"
    ):
        credentials_from(Settings(personal_api_key_file=str(tmp_path / "none")))


def test_a_key_file_that_turns_bad_while_serving_is_an_error_of_the_call(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text(KEY)
    held = credentials_from(Settings(personal_api_key_file=str(file)))
    file.write_text("")
    with pytest.raises(ConfigurationError, match="empty"):
        held()


def test_the_principal_tells_keys_apart_without_telling_them():
    one, other = Credentials(SecretStr(KEY)).principal, Credentials(SecretStr(OTHER)).principal
    assert one != other and one == Credentials(SecretStr(KEY)).principal
    assert KEY not in one


def test_no_representation_shows_a_secret():
    assert KEY not in repr(Credentials(SecretStr(KEY), SecretStr("s-secret")))
    assert "s-secret" not in str(Credentials(SecretStr(KEY), SecretStr("s-secret")))


@pytest.mark.parametrize(
    ("auth", "session", "reached"), [("key", None, True), ("session", None, False), ("session", "s", True)]
)
def test_only_a_session_reaches_an_endpoint_for_sessions(auth, session, reached):
    assert Credentials(SecretStr(KEY), session and SecretStr(session)).supports(auth) is reached
