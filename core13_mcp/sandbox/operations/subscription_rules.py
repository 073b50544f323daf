"""The rules across the fields of a subscription, in the order in which the server checks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..context import RequestContext
from ..responses import APIError, api_error, error_body, json_response
from ..schedule import SCHEDULE_FIELDS, next_delivery
from ..store import Doc, Row
from ..validation import validate
from .subscription_fields import FIELDS, RESOURCE_FIELDS, webhook_problem

MAX_EXPORTS: Final = 6
# AI summaries per organization, by plan.
SUMMARY_LIMITS: Final = {"free": 10, "paid": 20, "enterprise": 100}


@dataclass(frozen=True)
class Change:
    """A requested change: the fields that were sent, and the subscription before (None on create) and after it."""

    context: RequestContext
    sent: Doc
    old: Doc | None
    new: Doc

    @property
    def enables_again(self) -> bool:
        """Whether the change enables a paused subscription."""
        return self.old is not None and not self.old["enabled"] and bool(self.new["enabled"])


def check(context: RequestContext, row: Row | None) -> Change:
    """Validate a request that creates a subscription, or changes the one in `row`."""
    # The server looks the dashboard and the insight up before it validates the other fields.
    for table, number in validate(RESOURCE_FIELDS, context.body, partial=True).items():
        if number is not None and _find(context, table, number) is None:
            raise api_error(400, f'Invalid pk "{number}" - object does not exist.', table, "does_not_exist")
    sent = validate(FIELDS, context.body, partial=row is not None)
    old = row["doc"] if row else None
    stored = {name: value for name, value in sent.items() if FIELDS[name].stored}
    change = Change(context, sent, old, (old or {}) | stored)
    for rule in RULES:
        rule(change)
    return change


def _find(context: RequestContext, table: str, number: int) -> Row | None:
    """A dashboard or insight that is not deleted."""
    row = context.store.one(f"select * from {table} where id = ?", number)
    return row if row and not row["doc"]["deleted"] else None


def _check_resource(change: Change) -> None:
    for table in RESOURCE_FIELDS:
        number = change.sent.get(table)
        row = None if number is None else _find(change.context, table, number)
        if row and row["project_id"] != change.context.project["id"]:
            raise api_error(400, f"This {table} does not belong to your project.", table)
        if row and change.old and change.old[table] is None:
            raise api_error(400, "The kind of a subscription cannot be changed.", table)
    resources = [change.new[table] for table in RESOURCE_FIELDS if change.new[table] is not None]
    if not resources:
        raise api_error(400, "Either a dashboard or an insight is required.", "insight")
    if len(resources) > 1:
        raise api_error(400, "Give either a dashboard or an insight, not both.")


def _check_exports(change: Change) -> None:
    name = "dashboard_export_insights"
    if change.old is not None and name not in change.sent:
        return
    context, insights, dashboard = change.context, change.new[name], change.new["dashboard"]
    if insights and dashboard is None:
        raise api_error(400, "Insights to export can only be chosen for a dashboard.", name)
    if dashboard is None:
        return
    if not insights:
        raise api_error(400, "Choose at least one insight of the dashboard.", name)
    if len(insights) > MAX_EXPORTS:
        raise api_error(400, f"Choose at most {MAX_EXPORTS} insights.", name)
    rows = [_find(context, "insight", number) for number in insights]
    unknown = sum(row is None or row["project_id"] != context.project["id"] for row in rows)
    if unknown:
        raise api_error(400, f"{unknown} of the insights do not exist in this project.", name)
    tiles = context.store.all("select insight_id from tile where dashboard_id = ? and not deleted", dashboard)
    missing = len(set(insights) - {tile["insight_id"] for tile in tiles})
    if missing:
        raise api_error(400, f"{missing} of the insights are not on this dashboard.", name)


def _check_channel(change: Change) -> None:
    if not change.enables_again:
        return
    if change.new["target_type"] == "slack" and change.new["integration_id"] is None:
        raise api_error(400, "Connect a Slack integration before enabling this subscription.", "enabled")
    if change.new["target_type"] not in ("email", "slack"):
        raise api_error(400, "This delivery channel is not supported any more.", "enabled")


def _check_schedule(change: Change) -> None:
    new, position = change.new, change.new["bysetpos"]
    if new["byweekday"] and position is not None and not 1 <= abs(position) <= 366:
        raise api_error(400, "Must be from 1 to 366 or from -366 to -1.", "bysetpos")
    changed = new["enabled"] and any(name in change.sent for name in SCHEDULE_FIELDS)
    required = change.old is None or change.enables_again or changed
    if required and next_delivery(new, change.context.now) is None:
        attr = "start_date" if change.old is None else "enabled" if change.enables_again else None
        raise api_error(400, "This schedule has no future deliveries.", attr)


def _check_slack(change: Change) -> None:
    if change.new["target_type"] != "slack":
        return
    number = change.new["integration_id"]
    row = change.context.store.one("select * from integration where id = ?", number)
    if number is None:
        raise api_error(400, "A Slack integration is required.", "integration_id")
    if row is None or row["project_id"] != change.context.project["id"]:
        raise api_error(400, "This integration does not belong to your project.", "integration_id")
    if row["kind"] != "slack":
        raise api_error(400, "This integration is not a Slack integration.", "integration_id")


def _check_webhook(change: Change) -> None:
    problem = webhook_problem(change.new["target_value"]) if change.new["target_type"] == "webhook" else None
    if problem:
        raise api_error(400, problem, "target_value")


def _check_summary(change: Change) -> None:
    organization = change.context.organization["doc"]
    if change.sent.get("summary_prompt_guide") and not organization["summary_prompt_guide"]:
        raise api_error(403, "Prompt guides for summaries are not enabled for your organization.")
    if change.sent.get("summary_enabled") and not organization["is_ai_data_processing_approved"]:
        raise api_error(403, "Your organization has not approved AI data processing.")
    adds_summary = _has_summary(change.new) and not (change.old and _has_summary(change.old))
    quota = summary_quota(change.context)
    if adds_summary and quota["at_limit"]:
        detail = f"Your organization has reached its limit of {quota['limit']} AI summaries."
        raise api_error(402, detail, code="quota_limit_exceeded")


def _has_summary(doc: Doc) -> bool:
    """Whether a subscription counts against the quota. Paused ones do, deleted ones do not."""
    return bool(doc["summary_enabled"] and not doc["deleted"])


def summary_quota(context: RequestContext) -> Doc:
    """The AI summaries of the organization in all its projects, and their limit."""
    sql = "select s.doc from subscription s join project p on p.id = s.project_id where p.organization_id = ?"
    count = sum(_has_summary(row["doc"]) for row in context.store.all(sql, context.organization["id"]))
    limit = SUMMARY_LIMITS[context.organization["doc"]["plan"]]
    return {"active_count": count, "limit": limit, "at_limit": count >= limit}


def _check_project_limit(change: Change) -> None:
    if change.old is not None:
        return
    project = change.context.project
    sql = "select count(*) from subscription where project_id = ? and not json_extract(doc, '$.deleted')"
    current, limit = change.context.store.value(sql, project["id"]), project["doc"]["max_subscriptions"]
    if current >= limit:
        extra = {"limit_key": "analytics.max_subscriptions_per_team", "limit": limit, "current": current}
        detail = f"This project has reached its limit of {limit} subscriptions."
        body = error_body(402, detail, code="limit_exceeded")
        raise APIError(json_response(402, body | {"extra": extra | {"request": None}}))


RULES: Final = (
    _check_resource, _check_exports, _check_channel, _check_schedule, _check_slack, _check_webhook, _check_summary,
    _check_project_limit,
)  # fmt: skip
