"""The error for every refusal of the API: what failed, why, what to change, what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.errors import ToolError
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import CallContext, prepare
from core13_mcp.pipeline.execution import Execution

from ..asgi import ResetTransport

pytestmark = pytest.mark.anyio

CATALOG = load()
GUARDED, OPEN = "0190a1b2-checkout-bug", "0190a1b2-onboarding-tour"
OTHER_USER = "5a2db0c5-0000-4000-8000-000000000013"
CREATE, UPDATE, TEST = "subscriptions-create", "subscriptions-partial-update", "subscriptions-test-delivery-create"
ADD, REMOVE, REFRESH = (
    f"session-recordings-sharing-{name}" for name in ("passwords-create", "passwords-destroy", "refresh-create")
)
NEW = {
    "project_id": 1,
    "insight": 1,
    "target_type": "email",
    "target_value": "ada@analytical.example",
    "frequency": "weekly",
    "start_date": "2030-01-07T09:00:00Z",
    "enabled": False,
}


@dataclass(frozen=True)
class Case:
    """A call that fails, the details of its error, and a text after the first line of the error."""

    tool: str
    arguments: dict[str, Any]
    status: int | None
    code: str
    text: str
    key: str = sandbox.FULL_KEY
    session: str | None = None
    field: str | None = None
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    fault: str | None = None
    details: tuple[tuple[str, Any], ...] = ()


def new(**over: Any) -> dict[str, Any]:
    return {name: value for name, value in {**NEW, **over}.items() if value is not None}


CASES = {
    "a wrong key": Case("users-retrieve", {}, 401, "authentication_failed", "The key was not accepted", key="phx_wrong"),
    "a key where only a session is taken": Case("users-destroy", {}, 401, "not_authenticated", "Only a login session"),
    "a key that would hide itself": Case(
        "users-credentials-review-complete-create", {}, 401, "not_authenticated", "POSTHOG_SESSION_ID"
    ),
    "402, no such plan": Case(
        "subscriptions-list", {}, 402, "payment_required", "no subscriptions. No argument", key=sandbox.FREE_KEY
    ),
    "402, no summary left": Case(
        CREATE,
        new(summary_enabled=True),
        402,
        "quota_limit_exceeded",
        "subscriptions-summary-quota-retrieve shows the cap. Pass summary_enabled=false",
        before=((CREATE, new(summary_enabled=True)),) * 19,
    ),
    "402, no room": Case(CREATE, new(), 402, "limit_exceeded", "subscriptions-destroy", before=((CREATE, new()),) * 195),
    "403, a scope": Case(
        UPDATE,
        {"id": 1, "project_id": 1, "enabled": False},
        403,
        "missing_scope",
        "the person adds subscription:write to the key in PostHog, Settings, Personal API keys",
        key=sandbox.READ_ONLY_KEY,
    ),
    "403, a project that is closed to the key": Case(
        "subscriptions-list",
        {"project_id": 1},
        403,
        "permission_denied",
        "have no access to this project",
        key=sandbox.OTHER_PROJECT_KEY,
    ),
    "403, another user": Case("users-retrieve", {"uuid": OTHER_USER}, 403, "permission_denied", "Pass uuid=@me"),
    "403, staff rights": Case("users-partial-update", {"is_staff": True}, 403, "permission_denied", "is_staff is refused"),
    "403, an old login": Case(
        "users-destroy",
        {},
        403,
        "sensitive_action_required_reauth",
        "signs in again",
        session=sandbox.STALE_SESSION_ID,
    ),
    "403, AI that is not approved": Case(
        CREATE,
        new(project_id=4, insight=10, summary_prompt_guide="x"),
        403,
        "permission_denied",
        "has not approved AI, so leave them out",
        key=sandbox.ENTERPRISE_KEY,
    ),
    "404, a project": Case("subscriptions-list", {"project_id": 99}, 404, "not_found", "users-retrieve shows the current"),
    "404, an id": Case("subscriptions-retrieve", {"id": 99}, 404, "not_found", "look it up with subscriptions-list"),
    "404, a password after a refresh": Case(
        REMOVE,
        {"recording_id": GUARDED, "project_id": 1, "password_id": 1},
        404,
        "not_found",
        "Take password_id from share_passwords in the result of the latest refresh",
        before=((REFRESH, {"recording_id": GUARDED, "project_id": 1}),),
    ),
    "404, empty, a deleted one": Case(TEST, {"id": 5, "project_id": 1}, 404, "not_found", "deleted false restores it"),
    "409, paused": Case(TEST, {"id": 2, "project_id": 1}, 409, "conflict", "with id=2, enabled=true"),
    "409, under way": Case(
        TEST,
        {"id": 1, "project_id": 1},
        409,
        "conflict",
        "Otherwise wait, and do not repeat",
        before=((TEST, {"id": 1, "project_id": 1}),),
    ),
    "409, a member": Case(
        "users-destroy", {}, 409, "conflict", "users-retrieve lists them", session=sandbox.SESSION_ID
    ),
    "429, with its seconds": Case(
        TEST,
        {"id": 1, "project_id": 1},
        429,
        "throttled",
        "Call again in ",
        before=((TEST, {"id": 2, "project_id": 1}),) * 10,
        details=(("retryable", True),),
    ),
    "400, protection is off": Case(
        ADD, {"recording_id": OPEN, "project_id": 1}, 400, "bad_request", "A person switches it on"
    ),
    "400, an insight that is not there": Case(
        CREATE, new(insight=99), 400, "does_not_exist", "numeric id, not the short id", field="insight"
    ),
    "400, a schedule that is over": Case(
        CREATE,
        new(start_date="2020-01-01", count=2),
        400,
        "invalid_input",
        "a later until_date or none, a larger count",
        field="start_date",
    ),
    "400, a key of a map": Case(
        "users-partial-update",
        {"notification_settings": {"all_weekly_report_disabled": True}},
        400,
        "invalid_input",
        "users-retrieve with detail=full shows the keys",
        field="notification_settings",
    ),
    "402, no AI credits": Case(
        CREATE, new(summary_enabled=True), 402, "quota_limit_exceeded", "names AI credits", fault="error=ai-credits"
    ),
    "400, the limit of the plan": Case(
        CREATE, new(), 400, "invalid_input", "do not repeat the call", field="subscription", fault="error=plan-limit"
    ),
    "400, the limit of the plan, on restoring": Case(
        UPDATE,
        {"id": 5, "project_id": 1, "deleted": False},
        400,
        "invalid_input",
        "do not repeat the call",
        field="subscription",
        fault="error=plan-limit",
    ),
    "403, the scope of a prompt": Case(
        TEST,
        {"id": 1, "project_id": 1},
        403,
        "missing_scope",
        "the person adds query:read to the key",
        fault="error=query-scope",
    ),
    "400, an end date": Case(
        UPDATE,
        {"id": 2, "project_id": 1, "enabled": True},
        400,
        "invalid_input",
        "Do not correct enabled. If the schedule has ended, pass enabled=true with a later until_date",
        field="enabled",
        fault="error=schedule-ended-paused",
    ),
    "400, Slack is not connected": Case(
        UPDATE,
        {"id": 2, "project_id": 1, "enabled": True},
        400,
        "invalid_input",
        "the person reconnects Slack",
        field="enabled",
        fault="error=slack-disconnected",
    ),
    "400, a webhook": Case(
        CREATE,
        new(target_type="webhook", target_value="https://x.example/hook"),
        400,
        "invalid_choice",
        "Use email, slack or teams",
        field="target_type",
        fault="error=webhook-unsupported",
    ),
    "400, insights of another dashboard": Case(
        CREATE,
        new(insight=None, dashboard=2, dashboard_export_insights=[1, 3]),
        400,
        "invalid_input",
        "The ids sent were 1, 3; the API gives only the number of wrong ones. No tool lists the insights",
        field="dashboard_export_insights",
    ),
    "400, a dashboard for a subscription of an insight": Case(
        UPDATE,
        {"id": 1, "project_id": 1, "dashboard": 1},
        400,
        "invalid_input",
        "make a new one with subscriptions-create",
        field="dashboard",
    ),
    "400, an integration of another project": Case(
        CREATE,
        new(target_type="slack", target_value="C1", integration_id=99),
        400,
        "invalid_input",
        "subscriptions-list with target_type=slack shows one in use",
        field="integration_id",
    ),
    "400, a position that the new frequency does not use": Case(
        UPDATE,
        {"id": 1, "project_id": 1, "frequency": "weekly"},
        400,
        "invalid_input",
        'clear=["bysetpos"]',
        before=((UPDATE, {"id": 1, "project_id": 1, "frequency": "monthly", "bysetpos": 3}),),
    ),
    "400, an organization with verified domains": Case(
        "users-partial-update",
        {"set_current_organization": OTHER_USER},
        400,
        "verified_domain_required",
        "No argument changes that",
        field="set_current_organization",
        fault="error=verified-domain",
    ),
    "an outcome that is unknown": Case(
        CREATE,
        new(),
        None,
        "outcome_unknown",
        "Call subscriptions-list with target_type=email in the same project",
        fault="lost",
    ),
    "a failure that may be repeated": Case(
        "subscriptions-list", {}, 503, "unavailable", "Call again in 30 s.", fault="status=503; retry-after=30; times=9",
        details=(("retryable", True), ("retry_after", 30.0)),
    ),
    "a write without a project": Case(
        "subscriptions-destroy", {"id": 1}, None, "invalid_arguments", "pass project_id=1", field="project_id"
    ),
    "a parameter that the page lists": Case(
        ADD,
        {"recording_id": GUARDED, "project_id": 1, "enabled": True},
        None,
        "invalid_arguments",
        "enabled: not accepted. PostHog's API page lists it, but this endpoint ignores it",
        field="enabled",
    ),
}  # fmt: skip


async def error_of(case: Case) -> ToolError:
    """Return the error of the call in a new sandbox."""
    app = sandbox.build(faults=True)
    session = SecretStr(case.session) if case.session else None
    credentials = Credentials(SecretStr(case.key), session, SecretStr(sandbox.CSRF_TOKEN) if session else None)
    async with APIClient("http://sandbox.invalid", transport=ResetTransport(app)) as client:
        context = CallContext(client=client, credentials=credentials, confirm="never", timeout=5.0)
        for tool, arguments in case.before:
            try:
                await Execution(prepare(CATALOG[tool], arguments, context)).run()
            except ToolError as error:
                # A test delivery of a paused subscription is refused, but counts toward the rate limit.
                assert error.status == 409
        if case.fault:
            app.state.faults.append(case.fault)
        with pytest.raises(ToolError) as raised:
            await Execution(prepare(CATALOG[case.tool], case.arguments, context)).run()
    return raised.value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_an_error_names_the_next_step(case: Case) -> None:
    with anyio.fail_after(20):
        error = await error_of(case)
    first, *rest = str(error).split("\n")
    assert first.startswith(f"{case.tool}: ")
    assert case.text in "\n".join(rest)
    assert len(rest) <= 3 and all(0 < len(line) <= 400 for line in (first, *rest))
    details = {"code": case.code, "status": case.status, "field": case.field, **dict(case.details)}
    assert {name: error.details.get(name) for name in details} == details
    assert not re.search(r"=unknown|[{}]", "\n".join(rest)), "a placeholder is not filled"
    assert case.key not in str(error)


def test_each_meaning_of_402_has_its_own_hint() -> None:
    hints = {
        CATALOG[CREATE].hints[f"402 {code}"] for code in ("payment_required", "quota_limit_exceeded", "limit_exceeded")
    }
    assert len(hints) == 3
