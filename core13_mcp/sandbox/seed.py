"""The initial content of a database: organizations on three plans, their users and subscriptions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from . import fixtures
from .auth import hash_password
from .schedule import next_delivery
from .store import Store
from .timestamps import format_timestamp

START: Final = "2025-01-06T09:00:00Z"
PAID_FEATURES: Final = ["subscriptions", "advanced_permissions", "white_labelling"]
FEATURES: Final = {
    "free": [],
    "paid": PAID_FEATURES,
    "enterprise": [*PAID_FEATURES, "organization_security_settings"],
}
NAMESPACE: Final = uuid.UUID("5a2db0c5-0000-4000-8000-000000000013")
DAY: Final = timedelta(days=1)
READ: Final = "sharing_configuration:read subscription:read user:read"
WRITE: Final = "sharing_configuration:write subscription:write user:write"


def stable_uuid(name: str) -> str:
    """A UUID that is the same on every machine."""
    return str(uuid.uuid5(NAMESPACE, name))


ANALYTICAL, HOBBY, COMPILERS = map(stable_uuid, ("Analytical Engines", "Hobby Kernel", "Compilers"))

# id, project, short id, name, dashboards with a tile of the insight
INSIGHTS: Final = (
    (1, 1, "aB3dE5fG", "Weekly active users", (1, 2)),
    (2, 1, "hJ7kL9mN", "Sign-up funnel", (1,)),
    (3, 1, "pQ2rS4tU", "Retention by cohort", (1,)),
    (4, 1, "vW6xY8zA", None, (1, 2)),
    (5, 1, "bC1dF3gH", "Revenue per plan", (1,)),
    (6, 1, "jK5lM7nP", "Errors per release", (1,)),
    (7, 1, "qR9sT2uV", "Feature adoption", (1,)),
    (8, 1, "wX4yZ6aB", "Old checkout funnel", ()),
    (9, 2, "cD8eF1gJ", "Mill throughput", (3,)),
    (10, 4, "kL3mN5pQ", "Compile times", ()),
)
DELETED_INSIGHT: Final = 8


def seed(store: Store, now: datetime) -> None:
    """Fill an empty store. All dates are fixed, except next deliveries, which lie after `now`."""
    Seeder(store, now).run()


@dataclass(frozen=True)
class Seeder:
    """Inserts the initial rows."""

    store: Store
    now: datetime

    def run(self) -> None:
        """Insert all rows. The order matters: rows refer to the ids of earlier rows."""
        self._organizations()
        self._users()
        self._credentials()
        self._resources()
        self._subscriptions()
        self._recordings()

    def _organizations(self) -> None:
        self._organization(ANALYTICAL, "Analytical Engines", "paid")
        self._organization(HOBBY, "Hobby Kernel", "free", is_ai_data_processing_approved=False)
        strict: dict[str, Any] = {"public_sharing": False, "personal_keys": False, "sso_domains": ["compilers.example"]}
        self._organization(COMPILERS, "Compilers", "enterprise", **strict, summary_prompt_guide=False)
        for key, organization, name, token in (
            (1, ANALYTICAL, "Engine", fixtures.PUBLIC_KEY),
            (2, ANALYTICAL, "Mill", "phc_sandboxProjectTwo00000000000000000000000002"),
            (3, HOBBY, "Kernel", "phc_sandboxProjectThree000000000000000000000003"),
            (4, COMPILERS, "COBOL", "phc_sandboxProjectFour0000000000000000000000004"),
        ):
            doc = {"name": name, "uuid": stable_uuid(f"project {key}"), "api_token": token, "timezone": "UTC"}
            self.store.insert("project", id=key, organization_id=organization, doc=doc | {"max_subscriptions": 200})

    def _organization(self, key: str, name: str, plan: str, **changes: Any) -> None:
        doc: dict[str, Any] = {
            "name": name, "slug": name.lower().replace(" ", "-"), "plan": plan, "features": FEATURES[plan],
            "created_at": START, "personal_keys": True, "public_sharing": True, "sso_domains": [],
            "is_ai_data_processing_approved": True, "summary_prompt_guide": True,
        }  # fmt: skip
        self.store.insert("organization", id=key, doc=doc | changes)

    def _users(self) -> None:
        ada: dict[str, Any] = {"role_at_organization": "product", "github_login": "ada-lovelace"}
        ada |= {"hedgehog_config": {"use_as_profile": True, "color": "purple", "accessories": ["top-hat"]}}
        levels = {ANALYTICAL: 8, HOBBY: 1}
        self._user("Ada Lovelace", "ada@analytical.example", {ANALYTICAL: 15}, 1, **ada)
        self._user("Charles Babbage", "charles@analytical.example", {ANALYTICAL: 1}, 1)
        self._user("Hedy Lamarr", "hedy@analytical.example", levels, 1, is_staff=True, passkeys=1)
        self._user("Linus Kernel", "linus@hobby.example", {HOBBY: 15}, 3, password=None, has_social_auth=True)
        self._user("Grace Hopper", "grace@compilers.example", {COMPILERS: 8}, 4)
        self._user("Alan Turing", "alan@compilers.example", {COMPILERS: 1}, 4)
        self._user("Noor Alone", "noor@alone.example", {}, None)
        self._user("Gone Away", "gone@analytical.example", {}, None, is_active=False)

    def _user(self, name: str, email: str, levels: dict[str, int], project: int | None, **changes: Any) -> None:
        """Insert a user and the memberships: a level for each organization."""
        first_name, last_name = name.split()
        doc: dict[str, Any] = {
            "first_name": first_name, "last_name": last_name, "date_joined": START,
            "distinct_id": stable_uuid(f"distinct {email}"), "pending_email": None, "is_email_verified": True,
            "is_staff": False, "is_active": True, "password": hash_password(fixtures.PASSWORD), "passkeys": 0,
            "passkeys_enabled_for_2fa": None, "github_login": None, "notification_settings": {},
            "anonymize_data": False, "allow_impersonation": None, "toolbar_mode": "toolbar",
            "events_column_config": {"active": "DEFAULT"}, "has_seen_product_intro_for": None,
            "scene_personalisation": [], "theme_mode": None, "hedgehog_config": None,
            "allow_sidebar_suggestions": None, "shortcut_position": None, "role_at_organization": None,
            "hide_mcp_hints": False, "has_social_auth": False, "credentials_reviewed_at": None,
            "current_project": project, "current_organization": next(iter(levels), None),
        }  # fmt: skip
        key = self.store.insert("person", uuid=stable_uuid(email), email=email, doc=doc | changes)
        for organization, level in levels.items():
            self.store.insert("membership", person_id=key, organization_id=organization, level=level)

    def _credentials(self) -> None:
        self._credential(fixtures.FULL_KEY, 1, "*")
        self._credential(fixtures.READ_ONLY_KEY, 1, READ)
        self._credential(fixtures.OTHER_PROJECT_KEY, 1, WRITE, projects=[2])
        self._credential(fixtures.OTHER_ORGANIZATION_KEY, 1, WRITE, organizations=[HOBBY])
        self._credential(fixtures.LEGACY_KEY, 1, WRITE)
        self._credential(fixtures.STAFF_KEY, 3, "*")
        self._credential(fixtures.FREE_KEY, 4, "*")
        self._credential(fixtures.ENTERPRISE_KEY, 5, "*")
        self._credential(fixtures.MEMBER_KEY, 6, "*")
        self._credential(fixtures.NO_ORGANIZATION_KEY, 7, "*")
        yesterday, days_ago = format_timestamp(self.now - DAY), format_timestamp(self.now - 3 * DAY)
        self._credential(fixtures.OAUTH_TOKEN, 1, f"openid profile {WRITE}", "oauth")
        self._credential(fixtures.SCOPELESS_OAUTH_TOKEN, 1, "", "oauth")
        self._credential(fixtures.EXPIRED_OAUTH_TOKEN, 1, WRITE, "oauth", expires_at=yesterday)
        self._credential(fixtures.SESSION_ID, 1, "*", "session")
        self._credential(fixtures.NO_ORGANIZATION_SESSION_ID, 7, "*", "session")
        self._credential(fixtures.STALE_SESSION_ID, 1, "*", "session", logged_in_at=days_ago)

    def _credential(self, secret: str, user: int, scopes: str, kind: str = "personal", **more: Any) -> None:
        self.store.insert("credential", secret=secret, kind=kind, person_id=user, doc={"scopes": scopes} | more)

    def _resources(self) -> None:
        for key, project, title in ((1, 1, "Product growth"), (2, 1, "Launch week"), (3, 2, "Mill operations")):
            self.store.insert("dashboard", id=key, project_id=project, doc={"name": title, "deleted": False})
        for key, project, short_id, name, dashboards in INSIGHTS:
            doc = {"short_id": short_id, "name": name, "derived_name": None if name else "Pageview count"}
            self.store.insert("insight", id=key, project_id=project, doc=doc | {"deleted": key == DELETED_INSIGHT})
            for dashboard in dashboards:
                self.store.insert("tile", dashboard_id=dashboard, insight_id=key, deleted=0)
        self.store.execute("update tile set deleted = 1 where dashboard_id = 2 and insight_id = 4")
        for key, project, kind in ((1, 1, "slack"), (2, 1, "github"), (3, 2, "slack"), (4, 4, "slack")):
            self.store.insert("integration", id=key, project_id=project, kind=kind)

    def _subscriptions(self) -> None:
        team = "ada@analytical.example,charles@analytical.example"
        slack: dict[str, Any] = {"target_type": "slack", "integration_id": 1}
        monthly: dict[str, Any] = {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 1}
        exports = [1, 2, 5]
        self._subscription(1, title="Weekly growth", insight=1, target_value=team, byweekday=["monday"])
        self._subscription(1, title="Funnel watch", insight=2, frequency="daily", enabled=False)
        self._subscription(1, title="Retention digest", insight=3, summary_enabled=True, interval=2)
        self._subscription(1, title="Board report", dashboard=1, dashboard_export_insights=exports, **monthly)
        self._subscription(1, title="Old checkout report", insight=2, deleted=True)
        self._subscription(1, title=None, insight=4, target_value="C0GROWTH|#growth", frequency="daily", **slack)
        self._subscription(2, title="Mill throughput", insight=9)
        self._subscription(4, title="Compile times", insight=10, target_value="grace@compilers.example", created_by=5)

    def _subscription(self, project: int, **changes: Any) -> None:
        doc: dict[str, Any] = {
            "dashboard": None, "insight": None, "dashboard_export_insights": [], "target_type": "email",
            "target_value": "ada@analytical.example", "frequency": "weekly", "interval": 1, "byweekday": None,
            "bysetpos": None, "count": None, "start_date": START, "until_date": None, "deleted": False,
            "enabled": True, "title": None, "integration_id": None, "summary_enabled": False,
            "summary_prompt_guide": "", "created_by": 1, "delivering_until": None,
        }  # fmt: skip
        doc |= changes
        number = self.store.count("subscription")
        doc |= {"created_at": f"2025-01-03T10:0{number}:00Z", "next_delivery_date": next_delivery(doc, self.now)}
        self.store.insert("subscription", project_id=project, doc=doc)

    def _recordings(self) -> None:
        doc = {"created_at": START, "enabled": True, "settings": {"showInspector": False}, "expires_at": None}
        for recording, token, protected in (
            ("0190a1b2-checkout-bug", "sandboxGuardedRecordingToken01", True),
            ("0190a1b2-onboarding-tour", "sandboxOpenRecordingToken00001", False),
        ):
            shared = doc | {"access_token": token, "password_required": protected}
            self.store.insert("sharing", project_id=1, recording_id=recording, doc=shared)
        password = {"created_at": START, "created_by": 1, "note": "support team", "is_active": True}
        password["secret"] = hash_password(fixtures.PASSWORD)
        self.store.insert("share_password", sharing_id=1, doc=password)
