"""The limits of subscriptions and AI summaries, by plan, organization and project."""

from __future__ import annotations

from typing import Final

from ..context import RequestContext
from ..responses import APIError, api_error, error_body, json_response
from ..store import Doc
from .subscription_change import Change

# AI summaries per organization, by plan.
SUMMARY_LIMITS: Final = {"free": 10, "paid": 20, "enterprise": 100}


def check_plan_limit(change: Change) -> None:
    limit = change.context.era.free_plan_limit
    if limit is None or change.context.has_feature("subscriptions") or not (change.old is None or change.restores):
        return
    if _count(change.context) >= limit:
        raise api_error(400, f"Your plan is limited to {limit} subscriptions.", "subscription")


def check_summary(change: Change) -> None:
    organization = change.context.organization["doc"]
    if change.sent.get("summary_prompt_guide") and not organization["summary_prompt_guide"]:
        raise api_error(403, "Prompt guides for summaries are not enabled for your organization.")
    if change.sent.get("summary_enabled") and not organization["is_ai_data_processing_approved"]:
        raise api_error(403, "Your organization has not approved AI data processing.")
    if not _has_summary(change.new) or (change.old and _has_summary(change.old)):
        return
    if change.context.era.ai_credits and organization["ai_credits_used_up"]:
        detail = "Your organization reached its AI credit usage limit. Raise the limit in the billing settings."
        raise api_error(402, detail, code="quota_limit_exceeded")
    quota = summary_quota(change.context)
    if quota["at_limit"]:
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


def check_project_limit(change: Change) -> None:
    if change.old is not None:
        return
    current, limit = _count(change.context), change.context.project["doc"]["max_subscriptions"]
    if current >= limit:
        extra = {"limit_key": "analytics.max_subscriptions_per_team", "limit": limit, "current": current}
        detail = f"This project has reached its limit of {limit} subscriptions."
        body = error_body(402, detail, code="limit_exceeded")
        raise APIError(json_response(402, body | {"extra": extra | {"request": None}}))


def _count(context: RequestContext) -> int:
    """The subscriptions of the project that are not deleted."""
    sql = "select count(*) from subscription where project_id = ? and not json_extract(doc, '$.deleted')"
    return int(context.store.value(sql, context.project["id"]))
