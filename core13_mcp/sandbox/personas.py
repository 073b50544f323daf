"""Who can call the sandbox: credentials that look like the real thing and open nothing but the sandbox."""

from __future__ import annotations

from typing import Final

FULL_KEY: Final = "phx_sandboxAdaFullAccess0000000000000000000000001"
"""Ada: owner of a paid organization, projects 1 (current) and 2, scope ``*``."""
READ_ONLY_KEY: Final = "phx_sandboxAdaReadOnly00000000000000000000000002"
"""Ada again, with the three ``:read`` scopes only."""
OTHER_PROJECT_KEY: Final = "phx_sandboxAdaProjectTwo000000000000000000000003"
"""Ada again, restricted to project 2: project 1 answers 403."""
OTHER_ORGANIZATION_KEY: Final = "phx_sandboxAdaOtherOrganization000000000000010"
"""Ada again, restricted to an organization that is not hers: every project answers 403."""
STAFF_KEY: Final = "phx_sandboxHedyStaff0000000000000000000000000004"
"""Hedy: staff of the instance, may read and change every user. Member of the paid and the free organization."""
FREE_KEY: Final = "phx_sandboxLinusFree0000000000000000000000000005"
"""Linus: a free organization, project 3; subscriptions answer 402. Has no password."""
ENTERPRISE_KEY: Final = "phx_sandboxGraceEnterprise000000000000000000006"
"""Grace: admin of an enterprise organization that switched public sharing off, project 4."""
MEMBER_KEY: Final = "phx_sandboxAlanMember00000000000000000000000007"
"""Alan: member of the enterprise organization, which forbids members to use personal keys."""
LEGACY_KEY: Final = "sandboxAdaLegacyKeyWithoutPrefix00000000008"
"""Ada again: a key from before keys had the prefix ``phx_``."""
NO_ORGANIZATION_KEY: Final = "phx_sandboxNoorNoOrganization00000000000000009"
"""Noor: a user without any organization or project."""

OAUTH_TOKEN: Final = "pha_sandboxAdaOAuth0000000000000000000000000001"
"""Ada by OAuth: what a chat client would hold; not throttled by the default pair."""
EXPIRED_OAUTH_TOKEN: Final = "pha_sandboxAdaExpired00000000000000000000000002"
SCOPELESS_OAUTH_TOKEN: Final = "pha_sandboxAdaWithoutScope000000000000000000003"

PUBLIC_KEY: Final = "phc_sandboxProjectOne00000000000000000000000001"
"""The public key of project 1: never a credential here."""

SESSION_ID: Final = "sandboxadasession0000000000000001"
"""Ada's login session, always fresh."""
STALE_SESSION_ID: Final = "sandboxadastalesession00000000002"
"""Ada's login session from days ago: sensitive actions need a new login."""
NO_ORGANIZATION_SESSION_ID: Final = "sandboxnoorsession00000000000003"
"""Noor's login session: the one user that can be deleted at once."""
CSRF_TOKEN: Final = "sandboxcsrftoken0000000000000001"
"""Sent twice, as the cookie ``posthog_csrftoken`` and as the header ``X-CSRFToken``."""

PASSWORD: Final = "sandbox analytical engine 1843"
"""The password of every seeded user that has one."""
