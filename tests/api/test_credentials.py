from __future__ import annotations

from pathlib import Path

import pytest

from core13_mcp.api.credentials import CredentialProvider, Credentials, key_provider
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings

KEY, OTHER = "phx_first00000000000000000000000", "phx_second0000000000000000000000"


def credentials_from(settings: Settings) -> CredentialProvider:
    provider = key_provider(settings)
    assert provider is not None
    return provider


def test_settings_without_a_key_and_a_key_file_have_no_key_provider() -> None:
    assert key_provider(Settings()) is None


def test_credentials_name_their_source(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    assert credentials_from(Settings(personal_api_key=SecretStr(KEY)))().source == "POSTHOG_PERSONAL_API_KEY"
    assert str(tmp_path) in credentials_from(Settings(personal_api_key_file=str(tmp_path / "key")))().source


def test_a_key_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    provider = credentials_from(Settings(personal_api_key_file=str(file)))
    assert provider().secrets == provider().secrets == (KEY,)
    file.write_text(f"{OTHER}, longer".partition(",")[0])
    (tmp_path / "new").write_text(OTHER)
    (tmp_path / "new").replace(file)
    assert provider().secrets == (OTHER,)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "it is empty"), (b"  \n", "it is empty"), (b"phc_public0000", "public project key"), (b"\xe9", "not UTF-8 text; save it as"),
     ("phx_0123456789".encode("utf-16"), "it is UTF-16 text; save it as UTF-8"),
     ("phx_0123456789".encode("utf-16-le"), "it is UTF-16 text"), (b"# mine\nphx_0123456789", "more than one line"),
     (b"two words", "characters that no key has")],
)  # fmt: skip
def test_the_error_for_a_key_file_without_a_usable_key_names_the_file(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message) as caught:
        credentials_from(Settings(personal_api_key_file=str(file)))
    assert str(file) in str(caught.value)
    assert "phc_public0000" not in str(caught.value)


def test_a_byte_order_mark_in_a_key_file_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\r\n", "utf-8-sig")
    assert credentials_from(Settings(personal_api_key_file=str(file)))().secrets == (KEY,)


def test_a_key_file_that_becomes_invalid_is_an_error_of_the_next_call(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    provider = credentials_from(Settings(personal_api_key_file=str(file)))
    file.write_text("")
    with pytest.raises(ConfigurationError, match="empty"):
        provider()


def test_the_principal_identifies_a_key_without_revealing_it() -> None:
    one, other = Credentials(SecretStr(KEY)).principal, Credentials(SecretStr(OTHER)).principal
    assert one != other and one == Credentials(SecretStr(KEY)).principal
    assert KEY not in one


def test_the_repr_of_credentials_has_no_secret() -> None:
    assert KEY not in repr(Credentials(SecretStr(KEY), SecretStr("s-secret")))
    assert "s-secret" not in str(Credentials(SecretStr(KEY), SecretStr("s-secret")))
