"""JSON representations of users, organizations and projects."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from .context import RequestContext
from .store import Doc, Row, Store, format_timestamp

HEDGEHOG_FIELDS: Final = ("use_as_profile", "color", "accessories", "skin")
# How long after a login a session may do sensitive actions.
SENSITIVE_PERIOD: Final = timedelta(hours=2)
# How long after a login a session may change the e-mail address.
REAUTHENTICATION_PERIOD: Final = timedelta(minutes=5)
SUMMARY_FIELDS: Final = (
    "id", "uuid", "distinct_id", "first_name", "last_name", "email", "is_email_verified", "hedgehog_config",
    "role_at_organization",
)  # fmt: skip
PROFILE_FIELDS: Final = (
    "date_joined", "distinct_id", "first_name", "last_name", "pending_email", "is_email_verified", "anonymize_data",
    "allow_impersonation", "toolbar_mode", "is_staff", "events_column_config", "has_seen_product_intro_for",
    "scene_personalisation", "theme_mode", "hedgehog_config", "allow_sidebar_suggestions", "role_at_organization",
    "passkeys_enabled_for_2fa", "hide_mcp_hints", "has_social_auth",
)  # fmt: skip
PROFILE_CONSTANTS: Final[Doc] = {
    "is_2fa_enabled": False, "is_impersonated": False, "is_impersonated_until": None, "is_impersonated_read_only": None,
    "pending_invites": [], "active_realtime_notification_types": [], "onboarding_skipped_at": None,
    "onboarding_skipped_reason": None, "onboarding_skipped_organization_id": None,
    "onboarding_delegated_to_invite": None, "onboarding_delegated_to_organization_id": None,
    "onboarding_delegation_accepted_at": None,
}  # fmt: skip
PROJECT_CONSTANTS: Final[Doc] = {
    "completed_snippet_onboarding": True, "has_completed_onboarding_for": {"product_analytics": True},
    "ingested_event": True, "is_demo": False, "access_control": False,
}  # fmt: skip
MEMBER_CONSTANTS: Final[Doc] = {
    "logo_media_id": None, "is_active": True, "is_not_active_reason": None, "is_pending_deletion": False,
}  # fmt: skip
ORGANIZATION_CONSTANTS: Final[Doc] = {
    "plugins_access_level": 3, "is_member_join_email_enabled": True, "metadata": {}, "customer_id": None,
    "default_experiment_stats_method": "bayesian", "default_anonymize_ips": False, "enforce_2fa": None,
    "members_can_invite": None, "default_role_id": None,
    # The API's OpenAPI document requires these fields.
    "is_ai_training_cta_shown": False, "is_ai_training_locked": False, "is_hipaa": False,
}  # fmt: skip
NOTIFICATION_DEFAULTS: Final[Doc] = {
    "plugin_disabled": True, "error_tracking_issue_assigned": True, "error_tracking_weekly_digest": True,
    "discussions_mentioned": True, "all_weekly_digest_disabled": False, "project_api_key_exposed": True,
    "materialized_view_sync_failed": False, "web_analytics_weekly_digest": True, "data_pipeline_error_threshold": 0.01,
    "project_weekly_digest_disabled": {}, "organization_member_join_email_disabled": {},
    "error_tracking_weekly_digest_project_enabled": {}, "web_analytics_weekly_digest_project_enabled": {},
    "pipeline_notifications_disabled": {}, "realtime_notifications_disabled": {},
}  # fmt: skip


def pick(doc: Doc, names: tuple[str, ...]) -> Doc:
    return {name: doc[name] for name in names}


def user_summary(store: Store, user_id: int | None) -> Doc | None:
    """The short representation of a user, None if the account is deleted."""
    row = store.one("select * from person where id = ?", user_id)
    if row is None:
        return None
    hedgehog = _hedgehog_summary(row["doc"]["hedgehog_config"])
    return pick({**row, **row["doc"], "hedgehog_config": hedgehog}, SUMMARY_FIELDS)


def _hedgehog_summary(config: Any) -> Doc | None:
    if not isinstance(config, dict):
        return None
    options = config.get("actor_options")
    merged = {**config, **(options if isinstance(options, dict) else {})}
    return {name: merged[name] for name in HEDGEHOG_FIELDS if name in merged}


def user_profile(context: RequestContext, row: Row) -> Doc:
    """The full representation of a user, as the caller may see it. It never includes a password."""
    doc, store = row["doc"], context.store
    sql = "select min(person_id) from membership where organization_id = ?"
    first_user = store.value(sql, doc["current_organization"])
    keys = store.value("select count(*) from credential where kind = 'personal' and person_id = ?", row["id"])
    return {
        **pick(row, ("id", "uuid", "email")),
        **pick(doc, PROFILE_FIELDS),
        **PROFILE_CONSTANTS,
        **_organizations(store, row),
        "notification_settings": NOTIFICATION_DEFAULTS | doc["notification_settings"],
        # The API shows this position if the user has not chosen one.
        "shortcut_position": "above" if doc["shortcut_position"] is None else doc["shortcut_position"],
        "has_password": doc["password"] is not None,
        "has_sso_enforcement": any(row["email"].endswith(f"@{domain}") for domain in sso_domains(store)),
        "sensitive_session_expires_at": _login_plus(context, SENSITIVE_PERIOD),
        "is_organization_first_user": row["id"] == first_user if row["id"] == context.principal.id else None,
        "requires_credential_review": doc["credentials_reviewed_at"] is None and keys > 0,
        **pick(_newer_fields(context, row), context.era.user_fields),
    }


def _newer_fields(context: RequestContext, row: Row) -> Doc:
    own = row["id"] == context.principal.id
    return {
        "fresh_reauth_expires_at": _login_plus(context, REAUTHENTICATION_PERIOD),
        "notification_locks": notification_locks(context.store, row) if own else [],
        "ui_configuration": row["doc"]["ui_configuration"],
        "is_impersonated_reason": None,
    }


def _login_plus(context: RequestContext, period: timedelta) -> str | None:
    """When a period after the login of the session ends, None for keys and tokens."""
    if not context.principal.by_session:
        return None
    logged_in = context.principal.grant.get("logged_in_at")
    login = datetime.fromisoformat(logged_in) if logged_in else context.now
    return format_timestamp(login + period)


def notification_locks(store: Store, row: Row) -> list[Doc]:
    """The notification settings that the organizations of a user have locked."""
    sql = "select o.doc from organization o join membership m on m.organization_id = o.id where m.person_id = ?"
    return [lock for member in store.all(sql, row["id"]) for lock in member["doc"]["notification_locks"]]


def sso_domains(store: Store) -> dict[str, str]:
    """The e-mail domains for which an organization enforces single sign-on, with the id of the organization."""
    rows = store.all("select id, doc from organization")
    return {domain: row["id"] for row in rows for domain in row["doc"]["sso_domains"]}


def _organizations(store: Store, row: Row) -> Doc:
    """The current project, the current organization and all organizations of a user."""
    sql = (
        "select o.*, m.level from organization o join membership m on m.organization_id = o.id "
        "where m.person_id = ? order by o.rowid"
    )
    rows = store.all(sql, row["id"])
    current = next((member for member in rows if member["id"] == row["doc"]["current_organization"]), None)
    team = store.one("select * from project where id = ?", row["doc"]["current_project"])
    return {
        "team": team and _team_summary(team),
        "organization": current and _organization(store, current),
        "organizations": [_organization_summary(member) for member in rows],
    }


def _team_summary(row: Row) -> Doc:
    """The short representation of a project. The API calls a project "team" here."""
    ids = {"id": row["id"], "project_id": row["id"], "organization": row["organization_id"]}
    return ids | pick(row["doc"], ("uuid", "api_token", "name", "timezone")) | PROJECT_CONSTANTS


def _organization_summary(row: Row) -> Doc:
    """The short representation of an organization, with the level of the member."""
    member = {"membership_level": row["level"], "members_can_use_personal_api_keys": row["doc"]["personal_keys"]}
    return {"id": row["id"]} | pick(row["doc"], ("name", "slug")) | member | MEMBER_CONSTANTS


def _organization(store: Store, row: Row) -> Doc:
    doc = row["doc"]
    projects = store.all("select * from project where organization_id = ? order by id", row["id"])
    return {
        **_organization_summary(row),
        **ORGANIZATION_CONSTANTS,
        "created_at": doc["created_at"],
        "updated_at": doc["created_at"],
        "teams": [_team_summary(project) for project in projects],
        "projects": [{"id": project["id"], "name": project["doc"]["name"]} for project in projects],
        "available_product_features": [{"key": key, "name": key.replace("_", " ")} for key in doc["features"]],
        "allow_publicly_shared_resources": doc["public_sharing"],
        "member_count": store.value("select count(*) from membership where organization_id = ?", row["id"]),
        "is_ai_data_processing_approved": doc["is_ai_data_processing_approved"],
    }
