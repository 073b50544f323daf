"""The requests and errors of the OAuth protocol: forms, and errors as RFC 6749 defines them."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.responses import Response

from ..context import RequestContext
from ..responses import APIError, json_response


def form_lists(context: RequestContext) -> dict[str, list[str]]:
    """The fields of a form body, each with all its values."""
    return parse_qs(context.raw.decode(errors="replace"), keep_blank_values=True)


def parameters(context: RequestContext) -> dict[str, str]:
    """The parameters of a request body: a form, as the standard requires, or a JSON object."""
    if context.request.headers.get("content-type", "").startswith("application/json"):
        return {name: str(value) for name, value in context.fields.items() if value is not None}
    return {name: values[0] for name, values in form_lists(context).items()}


def oauth_error(status: int, error: str, description: str = "") -> APIError:
    """An error of the authorization server."""
    return APIError(error_response(status, error, description))


def error_response(status: int, error: str, description: str = "") -> Response:
    # The standard requires this header when the client authenticates, and permits it otherwise.
    headers = {"WWW-Authenticate": f'Bearer error="{error}"'} if status == 401 else {}
    return json_response(status, oauth_error_body(error, description), headers | {"Cache-Control": "no-store"})


def oauth_error_body(error: str, description: str = "") -> dict[str, str]:
    return {"error": error} | ({"error_description": description} if description else {})
