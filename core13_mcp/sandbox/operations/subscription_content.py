"""The rules for what a subscription delivers: an insight, a dashboard with exports, or an AI report."""

from __future__ import annotations

from ..auth import check_scope
from ..context import RequestContext
from ..responses import api_error
from ..store import Row
from .subscription_change import Change, find_resource, kind_of
from .subscription_fields import RESOURCE_FIELDS


def check_prompt_scope(context: RequestContext, row: Row | None) -> None:
    """Check the second scope of a write to a subscription with a prompt. The server does it before validation."""
    touches_prompt = context.fields.get("prompt") or (row is not None and row["doc"].get("prompt"))
    if context.era.ai_prompts and touches_prompt:
        check_scope(context.principal, "query:read")


def check_resource(change: Change) -> None:
    era = change.context.era
    for table in RESOURCE_FIELDS:
        number = change.sent.get(table)
        row = None if number is None else find_resource(change.context, table, number)
        if row and row["project_id"] != change.context.project["id"]:
            raise api_error(400, f"This {table} does not belong to your project.", table)
    kinds = [name for name in ("insight", "dashboard", "prompt") if change.new.get(name)]
    if change.old is not None:
        _check_same_kind(change, kinds)
    if not kinds:
        raise api_error(400, "Either a dashboard or an insight is required.", era.missing_resource_attr)
    if len(kinds) > 1:
        attr = kinds[0] if era.names_current_kind else None
        raise api_error(400, "Give either a dashboard or an insight, not both.", attr)


def _check_same_kind(change: Change, kinds: list[str]) -> None:
    current = kind_of(change.old or {})
    added = [kind for kind in kinds if kind != current]
    if added:
        attr = current if change.context.era.names_current_kind else added[0]
        raise api_error(400, "The kind of a subscription cannot be changed.", attr)


def check_prompt(change: Change) -> None:
    if kind_of(change.new) != "prompt":
        return
    if change.new["target_type"] not in ("email", "slack"):
        raise api_error(400, "AI subscriptions can only use email or slack.", "target_type")
    approved = change.context.organization["doc"]["is_ai_data_processing_approved"]
    if change.old is None and not approved:
        raise api_error(400, "Your organization must approve AI data processing first.")


def check_exports(change: Change) -> None:
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
    if len(insights) > context.era.max_exports:
        raise api_error(400, f"Choose at most {context.era.max_exports} insights.", name)
    rows = [find_resource(context, "insight", number) for number in insights]
    unknown = sum(row is None or row["project_id"] != context.project["id"] for row in rows)
    if unknown:
        raise api_error(400, f"{unknown} of the insights do not exist in this project.", name)
    tiles = context.store.all("select insight_id from tile where dashboard_id = ? and not deleted", dashboard)
    missing = len(set(insights) - {tile["insight_id"] for tile in tiles})
    if missing:
        raise api_error(400, f"{missing} of the insights are not on this dashboard.", name)
