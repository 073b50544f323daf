"""The 13 steps of the demo: a product team works with subscriptions and shared recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...jsonio import JSON
from ...templates.language import fill
from .runner import Demo, DemoError, Expect

TEAM = ["ada@analytical.example", "charles@analytical.example"]
SUBSCRIPTION_LINE = "{id}  {title}: {summary}, enabled {enabled}, to {target_value}"
CREATE, UPDATE, SEND = "subscriptions-create", "subscriptions-partial-update", "subscriptions-test-delivery-create"


async def play(demo: Demo) -> None:
    """Run all steps.

    Raises:
        DemoError: A step did not have the expected result.
    """
    project = await look_around(demo)
    subscription = await create_subscription(demo, project)
    await send_subscription(demo, subscription)
    await delete_and_restore(demo, subscription)
    await share_recording(demo, {**project, "recording_id": "0190a1b2-checkout-bug"})


async def look_around(demo: Demo) -> dict[str, Any]:
    """Read the user, the subscriptions and the quota; return the argument that selects the project."""
    line = "{first_name} {last_name} <{email}>, project {team.id} {team.name} of {organization.name}"
    me = await demo.step("Who am I, and in which project?", "users-retrieve", {}, Expect({"email": TEAM[0]}), line)
    email = {"target_type": "email"}
    listed = await demo.step("Which subscriptions exist?", "subscriptions-list", email, Expect({"count": 4}), "")
    for row in listed["results"]:
        demo.show(fill(SUBSCRIPTION_LINE, **row))
    unused = Expect({"active_count": 1, "at_limit": False})
    quota = "subscriptions-summary-quota-retrieve"
    await demo.step("How many AI summaries are left?", quota, {}, unused, "{active_count} of {limit} in use")
    return {"project_id": me["team"]["id"]}


async def create_subscription(demo: Demo, project: JSON) -> JSON:
    """Create a subscription at the second attempt; return the arguments that select it."""
    fields = {"title": "Monday numbers", "insight": 1, "target_type": "email", "target_value": ",".join(TEAM)}
    fields |= {"start_date": "2026-01-05T09:00:00Z", "enabled": False}
    wrong = {**fields, "frequency": "week", "weekday": "monday"}
    corrections = ('"weekly"', '"byweekday"', "project_id=1 ")
    rejected = Expect(error="invalid_arguments", contains=corrections)
    await demo.step("Create a weekly subscription, with three mistakes", CREATE, wrong, rejected)

    title = "Create it again with the corrections; paused, so that nothing is sent yet"
    right = {**project, **fields, "frequency": "weekly", "byweekday": ["monday"]}
    paused = Expect({"enabled": False, "summary": "every week on Monday at 09:00 UTC"})
    created = await demo.step(title, CREATE, right, paused, "{id}  {title}, {summary}; enabled {enabled}\n{done}")
    return {**project, "id": created["id"]}


async def send_subscription(demo: Demo, target: JSON) -> None:
    """Enable the subscription for a test delivery, and pause it again."""
    title = "Send a test delivery: rejected while the subscription is paused"
    conflict = Expect({"status": 409}, confirmed=True, error="conflict", contains=("enabled=true",))
    await demo.step(title, SEND, target, conflict)

    enabled, line = Expect({"enabled": True}, confirmed=True), "enabled {enabled}\n{done}"
    await demo.step("Enable the subscription", UPDATE, {**target, "enabled": True}, enabled, line)
    await demo.step("Send the test delivery again", SEND, target, Expect(confirmed=True))
    await demo.step("Pause the subscription", UPDATE, {**target, "enabled": False}, Expect({"enabled": False}), line)


async def delete_and_restore(demo: Demo, target: JSON) -> None:
    """Delete the subscription and restore it."""
    title = "Delete it: the API only marks it as deleted, and the result says so"
    await demo.step(title, "subscriptions-destroy", target, Expect({"deleted": True}), "deleted {deleted}\n{done}")
    line = "deleted {deleted}, enabled {enabled}\n{done}"
    restored = Expect({"deleted": False, "enabled": False}, confirmed=True)
    await demo.step("Restore it", UPDATE, {**target, "deleted": False}, restored, line)


async def share_recording(demo: Demo, recording: JSON) -> None:
    """Add a password and replace the link. Neither is printed."""
    tool, note = "session-recordings-sharing-passwords-create", {"note": "for the board"}
    line = 'password {id} "{note}": ************\n{done}'
    await demo.step("Add a password to a shared recording", tool, {**recording, **note}, Expect(note), line)
    tool = "session-recordings-sharing-refresh-create"
    replaced = Expect({"password_required": True}, confirmed=True)
    await demo.step(
        "Replace the public link of the recording", tool, recording, replaced, "/shared/************\n{done}"
    )


def show_outbox(demo: Demo, messages: Sequence[JSON]) -> None:
    """Print the messages that would have been sent.

    Raises:
        DemoError: They are not the expected ones.
    """
    demo.heading("Messages that would have been sent")
    for message in messages:
        demo.show(fill('{why}: {channel} "{subject}" to {recipients}', **message))
    sent = [(message["why"], message["recipients"]) for message in messages]
    if sent != [("re-enabled", TEAM), ("test", TEAM)]:
        raise DemoError(f"unexpected messages in the outbox: {sent}")
