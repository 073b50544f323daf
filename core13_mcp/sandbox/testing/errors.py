"""Errors of the API that require a rare state of the instance. A fault `error=NAME` returns one on demand."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ..oauth.messages import oauth_error_body
from ..oauth.request import UNKNOWN_CLIENT
from ..responses import error_body


class NamedError(NamedTuple):
    """An error response: its status, the text, and the attribute and code if they are not the usual ones."""

    status: int
    detail: str
    attr: str | None = None
    code: str = ""

    def body(self) -> dict[str, Any]:
        return error_body(self.status, self.detail, self.attr, self.code)


class OAuthError(NamedTuple):
    """An error response of the authorization server."""

    status: int
    error: str
    detail: str = ""

    def body(self) -> dict[str, Any]:
        return oauth_error_body(self.error, self.detail)


_ENDED: Final = "Subscription schedule has reached its end date. Extend until_date or remove count"
API_ERRORS: Final = {
    "ai-credits": NamedError(
        402,
        "Your organization reached its AI credit usage limit. Raise the limit in the billing settings.",
        code="quota_limit_exceeded",
    ),
    "summary-cap": NamedError(
        402, "Your organization has reached its limit of 20 AI summaries.", code="quota_limit_exceeded"
    ),
    "premium": NamedError(402, "This feature is part of the premium PostHog offering: subscriptions."),
    "plan-limit": NamedError(400, "Your plan is limited to 2 subscriptions.", "subscription"),
    "query-scope": NamedError(403, "API key missing required scope 'query:read'"),
    "key-project": NamedError(403, "API key does not have access to the requested project: ID 1."),
    "schedule-ended": NamedError(400, f"{_ENDED}.", "start_date"),
    "schedule-ended-paused": NamedError(400, f"{_ENDED} before re-enabling.", "enabled"),
    "slack-disconnected": NamedError(
        400, "Cannot re-enable Slack subscription: no integration configured. Reconnect Slack first.", "enabled"
    ),
    "slack-revoked": NamedError(
        400,
        "Cannot re-enable Slack subscription: PostHog cannot post to this channel. Reconnect Slack, then try again.",
        "enabled",
    ),
    "teams-rejected": NamedError(
        400,
        "Cannot re-enable Microsoft Teams subscription: Teams stopped accepting messages. Create a new webhook URL.",
        "enabled",
    ),
    "webhook-unsupported": NamedError(400, '"webhook" is not a valid choice.', "target_type", "invalid_choice"),
    "verified-domain": NamedError(
        400,
        "This organization requires an e-mail address with a verified domain.",
        "set_current_organization",
        "verified_domain_required",
    ),
    "locked-setting": NamedError(
        400,
        "plugin_disabled is set by your organization and cannot be changed here.",
        "notification_settings",
        "permission_denied",
    ),
    "no-endpoint": NamedError(404, "Endpoint not found."),
    "token-expired": NamedError(401, "Access token has expired."),
}
OAUTH_ERRORS: Final = {
    "oauth-not-set-up": OAuthError(500, "server_error", "Failed to create client"),
    "oauth-client-name": OAuthError(
        400, "invalid_client_metadata", "{'client_name': ['The name must not contain a reserved word.']}"
    ),
    "oauth-unknown-client": OAuthError(400, "invalid_request", UNKNOWN_CLIENT),
    "oauth-invalid-grant": OAuthError(400, "invalid_grant"),
    "oauth-invalid-client": OAuthError(401, "invalid_client"),
    "oauth-unavailable": OAuthError(
        503,
        "temporarily_unavailable",
        "The authorization server is temporarily unable to handle the request. Please retry.",
    ),
}
ERRORS: Final[dict[str, NamedError | OAuthError]] = {**API_ERRORS, **OAUTH_ERRORS}
