"""The two versions of the API that the sandbox imitates, and the table of their differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple


class Difference(NamedTuple):
    """What differs, in the version of the API page and in today's version."""

    text: str
    page: Any
    today: Any


# Declares a field of `Era`. The type of the field is not `Difference`, because the values of the eras replace it.
_differs: Callable[..., Any] = Difference


class Era(NamedTuple):
    """One version of the API. Other modules read a single behaviour and never compare the names of versions."""

    target_types: tuple[str, ...] = _differs(
        "channels of a subscription", page=("email", "slack", "webhook"), today=("email", "slack", "teams")
    )
    max_exports: int = _differs("insights that one dashboard subscription exports at most", page=6, today=25)
    interval_required: bool = _differs("a create request must contain `interval`", page=False, today=True)
    positional_frequencies: tuple[str, ...] = _differs(
        "frequencies for which `bysetpos` counts; others ignore it",
        page=("daily", "weekly", "monthly", "yearly"),
        today=("monthly",),
    )
    names_weekdays: bool = _differs(
        'the summary names weekdays, such as "on Monday and Friday"', page=False, today=True
    )
    ai_prompts: bool = _differs(
        "subscriptions to AI reports: `prompt`, `resource_type=ai_prompt`, and the scope `query:read` to write them",
        page=False,
        today=True,
    )
    subscription_fields: tuple[str, ...] = _differs(
        "more fields in the representation of a subscription",
        page=(),
        today=("resource_type", "prompt", "ai_prompt_config", "contexts", "delivery_config"),
    )
    premium_only: bool = _differs(
        "all subscription operations return 402 `payment_required` on the free plan", page=True, today=False
    )
    free_plan_limit: int | None = _differs(
        "subscriptions of a project on the free plan; one more, created or restored, is a 400 on `subscription`",
        page=None,
        today=2,
    )
    ai_credits: bool = _differs("402 `quota_limit_exceeded` if the AI credits are used up", page=False, today=True)
    missing_resource_attr: str | None = _differs(
        "`attr` of the error for a subscription without a dashboard or insight", page="insight", today=None
    )
    names_current_kind: bool = _differs(
        "`attr` of the error for a second resource is the first of insight, dashboard and prompt; else it is null on "
        "create, and the new kind on change",
        page=False,
        today=True,
    )
    sends_when_resumed: bool = _differs("enabling again sends to all recipients at once", page=False, today=True)
    sends_new_content: bool = _differs(
        "a new insight, dashboard, export, integration or channel sends to all recipients at once",
        page=False,
        today=True,
    )
    trims_recipients: bool = _differs(
        "a delivery removes spaces around addresses and repeated addresses", page=False, today=True
    )
    renews_links: bool = _differs(
        "switching sharing off ends old links at once; switching it on again creates a new link",
        page=False,
        today=True,
    )
    user_fields: tuple[str, ...] = _differs(
        "more fields in the representation of a user",
        page=(),
        today=("fresh_reauth_expires_at", "notification_locks", "ui_configuration", "is_impersonated_reason"),
    )
    organization_rules: bool = _differs(
        "an organization can lock notification settings (`permission_denied`) and require a verified e-mail domain "
        "(`verified_domain_required`)",
        page=False,
        today=True,
    )


DIFFERENCES: Final[dict[str, Difference]] = dict(Era._field_defaults)
ERAS: Final = {
    name: Era(**{field: getattr(difference, name) for field, difference in DIFFERENCES.items()})
    for name in ("page", "today")
}
