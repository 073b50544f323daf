"""JSON representations of users, organizations and projects."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from .context import RequestContext
from .store import Row, Store
from .timestamps import format_timestamp, parse_timestamp

Doc = dict[str, Any]
HEDGEHOG_FIELDS: Final = ("use_as_profile", "color", "accessories", "skin")
# How long after a login a session may do sensitive actions.
SENSITIVE_PERIOD: Final = timedelta(hours=2)
ALWAYS_NULL: Final = (
    "onboarding_skipped_at", "onboarding_skipped_reason", "onboarding_skipped_organization_id",
    "onboarding_delegated_to_invite", "onboarding_delegated_to_organization_id", "onboarding_delegation_accepted_at",
)  # fmt: skip
PROFILE_FIELDS: Final = (
    "date_joined", "distinct_id", "first_name", "last_name", "pending_email", "is_email_verified", "anonymize_data",
    "allow_impersonation", "toolbar_mode", "is_staff", "events_column_config", "has_seen_product_intro_for",
    "scene_personalisation", "theme_mode", "hedgehog_config", "allow_sidebar_suggestions", "role_at_organization",
    "passkeys_enabled_for_2fa", "hide_mcp_hints", "has_social_auth",
)  # fmt: skip
NOTIFICATION_DEFAULTS: Final[Doc] = {
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


def user_summary(store: Store, user_id: int | None) -> Doc | None:
    """The short representation of a user, None if the account is deleted."""
    row = store.one("select * from person where id = ?", user_id)
    if row is None:
        return None
    doc = row["doc"]
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        **{name: doc[name] for name in ("distinct_id", "first_name", "last_name")},
        "email": row["email"],
        "is_email_verified": doc["is_email_verified"],
        "hedgehog_config": _hedgehog_summary(doc["hedgehog_config"]),
        "role_at_organization": doc["role_at_organization"],
    }


def _hedgehog_summary(config: Any) -> Doc | None:
    if not isinstance(config, dict):
        return None
    options = config.get("actor_options")
    merged = {**config, **(options if isinstance(options, dict) else {})}
    return {name: merged[name] for name in HEDGEHOG_FIELDS if name in merged}


def user_profile(context: RequestContext, row: Row) -> Doc:
    """The full representation of a user, as the caller may see it. It never includes a password."""
    doc, store = row["doc"], context.store
    is_self = row["id"] == context.principal.id
    return {
        "id": row["id"],
        "uuid": row["uuid"],
        "email": row["email"],
        **{name: doc[name] for name in PROFILE_FIELDS},
        "notification_settings": NOTIFICATION_DEFAULTS | doc["notification_settings"],
        # The API shows this position if the user has not chosen one.
        "shortcut_position": "above" if doc["shortcut_position"] is None else doc["shortcut_position"],
        "has_password": doc["password"] is not None,
        "has_sso_enforcement": any(row["email"].endswith(f"@{domain}") for domain in sso_domains(store)),
        "is_2fa_enabled": False,
        "is_impersonated": False,
        "is_impersonated_until": None,
        "is_impersonated_read_only": None,
        "sensitive_session_expires_at": _sensitive_until(context),
        **_organizations(store, row),
        "is_organization_first_user": row["id"] == _first_user(store, doc) if is_self else None,
        "pending_invites": [],
        "requires_credential_review": _requires_review(store, row),
        "active_realtime_notification_types": [],
        **dict.fromkeys(ALWAYS_NULL),
    }


def _sensitive_until(context: RequestContext) -> str | None:
    if not context.principal.by_session:
        return None
    logged_in = context.principal.grant.get("logged_in_at")
    return format_timestamp((parse_timestamp(logged_in) if logged_in else context.now) + SENSITIVE_PERIOD)


def _requires_review(store: Store, row: Row) -> bool:
    """Whether the user has a personal key and has not reviewed the credentials yet."""
    keys = store.value("select count(*) from credential where kind = 'personal' and person_id = ?", row["id"])
    return row["doc"]["credentials_reviewed_at"] is None and keys > 0


def sso_domains(store: Store) -> set[str]:
    """The e-mail domains for which an organization enforces single sign-on."""
    return {domain for row in store.all("select doc from organization") for domain in row["doc"]["sso_domains"]}


def _first_user(store: Store, doc: Doc) -> int | None:
    sql = "select min(person_id) from membership where organization_id = ?"
    first: int | None = store.value(sql, doc["current_organization"])
    return first


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
        "team": team and team_summary(team),
        "organization": current and organization(store, current),
        "organizations": [organization_summary(member) for member in rows],
    }


def team_summary(row: Row) -> Doc:
    """The short representation of a project. The API calls a project "team" here."""
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


def organization_summary(row: Row) -> Doc:
    """The short representation of an organization, with the level of the member."""
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


def organization(store: Store, row: Row) -> Doc:
    """The full representation of an organization."""
    doc = row["doc"]
    projects = store.all("select * from project where organization_id = ? order by id", row["id"])
    return organization_summary(row) | {
        "created_at": doc["created_at"],
        "updated_at": doc["created_at"],
        "plugins_access_level": 3,
        "teams": [team_summary(project) for project in projects],
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
        # The API's OpenAPI document requires these fields.
        **dict.fromkeys(("is_ai_training_cta_shown", "is_ai_training_locked", "is_hipaa"), False),
    }
