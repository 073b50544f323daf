"""The initial content of a database: organizations on three plans, their users and subscriptions."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from . import fixtures
from .auth import hash_password
from .eras import Era
from .schedule import next_delivery
from .store import Doc, Store, format_timestamp

START: Final = "2025-01-06T09:00:00Z"
NAMESPACE: Final = uuid.UUID("5a2db0c5-0000-4000-8000-000000000013")
DAY: Final = timedelta(days=1)
READ: Final = "sharing_configuration:read subscription:read user:read"
WRITE: Final = "sharing_configuration:write subscription:write user:write"


def stable_uuid(name: str) -> str:
    """A UUID that is the same on every machine."""
    return str(uuid.uuid5(NAMESPACE, name))


ANALYTICAL, HOBBY, COMPILERS = map(stable_uuid, ("Analytical Engines", "Hobby Kernel", "Compilers"))
PAID_FEATURES: Final = ["subscriptions", "advanced_permissions", "white_labelling"]
ORGANIZATION: Final[Doc] = {
    "created_at": START, "personal_keys": True, "public_sharing": True, "sso_domains": [],
    "is_ai_data_processing_approved": True, "summary_prompt_guide": True, "ai_credits_used_up": False,
    "notification_locks": [], "verified_domains": [],
}  # fmt: skip
STRICT: Final[Doc] = {
    "personal_keys": False, "public_sharing": False, "sso_domains": ["compilers.example"], "summary_prompt_guide": False,
}  # fmt: skip
# name, plan, features, changes
ORGANIZATIONS: Final[tuple[tuple[str, str, list[str], Doc], ...]] = (
    ("Analytical Engines", "paid", PAID_FEATURES, {}),
    ("Hobby Kernel", "free", [], {"is_ai_data_processing_approved": False}),
    ("Compilers", "enterprise", [*PAID_FEATURES, "organization_security_settings"], STRICT),
)
# organization, name, public key
PROJECTS: Final = (
    (ANALYTICAL, "Engine", fixtures.PUBLIC_KEY),
    (ANALYTICAL, "Mill", "phc_sandboxProjectTwo00000000000000000000000002"),
    (HOBBY, "Kernel", "phc_sandboxProjectThree000000000000000000000003"),
    (COMPILERS, "COBOL", "phc_sandboxProjectFour0000000000000000000000004"),
)
USER: Final[Doc] = {
    "date_joined": START, "pending_email": None, "is_email_verified": True, "is_staff": False, "is_active": True,
    "password": hash_password(fixtures.PASSWORD), "passkeys": 0, "passkeys_enabled_for_2fa": None, "github_login": None,
    "notification_settings": {}, "anonymize_data": False, "allow_impersonation": None, "toolbar_mode": "toolbar",
    "events_column_config": {"active": "DEFAULT"}, "has_seen_product_intro_for": None, "scene_personalisation": [],
    "theme_mode": None, "hedgehog_config": None, "allow_sidebar_suggestions": None, "shortcut_position": None,
    "role_at_organization": None, "ui_configuration": None, "hide_mcp_hints": False, "has_social_auth": False, "credentials_reviewed_at": None,
}  # fmt: skip
ADA: Final[Doc] = {
    "role_at_organization": "product", "github_login": "ada-lovelace",
    "hedgehog_config": {"use_as_profile": True, "color": "purple", "accessories": ["top-hat"]},
}  # fmt: skip
# name, e-mail, membership levels, current project, changes
USERS: Final[tuple[tuple[str, str, dict[str, int], int | None, Doc], ...]] = (
    ("Ada Lovelace", "ada@analytical.example", {ANALYTICAL: 15}, 1, ADA),
    ("Charles Babbage", "charles@analytical.example", {ANALYTICAL: 1}, 1, {}),
    ("Hedy Lamarr", "hedy@analytical.example", {ANALYTICAL: 8, HOBBY: 1}, 1, {"is_staff": True, "passkeys": 1}),
    ("Linus Kernel", "linus@hobby.example", {HOBBY: 15}, 3, {"password": None, "has_social_auth": True}),
    ("Grace Hopper", "grace@compilers.example", {COMPILERS: 8}, 4, {}),
    ("Alan Turing", "alan@compilers.example", {COMPILERS: 1}, 4, {}),
    ("Noor Alone", "noor@alone.example", {}, None, {}),
    ("Gone Away", "gone@analytical.example", {}, None, {"is_active": False}),
)
# project, name
DASHBOARDS: Final = ((1, "Product growth"), (1, "Launch week"), (2, "Mill operations"))
# project, short id, name, dashboards with a tile of the insight
INSIGHTS: Final = (
    (1, "aB3dE5fG", "Weekly active users", (1, 2)),
    (1, "hJ7kL9mN", "Sign-up funnel", (1,)),
    (1, "pQ2rS4tU", "Retention by cohort", (1,)),
    (1, "vW6xY8zA", None, (1, 2)),
    (1, "bC1dF3gH", "Revenue per plan", (1,)),
    (1, "jK5lM7nP", "Errors per release", (1,)),
    (1, "qR9sT2uV", "Feature adoption", (1,)),
    (1, "wX4yZ6aB", "Old checkout funnel", ()),
    (2, "cD8eF1gJ", "Mill throughput", (3,)),
    (4, "kL3mN5pQ", "Compile times", ()),
)
DELETED_INSIGHT: Final = 8
# dashboard, insight
DELETED_TILE: Final = (2, 4)
# project, kind
INTEGRATIONS: Final = ((1, "slack"), (1, "github"), (2, "slack"), (4, "slack"))
SUBSCRIPTION: Final[Doc] = {
    "dashboard": None, "insight": None, "prompt": None, "dashboard_export_insights": [], "target_type": "email",
    "target_value": "ada@analytical.example", "frequency": "weekly", "interval": 1, "byweekday": None,
    "bysetpos": None, "count": None, "start_date": START, "until_date": None, "deleted": False, "enabled": True,
    "title": None, "integration_id": None, "summary_enabled": False, "summary_prompt_guide": "", "created_by": 1,
    "delivering_until": None,
}  # fmt: skip
TEAM: Final = "ada@analytical.example,charles@analytical.example"
MONTHLY: Final[Doc] = {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 1}
SLACK: Final[Doc] = {"target_type": "slack", "target_value": "C0GROWTH|#growth", "integration_id": 1}
# project, changes
SUBSCRIPTIONS: Final[tuple[tuple[int, Doc], ...]] = (
    (1, {"title": "Weekly growth", "insight": 1, "target_value": TEAM, "byweekday": ["monday"]}),
    (1, {"title": "Funnel watch", "insight": 2, "frequency": "daily", "enabled": False}),
    (1, {"title": "Retention digest", "insight": 3, "summary_enabled": True, "interval": 2}),
    (1, {"title": "Board report", "dashboard": 1, "dashboard_export_insights": [1, 2, 5], **MONTHLY}),
    (1, {"title": "Old checkout report", "insight": 2, "deleted": True}),
    (1, {"insight": 4, "frequency": "daily", **SLACK}),
    (2, {"title": "Mill throughput", "insight": 9}),
    (4, {"title": "Compile times", "insight": 10, "target_value": "grace@compilers.example", "created_by": 5}),
)
# recording, link, whether it requires a password
RECORDINGS: Final = (
    ("0190a1b2-checkout-bug", "sandboxGuardedRecordingToken01", True),
    ("0190a1b2-onboarding-tour", "sandboxOpenRecordingToken00001", False),
)


def credentials(now: datetime) -> list[tuple[str, str, int, Doc]]:
    """The kind, secret, user and grant of each credential."""
    everything, write, days_ago = {"scopes": "*"}, {"scopes": WRITE}, format_timestamp(now - 3 * DAY)
    return [
        ("personal", fixtures.FULL_KEY, 1, everything),
        ("personal", fixtures.READ_ONLY_KEY, 1, {"scopes": READ}),
        ("personal", fixtures.OTHER_PROJECT_KEY, 1, write | {"projects": [2]}),
        ("personal", fixtures.OTHER_ORGANIZATION_KEY, 1, write | {"organizations": [HOBBY]}),
        ("personal", fixtures.LEGACY_KEY, 1, write),
        ("personal", fixtures.STAFF_KEY, 3, everything),
        ("personal", fixtures.FREE_KEY, 4, everything),
        ("personal", fixtures.ENTERPRISE_KEY, 5, everything),
        ("personal", fixtures.MEMBER_KEY, 6, everything),
        ("personal", fixtures.NO_ORGANIZATION_KEY, 7, everything),
        ("oauth", fixtures.OAUTH_TOKEN, 1, {"scopes": f"openid profile {WRITE}"}),
        ("oauth", fixtures.SCOPELESS_OAUTH_TOKEN, 1, {"scopes": ""}),
        ("oauth", fixtures.EXPIRED_OAUTH_TOKEN, 1, write | {"expires_at": format_timestamp(now - DAY)}),
        ("session", fixtures.SESSION_ID, 1, everything),
        ("session", fixtures.NO_ORGANIZATION_SESSION_ID, 7, everything),
        ("session", fixtures.STALE_SESSION_ID, 1, everything | {"logged_in_at": days_ago}),
    ]


def seed(store: Store, now: datetime, era: Era) -> None:
    """Fill an empty store. All dates are fixed, except next deliveries, which lie after `now`."""
    for name, plan, features, changes in ORGANIZATIONS:
        doc = {"name": name, "slug": name.lower().replace(" ", "-"), "plan": plan, "features": features}
        store.insert("organization", id=stable_uuid(name), doc=doc | ORGANIZATION | changes)
    for key, (organization, name, token) in enumerate(PROJECTS, 1):
        doc = {"name": name, "uuid": stable_uuid(f"project {key}"), "api_token": token, "timezone": "UTC"}
        store.insert("project", organization_id=organization, doc=doc | {"max_subscriptions": 200})
    _seed_users(store, now)
    for project, title in DASHBOARDS:
        store.insert("dashboard", project_id=project, doc={"name": title, "deleted": False})
    for key, (project, short_id, shown_name, dashboards) in enumerate(INSIGHTS, 1):
        insight = {"short_id": short_id, "name": shown_name, "derived_name": None if shown_name else "Pageview count"}
        store.insert("insight", project_id=project, doc=insight | {"deleted": key == DELETED_INSIGHT})
        for dashboard in dashboards:
            store.insert("tile", dashboard_id=dashboard, insight_id=key, deleted=(dashboard, key) == DELETED_TILE)
    for project, kind in INTEGRATIONS:
        store.insert("integration", project_id=project, kind=kind)
    for number, (project, changes) in enumerate(SUBSCRIPTIONS):
        subscription = SUBSCRIPTION | changes | {"created_at": f"2025-01-03T10:0{number}:00Z"}
        subscription["next_delivery_date"] = next_delivery(subscription, now, era)
        store.insert("subscription", project_id=project, doc=subscription)
    for recording, token, protected in RECORDINGS:
        shared: Doc = {"created_at": START, "enabled": True, "settings": {"showInspector": False}, "expires_at": None}
        shared |= {"access_token": token, "password_required": protected}
        store.insert("sharing", project_id=1, recording_id=recording, doc=shared)
    password: Doc = {"created_at": START, "created_by": 1, "note": "support team", "is_active": True}
    store.insert("share_password", sharing_id=1, doc=password | {"secret": hash_password(fixtures.PASSWORD)})


def _seed_users(store: Store, now: datetime) -> None:
    for name, email, levels, project, changes in USERS:
        first_name, last_name = name.split()
        doc: Doc = {"first_name": first_name, "last_name": last_name, "distinct_id": stable_uuid(f"distinct {email}")}
        doc |= {"current_project": project, "current_organization": next(iter(levels), None)}
        key = store.insert("person", uuid=stable_uuid(email), email=email, doc=doc | USER | changes)
        for organization, level in levels.items():
            store.insert("membership", person_id=key, organization_id=organization, level=level)
    for kind, secret, user, grant in credentials(now):
        store.insert("credential", secret=secret, kind=kind, person_id=user, doc=grant)
