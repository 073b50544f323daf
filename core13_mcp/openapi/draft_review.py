"""The decisions that a draft leaves to a person, each with the key that it is about. Pure."""

from __future__ import annotations

from .document import Document, Operation
from .draft_inputs import Arguments
from .draft_outputs import Result
from .wording import documented_texts


def open_decisions(document: Document, operation: Operation, arguments: Arguments, result: Result) -> list[str]:
    """Return the questions that the document does not answer."""
    return [
        *_about_result(arguments, result),
        *_about_texts(document, operation),
        *_about_request(document, operation),
        *([] if operation.method == "GET" else _about_effects(document, operation)),
        *arguments.guesses,
    ]


def _about_texts(document: Document, operation: Operation) -> list[str]:
    described = documented_texts(document, operation)
    return [] if described else ["description: the document has no text about this operation. What does a call do?"]


def _about_result(arguments: Arguments, result: Result) -> list[str]:
    secrets = f"The draft lists {', '.join(arguments.secrets)}" if arguments.secrets else "The draft lists none"
    hidden = f", and hides {', '.join(result.secrets)}" if result.secrets else ""
    shown = f"a result shows {result.shown} of {result.total} fields. Which are useful?"
    questions = [
        f"secrets: which arguments and fields are secret? {secrets}{hidden}.",
        f"outputSchema: {shown if result.properties else result.problem}",
    ]
    if result.evidence is None:
        questions.append("evidence: which status and field show that the call succeeded?")
    return questions


def _about_request(document: Document, operation: Operation) -> list[str]:
    questions = []
    if operation.content.get("deprecated") is True:
        questions.append("endpoint: the document marks the operation as deprecated. Which one replaces it?")
    if document.is_refused(operation):
        questions.append("endpoint: the document says that the API refuses this method. What does the API do instead?")
    if not operation.scopes:
        questions.append("endpoint.auth: the document names no scope. Is it true that the endpoint refuses API keys?")
    elif len(operation.scopes) > 1:
        questions.append(f"endpoint.scope: the document names {', '.join(operation.scopes)}. Which one is needed?")
    return questions


def _about_effects(document: Document, operation: Operation) -> list[str]:
    questions = [
        "annotations.openWorldHint: does a call reach people, such as by a message or a public link? If not: false.",
        "confirm: what does a person decide before the call? Remove the key if nothing can be lost.",
    ]
    if operation.method == "POST":
        lists = _list_operation(document, operation)
        fix = f" The operation {lists} may show it." if lists else ""
        questions.append(f"hints.unknown: how does a caller find out whether a lost request was applied?{fix}")
    return questions


def _list_operation(document: Document, operation: Operation) -> str | None:
    """Return the operation that lists the collection of a path, or of the object that its path starts with."""
    lists = [other for other in document.operations.values() if other.method == "GET" and other.id.endswith("_list")]
    matches = [other for other in lists if operation.path.startswith(other.path)]
    return max(matches, key=lambda other: len(other.path)).id if matches else None
