"""A password in the arguments is redacted in the result."""

import pytest
from mcp import Client

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "password",
    ["planted-password", "planted\u200bpassword", "planted\x03password", "\u202eplanted-password", "planted  password"],
)
async def test_a_password_in_the_arguments_is_redacted_in_the_result(mcp: Client, password: str) -> None:
    arguments = {"project_id": 1, "recording_id": "0190a1b2-checkout-bug", "raw_password": password}
    result = await mcp.call_tool("session-recordings-sharing-passwords-create", arguments)
    assert not result.is_error
    assert result.structured_content["password"] == "[withheld]"
    assert "planted" not in result.model_dump_json()
