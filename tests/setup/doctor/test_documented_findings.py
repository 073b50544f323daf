"""`doctor` prints every finding that docs/troubleshooting.md explains."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from core13_mcp.sandbox import FULL_KEY

from ...docs.test_troubleshooting import messages
from .broken_setups import KEY, write_config
from .test_remote_servers import CHALLENGE, answering, server


def test_doctor_prints_every_finding_of_the_page(doctor, api, home, fake_server):
    def entry(**fields: Any) -> dict[str, Any]:
        return {"command": fake_server, "args": ["serve"], **fields}

    account = {KEY: FULL_KEY, "POSTHOG_HOST": api}
    with answering(Response(status_code=401, headers=CHALLENGE)) as (oauth_url, _), server("own-key") as key_url:
        write_config(home, "cursor", entry(env={"POSTHOG_API_KEY": "a-secret"}))
        write_config(home, "zed", entry(env={**account, "POSTHOG_PROJECT_ID": "777"}))
        write_config(home, "gemini", entry(env={"CORE13_SANDBOX": True}))
        write_config(home, "vscode", entry(env={KEY: "${input:posthog-personal-api-key}", "POSTHOG_HOST": api}))
        write_config(home, "windsurf", {"serverUrl": key_url, "headers": {"Authorization": "Basic YTpi"}})
        write_config(home, "kiro", {"url": oauth_url})
        report = doctor(POSTHOG_HOST=api)

    quotes = messages("Findings of doctor")
    assert len(quotes) >= 6
    assert [quote for quote in quotes if quote not in report.text] == []
