"""What is there on the first day: organizations on three plans, and a product team's subscriptions."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from . import personas, schedule
from .sharing import sealed
from .store import Store
from .times import stamp

START: Final = "2025-01-06T09:00:00Z"
FEATURES: Final = {
    "free": [],
    "paid": ["subscriptions", "advanced_permissions", "white_labelling"],
    "enterprise": ["subscriptions", "advanced_permissions", "white_labelling", "organization_security_settings"],
}
SPACE: Final = uuid.UUID("5a2db0c5-0000-4000-8000-000000000013")
DAY: Final = timedelta(days=1)


def fixed(name: str) -> str:
    """The same UUID on every machine."""
    return str(uuid.uuid5(SPACE, name))


ANALYTICAL, HOBBY, COMPILERS = fixed("Analytical Engines"), fixed("Hobby Kernel"), fixed("Compilers")


def sow(store: Store, now: datetime) -> None:
    """Fills an empty store. All dates are fixed, but next deliveries, which lie ahead of ``now``."""
    _organizations(store)
    _people(store)
    _credentials(store, now)
    _resources(store)
    _subscriptions(store, now)
    _recordings(store)


def _organizations(store: Store) -> None:
    _organization(store, ANALYTICAL, "Analytical Engines", "paid")
    _organization(store, HOBBY, "Hobby Kernel", "free", is_ai_data_processing_approved=False)
    strict: dict[str, Any] = {"public_sharing": False, "personal_keys": False, "sso_domains": ["compilers.example"]}
    _organization(store, COMPILERS, "Compilers", "enterprise", **strict, summary_prompt_guide=False)
    _project(store, 1, ANALYTICAL, "Engine", personas.PUBLIC_KEY)
    _project(store, 2, ANALYTICAL, "Mill", "phc_sandboxProjectTwo00000000000000000000000002")
    _project(store, 3, HOBBY, "Kernel", "phc_sandboxProjectThree000000000000000000000003")
    _project(store, 4, COMPILERS, "COBOL", "phc_sandboxProjectFour0000000000000000000000004")


def _organization(store: Store, key: str, name: str, plan: str, **rest: Any) -> None:
    doc: dict[str, Any] = {
        "name": name,
        "slug": name.lower().replace(" ", "-"),
        "plan": plan,
        "features": FEATURES[plan],
    }
    doc |= {"created_at": START, "personal_keys": True, "public_sharing": True, "sso_domains": []}
    doc |= {"is_ai_data_processing_approved": True, "summary_prompt_guide": True}
    store.insert("organization", id=key, doc=doc | rest)


def _project(store: Store, key: int, organization: str, name: str, token: str) -> None:
    doc = {"name": name, "uuid": fixed(f"project {key}"), "api_token": token, "timezone": "UTC"}
    store.insert("project", id=key, organization_id=organization, doc=doc | {"max_subscriptions": 200})


def _people(store: Store) -> None:
    ada: dict[str, Any] = {"role_at_organization": "product", "github_login": "ada-lovelace"}
    ada |= {"hedgehog_config": {"use_as_profile": True, "color": "purple", "accessories": ["top-hat"]}}
    _person(store, "Ada", "Lovelace", "ada@analytical.example", {ANALYTICAL: 15}, 1, **ada)
    _person(store, "Charles", "Babbage", "charles@analytical.example", {ANALYTICAL: 1}, 1)
    _person(store, "Hedy", "Lamarr", "hedy@analytical.example", {ANALYTICAL: 8, HOBBY: 1}, 1, is_staff=True, passkeys=1)
    _person(store, "Linus", "Kernel", "linus@hobby.example", {HOBBY: 15}, 3, password=None, has_social_auth=True)
    _person(store, "Grace", "Hopper", "grace@compilers.example", {COMPILERS: 8}, 4)
    _person(store, "Alan", "Turing", "alan@compilers.example", {COMPILERS: 1}, 4)
    _person(store, "Noor", "Alone", "noor@alone.example", {}, None)
    _person(store, "Gone", "Away", "gone@analytical.example", {}, None, is_active=False)


def _person(
    store: Store, first: str, last: str, email: str, levels: dict[str, int], project: int | None, **rest: Any
) -> None:
    doc: dict[str, Any] = {
        "first_name": first, "last_name": last, "date_joined": START, "distinct_id": fixed(f"distinct {email}"),
        "pending_email": None, "is_email_verified": True, "is_staff": False, "is_active": True,
        "password": sealed(personas.PASSWORD), "passkeys": 0, "passkeys_enabled_for_2fa": None, "github_login": None,
        "notification_settings": {}, "anonymize_data": False, "allow_impersonation": None, "toolbar_mode": "toolbar",
        "events_column_config": {"active": "DEFAULT"}, "has_seen_product_intro_for": None, "scene_personalisation": [],
        "theme_mode": None, "hedgehog_config": None, "allow_sidebar_suggestions": None, "shortcut_position": None,
        "role_at_organization": None, "hide_mcp_hints": False, "has_social_auth": False,
        "credentials_reviewed_at": None, "current_project": project, "current_organization": next(iter(levels), None),
    }  # fmt: skip
    key = store.insert("person", uuid=fixed(email), email=email, doc=doc | rest)
    for organization, level in levels.items():
        store.insert("membership", person_id=key, organization_id=organization, level=level)


def _credentials(store: Store, now: datetime) -> None:
    reading = "sharing_configuration:read subscription:read user:read"
    writing = "sharing_configuration:write subscription:write user:write"
    _credential(store, personas.FULL_KEY, 1, "*")
    _credential(store, personas.READ_ONLY_KEY, 1, reading)
    _credential(store, personas.OTHER_PROJECT_KEY, 1, writing, projects=[2])
    _credential(store, personas.OTHER_ORGANIZATION_KEY, 1, writing, organizations=[HOBBY])
    _credential(store, personas.LEGACY_KEY, 1, writing)
    _credential(store, personas.STAFF_KEY, 3, "*")
    _credential(store, personas.FREE_KEY, 4, "*")
    _credential(store, personas.ENTERPRISE_KEY, 5, "*")
    _credential(store, personas.MEMBER_KEY, 6, "*")
    _credential(store, personas.NO_ORGANIZATION_KEY, 7, "*")
    _credential(store, personas.OAUTH_TOKEN, 1, f"openid profile {writing}", "oauth")
    _credential(store, personas.SCOPELESS_OAUTH_TOKEN, 1, "", "oauth")
    _credential(store, personas.EXPIRED_OAUTH_TOKEN, 1, writing, "oauth", expires_at=stamp(now - DAY))
    _credential(store, personas.SESSION_ID, 1, "*", "session")
    _credential(store, personas.NO_ORGANIZATION_SESSION_ID, 7, "*", "session")
    _credential(store, personas.STALE_SESSION_ID, 1, "*", "session", logged_in_at=stamp(now - 3 * DAY))


def _credential(store: Store, secret: str, person: int, scopes: str, kind: str = "personal", **rest: Any) -> None:
    store.insert("credential", secret=secret, kind=kind, person_id=person, doc={"scopes": scopes} | rest)


def _resources(store: Store) -> None:
    _dashboard(store, 1, 1, "Product growth")
    _dashboard(store, 2, 1, "Launch week")
    _dashboard(store, 3, 2, "Mill operations")
    _insight(store, 1, 1, "aB3dE5fG", "Weekly active users", dashboards=[1, 2])
    _insight(store, 2, 1, "hJ7kL9mN", "Sign-up funnel", dashboards=[1])
    _insight(store, 3, 1, "pQ2rS4tU", "Retention by cohort", dashboards=[1])
    _insight(store, 4, 1, "vW6xY8zA", None, dashboards=[1, 2], derived="Pageview count")
    _insight(store, 5, 1, "bC1dF3gH", "Revenue per plan", dashboards=[1])
    _insight(store, 6, 1, "jK5lM7nP", "Errors per release", dashboards=[1])
    _insight(store, 7, 1, "qR9sT2uV", "Feature adoption", dashboards=[1])
    _insight(store, 8, 1, "wX4yZ6aB", "Old checkout funnel", deleted=True)
    _insight(store, 9, 2, "cD8eF1gJ", "Mill throughput", dashboards=[3])
    _insight(store, 10, 4, "kL3mN5pQ", "Compile times")
    store.execute("update tile set deleted = 1 where dashboard_id = 2 and insight_id = 4")
    for key, project, kind in ((1, 1, "slack"), (2, 1, "github"), (3, 2, "slack"), (4, 4, "slack")):
        store.insert("integration", id=key, project_id=project, kind=kind)


def _dashboard(store: Store, key: int, project: int, name: str) -> None:
    store.insert("dashboard", id=key, project_id=project, doc={"name": name, "deleted": False})


def _insight(
    store: Store,
    key: int,
    project: int,
    short_id: str,
    name: str | None,
    *,
    dashboards: list[int] | None = None,
    derived: str | None = None,
    deleted: bool = False,
) -> None:
    doc = {"short_id": short_id, "name": name, "derived_name": derived, "deleted": deleted}
    store.insert("insight", id=key, project_id=project, doc=doc)
    for dashboard in dashboards or []:
        store.insert("tile", dashboard_id=dashboard, insight_id=key, deleted=0)


def _subscriptions(store: Store, now: datetime) -> None:
    """In project 1: weekly mail, a paused one, one with a summary, a monthly dashboard, a deleted one, and Slack."""
    team = "ada@analytical.example,charles@analytical.example"
    slack: dict[str, Any] = {"target_type": "slack", "integration_id": 1}
    _subscription(store, now, 1, title="Weekly growth", insight=1, target_value=team, byweekday=["monday"])
    _subscription(store, now, 1, title="Funnel watch", insight=2, frequency="daily", enabled=False)
    _subscription(store, now, 1, title="Retention digest", insight=3, summary_enabled=True, interval=2)
    monthly: dict[str, Any] = {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 1}
    _subscription(store, now, 1, title="Board report", dashboard=1, dashboard_export_insights=[1, 2, 5], **monthly)
    _subscription(store, now, 1, title="Old checkout report", insight=2, deleted=True)
    _subscription(store, now, 1, title=None, insight=4, target_value="C0GROWTH|#growth", frequency="daily", **slack)
    _subscription(store, now, 2, title="Mill throughput", insight=9)
    _subscription(store, now, 4, title="Compile times", insight=10, target_value="grace@compilers.example", by=5)


def _subscription(store: Store, now: datetime, project: int, *, by: int = 1, **given: Any) -> None:
    doc: dict[str, Any] = {
        "dashboard": None, "insight": None, "dashboard_export_insights": [], "target_type": "email",
        "target_value": "ada@analytical.example", "frequency": "weekly", "interval": 1, "byweekday": None,
        "bysetpos": None, "count": None, "start_date": START, "until_date": None, "deleted": False, "enabled": True,
        "title": None, "integration_id": None, "summary_enabled": False, "summary_prompt_guide": "",
        "created_by": by, "delivering_until": None,
    }  # fmt: skip
    doc |= given
    number = store.value("select count(*) from subscription")
    doc |= {"created_at": f"2025-01-03T10:0{number}:00Z", "next_delivery_date": schedule.next_date(doc, now)}
    store.insert("subscription", project_id=project, doc=doc)


def _recordings(store: Store) -> None:
    """One recording asks for a password and has one, one is shared openly; any other was never shared."""
    guarded = _sharing(store, "0190a1b2-checkout-bug", password_required=True, token="sandboxGuardedRecordingToken01")
    _sharing(store, "0190a1b2-onboarding-tour", password_required=False, token="sandboxOpenRecordingToken00001")
    doc = {"created_at": START, "created_by": 1, "note": "support team", "is_active": True}
    store.insert("share_password", sharing_id=guarded, doc=doc | {"secret": sealed(personas.PASSWORD)})


def _sharing(store: Store, recording: str, *, password_required: bool, token: str) -> int:
    doc = {"created_at": START, "enabled": True, "access_token": token, "settings": {"showInspector": False}}
    doc |= {"password_required": password_required, "expires_at": None}
    return store.insert("sharing", project_id=1, recording_id=recording, doc=doc)
