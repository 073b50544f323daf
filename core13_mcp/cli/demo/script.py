"""The conversation of the demo: a product manager and an agent work with reports and a shared recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...jsonio import JSON
from ...templates.language import fill
from .expect import DemoError, Expect
from .runner import Demo

INTRODUCTION = (
    "An AI agent manages reports and a shared recording in PostHog for you. The agent's part is scripted. The tool calls, "
    "results, errors and questions are real. PostHog is a built-in imitation, so nothing is sent to anyone."
)

TEAM = ["ada@analytical.example", "charles@analytical.example"]
LIST, CREATE, UPDATE = "subscriptions-list", "subscriptions-create", "subscriptions-partial-update"
DELETE, SEND = "subscriptions-destroy", "subscriptions-test-delivery-create"
ADD_PASSWORD, REPLACE_LINK = "session-recordings-sharing-passwords-create", "session-recordings-sharing-refresh-create"


async def play(demo: Demo) -> None:
    """Play the whole conversation.

    Raises:
        DemoError: A call did not have the expected outcome.
    """
    project = await look_around(demo)
    report = await create_report(demo, project)
    await send_report(demo, report)
    await delete_and_restore(demo, report)
    await share_recording(demo, {**project, "recording_id": "0190a1b2-checkout-bug"})


async def look_around(demo: Demo) -> dict[str, Any]:
    """Read the user and the reports; return the argument that selects the project."""
    demo.transcript.request("Who am I in PostHog, and which reports do we send by email?")
    line = "{first_name} {last_name}, {email}; project {team.id}, {team.name}"
    me = await demo.call("users-retrieve", {}, Expect({"email": TEAM[0]}), line)
    email = {"target_type": "email"}
    listed = await demo.call(LIST, email, Expect({"count": 4}), "{count} reports:")
    for row in listed["results"]:
        state = "on" if row["enabled"] else "paused"
        demo.transcript.say("", fill(f"{{id}}: {{title}}, {{summary}}, {state}", **row))
    return {"project_id": me["team"]["id"]}


async def create_report(demo: Demo, project: JSON) -> JSON:
    """Create a report at the second attempt; return the arguments that select it."""
    demo.transcript.request("Email insight 1 to Charles and me every Monday at 9:00. Send nothing yet.")
    fields = {"title": "Monday numbers", "insight": 1, "target_type": "email", "target_value": ",".join(TEAM)}
    fields |= {"start_date": "2026-01-05T09:00:00Z", "enabled": False}
    wrong = {**fields, "frequency": "week", "weekday": "monday"}
    corrections = ('"weekly"', '"byweekday"', "project_id=1 ")
    await demo.call(CREATE, wrong, Expect(error="invalid_arguments", contains=corrections))

    right = {**project, **fields, "frequency": "weekly", "byweekday": ["monday"]}
    paused = Expect({"enabled": False, "summary": "every week on Monday at 09:00 UTC"})
    created = await demo.call(CREATE, right, paused, "Report {id}: {title}, {summary}.\n{done}")
    return {**project, "id": created["id"]}


async def send_report(demo: Demo, report: JSON) -> None:
    """Send a test, which works only while the report is on, and pause the report afterwards."""
    demo.transcript.request("Send us a test of it now.")
    conflict = Expect({"status": 409}, confirmed=True, error="conflict", contains=("enabled=true",))
    await demo.call(SEND, report, conflict)
    await demo.call(UPDATE, {**report, "enabled": True}, Expect({"enabled": True}, confirmed=True))
    await demo.call(SEND, report, Expect(confirmed=True))
    demo.transcript.request("Pause it again.")
    await demo.call(UPDATE, {**report, "enabled": False}, Expect({"enabled": False}))


async def delete_and_restore(demo: Demo, report: JSON) -> None:
    """Delete the report and restore it."""
    demo.transcript.request("Delete it.")
    await demo.call(DELETE, report, Expect({"deleted": True}))
    demo.transcript.request("I was wrong, bring it back.")
    restored = Expect({"deleted": False, "enabled": False}, confirmed=True)
    await demo.call(UPDATE, {**report, "deleted": False}, restored)


async def share_recording(demo: Demo, recording: JSON) -> None:
    """Add a password and replace the link. Neither is printed."""
    demo.transcript.request("Give the shared recording 0190a1b2-checkout-bug a password for the board, and a new link.")
    note = {"note": "for the board"}
    await demo.call(ADD_PASSWORD, {**recording, **note}, Expect(note), "Password {id}, {note}: ************")
    replaced = Expect({"password_required": True}, confirmed=True)
    await demo.call(REPLACE_LINK, recording, replaced, "New link: /shared/************")


def show_outbox(demo: Demo, messages: Sequence[JSON]) -> None:
    """Print the messages that would have been sent.

    Raises:
        DemoError: They are not the expected ones.
    """
    demo.transcript.heading("Messages that PostHog would have sent")
    for message in messages:
        demo.transcript.say(message["channel"].capitalize(), fill('"{subject}" to {recipients} ({why})', **message))
    sent = [(message["why"], message["recipients"]) for message in messages]
    if sent != [("re-enabled", TEAM), ("test", TEAM)]:
        raise DemoError(f"unexpected messages in the outbox: {sent}")
