"""A person sees who receives something, and whether an address may mislead."""

from __future__ import annotations

import pytest

from core13_mcp.templates.addresses import describe_recipient
from core13_mcp.templates.recipients import describe_change, describe_recipients

MANY = ",".join(f"colleague{number:02}@ourcompany.example" for number in range(30))


@pytest.mark.parametrize(
    ("recipient", "described"),
    [
        ("ada.l+x@x.example", "ada.l+x@x.example"),
        ("\u0430da@x.example", "\u0430da@x.example (contains Cyrillic letters mixed with Latin ones)"),
        ("ada@\u0440\u0430\u0443.example", "ada@\u0440\u0430\u0443.example (contains Cyrillic letters)"),
        ("j\u00fcrgen@x.example", "jürgen@x.example (contains “ü”)"),
        ("ada@x\u3002example", "“ada@x\u3002example” (contains “\u3002”)"),
        ("ada@x\u200b.example", "ada@x.example (contains invisible characters)"),
        ("ada@xn--80a.example", "ada@xn--80a.example (“xn--80a” is displayed as “\u0430”, which contains Cyrillic letters)"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example (“xn--bcher-kva” is displayed as “bücher”, which contains “ü”)"),
        ("ada@xn--a-\u0430.example", "ada@xn--a-\u0430.example (contains Cyrillic letters mixed with Latin ones; “xn--a-\u0430” is not a valid name)"),
        ("Ada <ada@x.example>", "“Ada <ada@x.example>”"),
        ("x\"? yes", "“x'? yes”"),
        ("a" * 150 + "@x.example", f"“{'a' * 60}…{'a' * 50}@x.example” (160 characters)"),
        ("\U0001d41ada@x.example", "\U0001d41ada@x.example (contains “\U0001d41a”)"),
        ("C1234", "C1234"),
        ("C1234|#general", "C1234 (label “#general”)"),
        ("https://hooks.x.example", "https://hooks.x.example/"),
        ("https://hooks.x.example:8443/T/SECRET9Zk", "https://hooks.x.example:8443/… (ends with “T9Zk”)"),
        ("https://hooks.ourcompany.example@evil.example/x", "https://evil.example/… (the text before @, “hooks.ourcompany.example”, is not its host)"),
        ("https://user:SECRET@evil.example", "https://evil.example/ (the text before @, “user”, is not its host)"),
        ("https://good.example\\@evil.example/", "https://evil.example/ (the text before @, “good.example\\”, is not its host; its host is not certain, because it contains a backslash)"),
        ("https://\u0435vil.example?SECRET", "https://\u0435vil.example/… (contains Cyrillic letters mixed with Latin ones)"),
        ("https://[::1]/", "https://[::1]/"),
        ("https://" + "a" * 300, f"https://“{'a' * 253}…” (300 characters)/"),
        ("https://a b/", "https://“a b”/"),
    ],
)  # fmt: skip
def test_a_recipient_is_marked_where_it_may_mislead(recipient: str, described: str) -> None:
    assert describe_recipient(recipient) == described
    assert "SECRET" not in describe_recipient(recipient)


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (None, "nobody"),
        (" , ", "nobody"),
        ("a@x.example,", "a@x.example"),
        ("a@x.example, b@x.example,a@x.example", "2 recipients: a@x.example, b@x.example"),
    ],
)
def test_all_recipients_are_named_with_their_number(value: str | None, described: str) -> None:
    assert describe_recipients(value) == described


def test_recipients_beyond_the_first_hundred_are_counted_by_domain_the_rarest_first() -> None:
    many = [f"c{number}@ourcompany.example" for number in range(150)]
    text = describe_recipients(",".join([*many, "thief@evil.example"]))
    assert text.startswith("151 recipients: c0@ourcompany.example, ")
    assert text.endswith(
        ", c99@ourcompany.example, and 51 more that are not listed here, at evil.example (1), ourcompany.example (50)"
    )


def test_marked_recipients_are_among_the_first_hundred() -> None:
    many = [f"c{number}@ourcompany.example" for number in range(150)]
    text = describe_recipients(",".join([*many, "a@xn--80a.example", "\u0430da@ourcompany.example"]))
    marks = "a@xn--80a.example (“xn--80a” is displayed as “\u0430”, which contains Cyrillic letters), "
    marks += "\u0430da@ourcompany.example (contains Cyrillic letters mixed with Latin ones), c0@ourcompany.example, "
    assert text.startswith(f"152 recipients: {marks}")


def test_many_domains_are_counted() -> None:
    text = describe_recipients(",".join(f"a@d{number:03}.example" for number in range(130)))
    assert text.endswith(", d119.example (1) and 10 other domains (10)")


@pytest.mark.parametrize(
    ("after", "before", "described"),
    [
        ("a@x,b@x", "a@x", "2 recipients: a@x, b@x (added: b@x; nobody is removed)"),
        ("a@x", "a@x, b@x", "a@x (nobody is added; removed: b@x)"),
        (f"{MANY},thief@evil.example", f"{MANY},old@x.example", "31 recipients (added: thief@evil.example; removed: old@x.example)"),
        ("a@x", None, "a@x (those until now are unknown)"),
    ],
)  # fmt: skip
def test_a_change_names_who_is_added_and_who_is_removed(after: str, before: str | None, described: str) -> None:
    assert describe_change(after, before) == described


def test_all_recipients_are_named_if_those_until_now_are_unknown() -> None:
    assert describe_change(MANY, None).startswith("30 recipients: colleague00@ourcompany.example, ")
