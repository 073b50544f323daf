"""Users, organizations and projects as the API shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from .call import Call
from .store import Row, Store
from .times import moment, stamp

HEDGEHOG: Final = ("use_as_profile", "color", "accessories", "skin")
SESSION_LASTS: Final = timedelta(hours=2)
NOWHERE: Final = (
    "onboarding_skipped_at",
    "onboarding_skipped_reason",
    "onboarding_skipped_organization_id",
    "onboarding_delegated_to_invite",
    "onboarding_delegated_to_organization_id",
    "onboarding_delegation_accepted_at",
)
PROFILE: Final = (
    "date_joined", "distinct_id", "first_name", "last_name", "pending_email", "is_email_verified", "anonymize_data",
    "allow_impersonation", "toolbar_mode", "is_staff", "events_column_config", "has_seen_product_intro_for",
    "scene_personalisation", "theme_mode", "hedgehog_config", "allow_sidebar_suggestions", "role_at_organization",
    "passkeys_enabled_for_2fa", "hide_mcp_hints", "has_social_auth",
)  # fmt: skip
NOTIFICATIONS: Final[dict[str, Any]] = {
    "plugin_disabled": True,
    "error_tracking_issue_assigned": True,
    "error_tracking_weekly_digest": True,
    "discussions_mentioned": True,
    "all_weekly_digest_disabled": False,
    "project_api_key_exposed": True,
    "materialized_view_sync_failed": False,
    "web_analytics_weekly_digest": True,
    "data_pipeline_error_threshold": 0.01,
    "project_weekly_digest_disabled": {},
    "organization_member_join_email_disabled": {},
    "error_tracking_weekly_digest_project_enabled": {},
    "web_analytics_weekly_digest_project_enabled": {},
    "pipeline_notifications_disabled": {},
    "realtime_notifications_disabled": {},
}


def basic(store: Store, person_id: int | None) -> dict[str, Any] | None:
    """The short form of a user, None when the account is gone."""
    row = store.one("select * from person where id = ?", person_id)
    if row is None:
        return None
    doc = row["doc"]
    shown = ("distinct_id", "first_name", "last_name")
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        **{name: doc[name] for name in shown},
        "email": row["email"],
        "is_email_verified": doc["is_email_verified"],
        "hedgehog_config": _hedgehog(doc["hedgehog_config"]),
        "role_at_organization": doc["role_at_organization"],
    }


def _hedgehog(config: Any) -> dict[str, Any] | None:
    if not isinstance(config, dict):
        return None
    options = config.get("actor_options")
    found = {**config, **(options if isinstance(options, dict) else {})}
    return {name: found[name] for name in HEDGEHOG if name in found}


def profile(call: Call, row: Row) -> dict[str, Any]:
    """A user in full, as the caller may see them. Passwords are never part of it."""
    doc, mine = row["doc"], row["id"] == call.caller.id
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        "email": row["email"],
        **{name: doc[name] for name in PROFILE},
        "notification_settings": NOTIFICATIONS | doc["notification_settings"],
        # Shown where nothing was chosen.
        "shortcut_position": "above" if doc["shortcut_position"] is None else doc["shortcut_position"],
        "has_password": doc["password"] is not None,
        "has_sso_enforcement": any(row["email"].endswith(f"@{domain}") for domain in sso_domains(call.store)),
        "is_2fa_enabled": False,
        "is_impersonated": False,
        "is_impersonated_until": None,
        "is_impersonated_read_only": None,
        "sensitive_session_expires_at": _session_expiry(call),
        **_belonging(call.store, row),
        "is_organization_first_user": row["id"] == _first_user(call.store, doc) if mine else None,
        "pending_invites": [],
        "requires_credential_review": requires_review(call.store, row),
        "active_realtime_notification_types": [],
        **dict.fromkeys(NOWHERE),
    }


def _session_expiry(call: Call) -> str | None:
    if not call.caller.by_session:
        return None
    logged_in = call.caller.grant.get("logged_in_at")
    return stamp((moment(logged_in) if logged_in else call.now) + SESSION_LASTS)


def requires_review(store: Store, row: Row) -> bool:
    """True until the first review, for who has a personal key."""
    keys = store.value("select count(*) from credential where kind = 'personal' and person_id = ?", row["id"])
    return row["doc"]["credentials_reviewed_at"] is None and keys > 0


def sso_domains(store: Store) -> set[str]:
    return {domain for row in store.all("select doc from organization") for domain in row["doc"]["sso_domains"]}


def _first_user(store: Store, doc: dict[str, Any]) -> int | None:
    sql = "select min(person_id) from membership where organization_id = ?"
    first: int | None = store.value(sql, doc["current_organization"])
    return first


def _belonging(store: Store, row: Row) -> dict[str, Any]:
    sql = "select o.*, m.level from organization o join membership m on m.organization_id = o.id where m.person_id = ? order by o.rowid"
    mine = store.all(sql, row["id"])
    current = next((found for found in mine if found["id"] == row["doc"]["current_organization"]), None)
    team = store.one("select * from project where id = ?", row["doc"]["current_project"])
    return {
        "team": team and team_basic(team),
        "organization": current and organization(store, current),
        "organizations": [organization_basic(found) for found in mine],
    }


def team_basic(row: Row) -> dict[str, Any]:
    doc = row["doc"]
    return {
        "id": row["id"],
        "uuid": doc["uuid"],
        "organization": row["organization_id"],
        "project_id": row["id"],
        "api_token": doc["api_token"],
        "name": doc["name"],
        "completed_snippet_onboarding": True,
        "has_completed_onboarding_for": {"product_analytics": True},
        "ingested_event": True,
        "is_demo": False,
        "timezone": doc["timezone"],
        "access_control": False,
    }


def organization_basic(row: Row) -> dict[str, Any]:
    doc = row["doc"]
    return {
        "id": row["id"],
        "name": doc["name"],
        "slug": doc["slug"],
        "logo_media_id": None,
        "membership_level": row["level"],
        "members_can_use_personal_api_keys": doc["personal_keys"],
        "is_active": True,
        "is_not_active_reason": None,
        "is_pending_deletion": False,
    }


def organization(store: Store, row: Row) -> dict[str, Any]:
    doc = row["doc"]
    projects = store.all("select * from project where organization_id = ? order by id", row["id"])
    return organization_basic(row) | {
        "created_at": doc["created_at"],
        "updated_at": doc["created_at"],
        "plugins_access_level": 3,
        "teams": [team_basic(project) for project in projects],
        "projects": [{"id": project["id"], "name": project["doc"]["name"]} for project in projects],
        "available_product_features": [{"key": key, "name": key.replace("_", " ")} for key in doc["features"]],
        "is_member_join_email_enabled": True,
        "metadata": {},
        "customer_id": None,
        "allow_publicly_shared_resources": doc["public_sharing"],
        "member_count": store.value("select count(*) from membership where organization_id = ?", row["id"]),
        "is_ai_data_processing_approved": doc["is_ai_data_processing_approved"],
        "default_experiment_stats_method": "bayesian",
        "default_anonymize_ips": False,
        **dict.fromkeys(("enforce_2fa", "members_can_invite", "default_role_id")),
        # Required by the API's own document, though older than none of its servers.
        **dict.fromkeys(("is_ai_training_cta_shown", "is_ai_training_locked", "is_hipaa"), False),
    }
