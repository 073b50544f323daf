"""The endpoints of an authorization server, as paths at its origin. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_PATH = re.compile(r"/(?!/)[!-~]{0,200}")


class Endpoints(NamedTuple):
    """The paths of the authorization server. The defaults are PostHog's."""

    authorization: str = "/oauth/authorize/"
    token: str = "/oauth/token/"
    registration: str = "/oauth/register/"
    revocation: str = "/oauth/revoke/"

    @classmethod
    def parse(cls, value: Any) -> Endpoints:
        """Read the paths from a file.

        Raises:
            ValueError: One of them is missing, or is not a path.
        """
        paths = [value.get(name) if isinstance(value, dict) else None for name in cls._fields]
        if not all(isinstance(path, str) and _PATH.fullmatch(path) for path in paths):
            raise ValueError("endpoints are not paths")
        return cls(*map(str, paths))

    @classmethod
    def discovered(cls, metadata: Any, origin: str) -> Endpoints:
        """Read the metadata of the server (RFC 8414). A path of another origin is replaced by PostHog's."""
        urls = metadata if isinstance(metadata, dict) else {}
        endpoints = {name: str(urls.get(f"{name}_endpoint", "")) for name in cls._fields}
        paths = {name: url.removeprefix(origin) for name, url in endpoints.items() if url.startswith(origin)}
        return cls(**{name: path for name, path in paths.items() if _PATH.fullmatch(path)})


POSTHOG_ENDPOINTS = Endpoints()
