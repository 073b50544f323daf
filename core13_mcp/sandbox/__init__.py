"""A small PostHog of its own: the 18 endpoints over SQLite, in process or on a port. Sends nothing to anybody."""

from .app import build
from .personas import (
    CSRF_TOKEN,
    ENTERPRISE_KEY,
    EXPIRED_OAUTH_TOKEN,
    FREE_KEY,
    FULL_KEY,
    LEGACY_KEY,
    MEMBER_KEY,
    NO_ORGANIZATION_KEY,
    NO_ORGANIZATION_SESSION_ID,
    OAUTH_TOKEN,
    OTHER_ORGANIZATION_KEY,
    OTHER_PROJECT_KEY,
    PASSWORD,
    PUBLIC_KEY,
    READ_ONLY_KEY,
    SCOPELESS_OAUTH_TOKEN,
    SESSION_ID,
    STAFF_KEY,
    STALE_SESSION_ID,
)
from .serving import listening, outbox, serve
from .transport import Transport

__all__ = [
    "CSRF_TOKEN",
    "ENTERPRISE_KEY",
    "EXPIRED_OAUTH_TOKEN",
    "FREE_KEY",
    "FULL_KEY",
    "LEGACY_KEY",
    "MEMBER_KEY",
    "NO_ORGANIZATION_KEY",
    "NO_ORGANIZATION_SESSION_ID",
    "OAUTH_TOKEN",
    "OTHER_ORGANIZATION_KEY",
    "OTHER_PROJECT_KEY",
    "PASSWORD",
    "PUBLIC_KEY",
    "READ_ONLY_KEY",
    "SCOPELESS_OAUTH_TOKEN",
    "SESSION_ID",
    "STAFF_KEY",
    "STALE_SESSION_ID",
    "Transport",
    "build",
    "listening",
    "outbox",
    "serve",
]
