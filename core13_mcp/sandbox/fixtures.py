"""Credentials of the seeded users; the README lists their permissions. Only the sandbox accepts them."""

from __future__ import annotations

from typing import Final

FULL_KEY: Final = "phx_sandboxAdaFullAccess0000000000000000000000001"
READ_ONLY_KEY: Final = "phx_sandboxAdaReadOnly00000000000000000000000002"
OTHER_PROJECT_KEY: Final = "phx_sandboxAdaProjectTwo000000000000000000000003"
OTHER_ORGANIZATION_KEY: Final = "phx_sandboxAdaOtherOrganization000000000000010"
STAFF_KEY: Final = "phx_sandboxHedyStaff0000000000000000000000000004"
FREE_KEY: Final = "phx_sandboxLinusFree0000000000000000000000000005"
ENTERPRISE_KEY: Final = "phx_sandboxGraceEnterprise000000000000000000006"
MEMBER_KEY: Final = "phx_sandboxAlanMember00000000000000000000000007"
LEGACY_KEY: Final = "sandboxAdaLegacyKeyWithoutPrefix00000000008"
NO_ORGANIZATION_KEY: Final = "phx_sandboxNoorNoOrganization00000000000000009"
OAUTH_TOKEN: Final = "pha_sandboxAdaOAuth0000000000000000000000000001"
EXPIRED_OAUTH_TOKEN: Final = "pha_sandboxAdaExpired00000000000000000000000002"
SCOPELESS_OAUTH_TOKEN: Final = "pha_sandboxAdaWithoutScope000000000000000000003"
PUBLIC_KEY: Final = "phc_sandboxProjectOne00000000000000000000000001"
SESSION_ID: Final = "sandboxadasession0000000000000001"
STALE_SESSION_ID: Final = "sandboxadastalesession00000000002"
NO_ORGANIZATION_SESSION_ID: Final = "sandboxnoorsession00000000000003"
# The value of both the cookie `posthog_csrftoken` and the header `X-CSRFToken`.
CSRF_TOKEN: Final = "sandboxcsrftoken0000000000000001"
PASSWORD: Final = "sandbox analytical engine 1843"
