"""Credentials of the seeded users. They look like real ones, but only the sandbox accepts them."""

from __future__ import annotations

from typing import Final

# Ada: owner of a paid organization, projects 1 (current) and 2, scope `*`.
FULL_KEY: Final = "phx_sandboxAdaFullAccess0000000000000000000000001"
# Ada, with the three `:read` scopes only.
READ_ONLY_KEY: Final = "phx_sandboxAdaReadOnly00000000000000000000000002"
# Ada, restricted to project 2: project 1 returns 403.
OTHER_PROJECT_KEY: Final = "phx_sandboxAdaProjectTwo000000000000000000000003"
# Ada, restricted to an organization that she is not a member of: every project returns 403.
OTHER_ORGANIZATION_KEY: Final = "phx_sandboxAdaOtherOrganization000000000000010"
# Hedy: staff of the instance, reads and changes every user. Member of the paid and the free organization.
STAFF_KEY: Final = "phx_sandboxHedyStaff0000000000000000000000000004"
# Linus: owner of a free organization, project 3; subscriptions return 402. Has no password.
FREE_KEY: Final = "phx_sandboxLinusFree0000000000000000000000000005"
# Grace: admin of an enterprise organization that forbids public sharing, project 4.
ENTERPRISE_KEY: Final = "phx_sandboxGraceEnterprise000000000000000000006"
# Alan: member of the enterprise organization, which forbids personal keys for members.
MEMBER_KEY: Final = "phx_sandboxAlanMember00000000000000000000000007"
# Ada, with a key from before keys had the prefix `phx_`.
LEGACY_KEY: Final = "sandboxAdaLegacyKeyWithoutPrefix00000000008"
# Noor: a user without an organization and without a project.
NO_ORGANIZATION_KEY: Final = "phx_sandboxNoorNoOrganization00000000000000009"

# Ada, by OAuth. The default rate limits do not apply.
OAUTH_TOKEN: Final = "pha_sandboxAdaOAuth0000000000000000000000000001"
EXPIRED_OAUTH_TOKEN: Final = "pha_sandboxAdaExpired00000000000000000000000002"
SCOPELESS_OAUTH_TOKEN: Final = "pha_sandboxAdaWithoutScope000000000000000000003"

# The public key of project 1. It is not a credential.
PUBLIC_KEY: Final = "phc_sandboxProjectOne00000000000000000000000001"

# Ada's login session, always recent.
SESSION_ID: Final = "sandboxadasession0000000000000001"
# Ada's login session of three days ago: sensitive actions require a new login.
STALE_SESSION_ID: Final = "sandboxadastalesession00000000002"
# Noor's login session. Noor is the only user that can be deleted at once.
NO_ORGANIZATION_SESSION_ID: Final = "sandboxnoorsession00000000000003"
# The value of both the cookie `posthog_csrftoken` and the header `X-CSRFToken`.
CSRF_TOKEN: Final = "sandboxcsrftoken0000000000000001"

# The password of every seeded user that has one.
PASSWORD: Final = "sandbox analytical engine 1843"
