"""What a subscription may be: the fields, then the rules across fields in the server's order."""

from __future__ import annotations

from typing import Any, Final

from . import errors, webhooks
from .call import Call
from .fields import INT32, Field, Invalid, boolean, choice, clean, fits, integer, list_of, moment, optional, text, whole
from .schedule import FIELDS as SCHEDULE
from .schedule import FREQUENCIES, WEEKDAYS, next_date
from .store import Row

MOST_EXPORTS: Final = 6
SUMMARY_LIMITS: Final = {"free": 10, "paid": 20, "enterprise": 100}
Doc = dict[str, Any]


def key(value: Any) -> int:
    """A primary key of another object, whose existence is looked up later."""
    found = None if isinstance(value, float) else whole(value)
    if found is None:
        raise Invalid("incorrect_type", f"Incorrect type. Expected pk value, received {type(value).__name__}.")
    return found


def exports(value: Any) -> list[int]:
    if value is None:
        raise Invalid("null", "This field may not be null.")
    items = value if isinstance(value, list) else None
    found = [None if isinstance(item, str | float) else whole(item) for item in items or ()]
    if items is None or None in found:
        raise Invalid("invalid_input", "Expected a list of insight ids.")
    return list(dict.fromkeys(item for item in found if item is not None))


FIELDS: Final = {
    "dashboard": Field(optional(key)),
    "insight": Field(optional(key)),
    "dashboard_export_insights": Field(exports, default=[]),
    "target_type": Field(choice(("email", "slack", "webhook")), required=True),
    "target_value": Field(text(), required=True),
    "frequency": Field(choice(FREQUENCIES), required=True),
    "interval": Field(integer(1, INT32[1]), default=1),
    "byweekday": Field(optional(list_of(choice(WEEKDAYS)))),
    "bysetpos": Field(optional(integer(*INT32))),
    "count": Field(optional(integer(*INT32))),
    "start_date": Field(moment, required=True),
    "until_date": Field(optional(moment)),
    "deleted": Field(boolean, default=False),
    "enabled": Field(boolean, default=True),
    "title": Field(optional(text(blank=True, longest=100))),
    "integration_id": Field(optional(integer())),
    "invite_message": Field(optional(text(blank=True)), stored=False),
    "summary_enabled": Field(boolean, default=False),
    "summary_prompt_guide": Field(text(blank=True, longest=500), default=""),
}
IDS: Final = {name: FIELDS[name] for name in ("dashboard", "insight")}
UNSTORED: Final = ("invite_message",)


def check(call: Call, before: Row | None) -> tuple[Doc, Doc]:
    """The fields that were sent, and the whole subscription as it would be. Raises Refusal with the first fault."""
    # The ids stand first among the fields, and are looked up where they stand.
    _check_ids(call, clean(IDS, call.body, partial=True))
    sent = clean(FIELDS, call.body, partial=before is not None)
    old = before["doc"] if before else None
    after = (old or {}) | {name: value for name, value in sent.items() if name not in UNSTORED}
    _check_resource(call, sent, old, after)
    _check_exports(call, sent, old, after)
    _check_channel(old, after)
    _check_schedule(call, sent, old, after)
    _check_slack(call, after)
    _check_webhook(after)
    _check_summary(call, sent, old, after)
    if old is None:
        _check_project_cap(call)
    return sent, after


def _check_ids(call: Call, sent: Doc) -> None:
    for table in ("dashboard", "insight"):
        number = sent.get(table)
        if number is not None and _live(call, table, number) is None:
            raise errors.invalid(f'Invalid pk "{number}" - object does not exist.', table, "does_not_exist")


def _live(call: Call, table: str, number: int) -> Row | None:
    row = call.store.one(f"select * from {table} where id = ?", number) if fits(number) else None
    return row if row and not row["doc"]["deleted"] else None


def _check_resource(call: Call, sent: Doc, old: Doc | None, after: Doc) -> None:
    for table in ("dashboard", "insight"):
        row = _live(call, table, sent[table]) if sent.get(table) is not None else None
        if row and row["project_id"] != call.project["id"]:
            raise errors.invalid(f"This {table} does not belong to your project.", table)
        if row and old and old[table] is None:
            raise errors.invalid("The kind of a subscription cannot be changed.", table)
    if after["dashboard"] is None and after["insight"] is None:
        raise errors.invalid("Either a dashboard or an insight is required.", "insight")
    if after["dashboard"] is not None and after["insight"] is not None:
        raise errors.invalid("Give either a dashboard or an insight, not both.")


def _check_exports(call: Call, sent: Doc, old: Doc | None, after: Doc) -> None:
    if old is not None and "dashboard_export_insights" not in sent:
        return
    chosen: list[int] = after["dashboard_export_insights"]
    fault = None
    if after["dashboard"] is None:
        fault = "Insights to export can only be chosen for a dashboard." if chosen else None
    elif not chosen:
        fault = "Choose at least one insight of the dashboard."
    elif len(chosen) > MOST_EXPORTS:
        fault = f"Choose at most {MOST_EXPORTS} insights."
    else:
        fault = _bad_exports(call, after["dashboard"], chosen)
    if fault:
        raise errors.invalid(fault, "dashboard_export_insights")


def _bad_exports(call: Call, dashboard: int, chosen: list[int]) -> str | None:
    rows = [_live(call, "insight", number) for number in chosen]
    foreign = sum(row is None or row["project_id"] != call.project["id"] for row in rows)
    if foreign:
        return f"{foreign} of the insights do not exist in this project."
    tiles = call.store.all("select insight_id from tile where dashboard_id = ? and not deleted", dashboard)
    missing = len(set(chosen) - {tile["insight_id"] for tile in tiles})
    return f"{missing} of the insights are not on this dashboard." if missing else None


def _re_enabled(old: Doc | None, after: Doc) -> bool:
    return old is not None and not old["enabled"] and bool(after["enabled"])


def _check_channel(old: Doc | None, after: Doc) -> None:
    if not _re_enabled(old, after):
        return
    if after["target_type"] == "slack" and after["integration_id"] is None:
        raise errors.invalid("Connect a Slack integration before enabling this subscription.", "enabled")
    if after["target_type"] not in ("email", "slack"):
        raise errors.invalid("This delivery channel is not supported any more.", "enabled")


def _check_schedule(call: Call, sent: Doc, old: Doc | None, after: Doc) -> None:
    if after["byweekday"] and after["bysetpos"] is not None and not 1 <= abs(after["bysetpos"]) <= 366:
        raise errors.invalid("Must be from 1 to 366 or from -366 to -1.", "bysetpos")
    re_enabled = _re_enabled(old, after)
    changed = after["enabled"] and any(name in sent for name in SCHEDULE)
    if (old is None or re_enabled or changed) and next_date(after, call.now) is None:
        attr = "start_date" if old is None else "enabled" if re_enabled else None
        raise errors.invalid("This schedule has no future deliveries.", attr)


def _check_slack(call: Call, after: Doc) -> None:
    if after["target_type"] != "slack":
        return
    number = after["integration_id"]
    found = number is not None and fits(number)
    row = call.store.one("select * from integration where id = ?", number) if found else None
    fault = None
    if number is None:
        fault = "A Slack integration is required."
    elif row is None or row["project_id"] != call.project["id"]:
        fault = "This integration does not belong to your project."
    elif row["kind"] != "slack":
        fault = "This integration is not a Slack integration."
    if fault:
        raise errors.invalid(fault, "integration_id")


def _check_webhook(after: Doc) -> None:
    fault = webhooks.fault(after["target_value"]) if after["target_type"] == "webhook" else None
    if fault:
        raise errors.invalid(fault, "target_value")


def _check_summary(call: Call, sent: Doc, old: Doc | None, after: Doc) -> None:
    organization = call.organization["doc"]
    if sent.get("summary_prompt_guide") and not organization["summary_prompt_guide"]:
        raise errors.denied("Prompt guides for summaries are not enabled for your organization.")
    if sent.get("summary_enabled") and not organization["is_ai_data_processing_approved"]:
        raise errors.denied("Your organization has not approved AI data processing.")
    quota = summary_quota(call)
    if summarised(after) and not (old and summarised(old)) and quota["at_limit"]:
        detail = f"Your organization has reached its limit of {quota['limit']} AI summaries."
        raise errors.payment_required(detail, "quota_limit_exceeded")


def summarised(doc: Doc) -> bool:
    """Whether a subscription counts against the cap: paused ones do, deleted ones do not."""
    return bool(doc["summary_enabled"] and not doc["deleted"])


def summary_quota(call: Call) -> dict[str, Any]:
    """How many summaries the organization has over all its projects, and how many it may have (None: no cap)."""
    sql = "select s.doc from subscription s join project p on p.id = s.project_id where p.organization_id = ?"
    count = sum(summarised(row["doc"]) for row in call.store.all(sql, call.organization["id"]))
    limit = SUMMARY_LIMITS.get(call.organization["doc"]["plan"])
    return {"active_count": count, "limit": limit, "at_limit": limit is not None and count >= limit}


def _check_project_cap(call: Call) -> None:
    sql = "select count(*) from subscription where project_id = ? and not json_extract(doc, '$.deleted')"
    current, limit = call.store.value(sql, call.project["id"]), call.project["doc"]["max_subscriptions"]
    if current >= limit:
        extra = {
            "limit_key": "analytics.max_subscriptions_per_team",
            "limit": limit,
            "current": current,
            "request": None,
        }
        detail = f"This project has reached its limit of {limit} subscriptions."
        raise errors.refusal(402, "limit_exceeded", "limit_exceeded", detail, extra=extra)
