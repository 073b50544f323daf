"""Names, titles and descriptions for a draft, from the texts of an OpenAPI document. Pure."""

from __future__ import annotations

import re
from typing import Any

from ..declarations.rules import MAX_NAME_LENGTH, MAX_TITLE_LENGTH
from ..text import to_line
from .document import Document, Operation

_DESCRIPTION_LENGTH, _ARGUMENT_LENGTH = 300, 120

# The verbs at the end of an operation id, and the title of such an operation.
_TITLES = {
    "list": "List {things}",
    "retrieve": "Read {thing}",
    "partial-update": "Change {thing}",
    "create": "Create {thing}",
    "destroy": "Delete {thing}",
}
_EFFECTS = {
    "create": "The {noun} is created.",
    "partial-update": "The {noun} is changed.",
    "destroy": "The {noun} is deleted.",
}

_ASCII = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00a0": " ",
    }
)
_MARKUP = re.compile(r"\*\*|__|`+|^\s*[*#-]+\s+", re.MULTILINE)
# The values of an enum, which the generator of PostHog's document appends to a description.
_ENUM_LIST = re.compile(r"^\s*\* `.*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_ENDS = " .,:;!?-"
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def tool_name(operation: Operation) -> str:
    """Return the operation id with hyphens, shortened after its first word to the length that clients accept."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", operation.id).lower()
    words = [word for word in re.split(r"[^a-z0-9]+", text) if word]
    while len("-".join(words)) > MAX_NAME_LENGTH and len(words) > 2:
        del words[1]
    return "-".join(words)[:MAX_NAME_LENGTH].strip("-")


def title(operation: Operation) -> str:
    """Return a title such as `List cohorts`, or the words of the operation id."""
    verb = _verb(operation)
    thing = noun(operation)
    article = "an" if thing[0] in "aeio" else "a"
    names = {"things": plural(operation), "thing": f"{article} {thing}"}
    words = tool_name(operation).replace("-", " ").removesuffix(" create")
    text = _TITLES[verb].format_map(names) if verb and _names_collection(operation) else words[:1].upper() + words[1:]
    return text[:MAX_TITLE_LENGTH].rstrip()


def description(document: Document, operation: Operation) -> str:
    """Return the summary and the first sentences of the description, or else the title as a sentence."""
    texts = documented_texts(document, operation) or [f"{title(operation)}."]
    return " ".join([*texts, "It changes nothing."] if operation.method == "GET" else texts)


def documented_texts(document: Document, operation: Operation) -> list[str]:
    """Return the summary and the first sentences of the description, if they describe what the operation does.

    A text that several operations have, such as `Create, read, update and delete cohorts`, describes none of them. That
    of a method that the API refuses describes the refusal.
    """
    others = [other.content for other in document.operations.values() if other != operation]
    elsewhere = {str(other.get(key)) for other in others for key in ("summary", "description")}
    parts = [str(operation.content.get(key) or "") for key in ("summary", "description")]
    texts = [sentences(part, _DESCRIPTION_LENGTH) for part in parts if part not in elsewhere]
    return [] if document.is_refused(operation) else list(dict.fromkeys(filter(None, texts)))


def argument_description(schema: dict[str, Any], name: str) -> str:
    """Return the first sentence about an argument, or its name as words."""
    words = name.replace("_", " ").strip() or "Value"
    return sentences(str(schema.get("description") or ""), _ARGUMENT_LENGTH) or f"{words[0].upper()}{words[1:]}."


def effect(operation: Operation) -> str:
    """Return the sentence that states the effect of a successful write."""
    verb = _verb(operation) if _names_collection(operation) else ""
    return _EFFECTS.get(verb, "The request is applied.").format(noun=noun(operation))


def sentences(text: str, limit: int) -> str:
    """Return the first sentences of a text, as ASCII without markup and orders, of at most `limit` characters."""
    text = _LINK.sub(r"\1", _MARKUP.sub("", _ENUM_LIST.sub("", text.translate(_ASCII))))
    text = to_line(text.encode("ascii", "ignore").decode())
    text = re.sub(r"\b(ALWAYS|NEVER|IMPORTANT)\b", lambda match: match[0].lower(), text)
    text = re.sub(r"\bYou (must|MUST)\b", "Callers must", text)
    result = ""
    for sentence in _SENTENCE.split(text):
        if len(result) + len(sentence) > limit:
            break
        result += f" {sentence}"
    whole, cut = (part.strip(_ENDS) for part in (result, text[:limit].rpartition(" ")[0]))
    # A part of a sentence ends with three dots.
    result = f"{whole}." if whole else f"{cut} ..." if cut else ""
    return result[:1].upper() + result[1:]


def noun(operation: Operation) -> str:
    """Return the singular of the collection in a path, such as `feature flag`."""
    words = plural(operation)
    if words.endswith("ies"):
        return f"{words[:-3]}y"
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def plural(operation: Operation) -> str:
    """Return the last name in a path, such as `feature flags`."""
    names = [part for part in operation.path.split("/") if part and "{" not in part]
    return re.sub(r"[^a-z0-9]+", " ", names[-1].lower()).strip() or "items"


def _verb(operation: Operation) -> str:
    name = re.sub(r"-\d+$", "", tool_name(operation))
    return next((verb for verb in _TITLES if name.endswith(f"-{verb}")), "")


def _names_collection(operation: Operation) -> bool:
    """Whether the path ends with a collection or one of its objects, so that the verb is about the last name."""
    last = operation.path.rstrip("/").rpartition("/")[2]
    return last.startswith("{") or _verb(operation) == "list" or last.endswith("s")
