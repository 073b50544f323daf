"""The rules across the fields of a subscription, in the order in which the server checks them."""

from __future__ import annotations

from typing import Final

from ..context import RequestContext
from ..responses import api_error
from ..schedule import SCHEDULE_FIELDS, next_delivery
from ..store import Row
from ..validation import validate
from .subscription_change import Change, find_resource
from .subscription_content import check_exports, check_prompt, check_resource
from .subscription_fields import RESOURCE_FIELDS, fields_of
from .subscription_limits import check_plan_limit, check_project_limit, check_summary
from .targets import target_problem

DELIVERABLE: Final = ("email", "slack", "teams")
ENDED: Final = "Subscription schedule has reached its end date. Extend until_date or remove count"


def check(context: RequestContext, row: Row | None) -> Change:
    """Validate a request that creates a subscription, or changes the one in `row`."""
    # The server looks the dashboard and the insight up before it validates the other fields.
    for table, number in validate(RESOURCE_FIELDS, context.body, partial=True).items():
        if number is not None and find_resource(context, table, number) is None:
            raise api_error(400, f'Invalid pk "{number}" - object does not exist.', table, "does_not_exist")
    fields = fields_of(context.era)
    sent = validate(fields, context.body, partial=row is not None)
    old = row["doc"] if row else None
    stored = {name: value for name, value in sent.items() if fields[name].stored}
    change = Change(context, sent, old, (old or {}) | stored)
    for rule in RULES:
        rule(change)
    return change


def _check_channel(change: Change) -> None:
    if not change.enables_again:
        return
    target_type = change.new["target_type"]
    if target_type == "slack" and change.new["integration_id"] is None:
        detail = "Cannot re-enable Slack subscription: no integration configured. Reconnect Slack first."
        raise api_error(400, detail, "enabled")
    if target_type not in DELIVERABLE:
        detail = f"Cannot re-enable {target_type} subscription: this channel is not supported."
        raise api_error(400, detail, "enabled")


def _check_schedule(change: Change) -> None:
    new, position = change.new, change.new["bysetpos"]
    if new["byweekday"] and position is not None and not 1 <= abs(position) <= 366:
        raise api_error(400, "Must be from 1 to 366 or from -366 to -1.", "bysetpos")
    changed = new["enabled"] and any(name in change.sent for name in SCHEDULE_FIELDS)
    required = change.old is None or change.enables_again or changed
    if not required or next_delivery(new, change.context.now, change.context.era) is not None:
        return
    if change.enables_again:
        raise api_error(400, f"{ENDED} before re-enabling.", "enabled")
    raise api_error(400, f"{ENDED}.", "start_date" if change.old is None else None)


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


def _check_target(change: Change) -> None:
    problem = target_problem(change.new["target_type"], change.new["target_value"])
    if problem:
        raise api_error(400, problem, "target_value")


RULES: Final = (
    check_plan_limit, check_resource, check_prompt, check_exports, _check_channel, _check_schedule, _check_slack,
    _check_target, check_summary, check_project_limit,
)  # fmt: skip
