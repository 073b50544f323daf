"""How the server is set up: variables and flags, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from .errors import ConfigurationError
from .keys import key_problem
from .options import OPTIONS
from .origins import REGIONS, parse_origin
from .text import closest

_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]+")
_SERVICE_LINK = re.compile(r"CORE13_MCP_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)")
# Kubernetes gives these to every pod beside a Service that is called core13-mcp.
_VARIABLES = {option.name: option.variable for option in OPTIONS}


class Settings(BaseModel):
    """Every knob, with its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    personal_api_key: SecretStr | None = None
    personal_api_key_file: str | None = None
    host: str = REGIONS["us"]
    project_id: Annotated[int, Field(ge=1)] | None = None
    session_id: SecretStr | None = None
    csrf_token: SecretStr | None = None
    read_only: bool = False
    tools: tuple[str, ...] = ()
    exclude_tools: tuple[str, ...] = ()
    tools_dir: str | None = None
    confirm: Literal["auto", "always", "never"] = "auto"
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0
    max_result_chars: Annotated[int, Field(ge=1000)] = 40_000
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    sandbox: bool = False
    sandbox_db: str | None = None
    http: str | None = None
    auth: Literal["none", "token", "own-key", "oauth"] = "none"
    caller_tokens_file: str | None = None
    seal_keys: tuple[SecretStr, ...] = ()
    http_url: str | None = None
    http_hosts: tuple[str, ...] = ()
    http_origins: tuple[str, ...] = ()
    http_bearer_keys: bool = False
    http_posthog_hosts: tuple[str, ...] = ()
    http_rate: Annotated[int, Field(ge=1)] = 240
    http_at_once: Annotated[int, Field(ge=1)] = 8
    http_max_body: Annotated[int, Field(ge=1024, le=4 * 1024 * 1024)] = 1024 * 1024
    http_drain: Annotated[float, Field(ge=0, le=600)] = 5.0
    http_metrics: bool = False

    @field_validator(
        "tools", "exclude_tools", "seal_keys", "http_hosts", "http_origins", "http_posthog_hosts", mode="before"
    )
    @classmethod
    def _split(cls, given: Any) -> Any:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @field_validator("host")
    @classmethod
    def _origin(cls, given: str) -> str:
        return parse_origin(given)

    @field_validator("http_posthog_hosts")
    @classmethod
    def _origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(parse_origin, given))

    @field_validator("seal_keys")
    @classmethod
    def _long_enough(cls, given: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < 32 for key in given):
            raise ValueError("a key needs at least 32 characters; `openssl rand -hex 32` makes one")
        return given

    @field_validator("session_id", "csrf_token")
    @classmethod
    def _sendable(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not _COOKIE.fullmatch(given.get_secret_value()):
            raise ValueError("it has characters that no cookie can carry; copy only the cookie's value")
        return given

    @field_validator("personal_api_key")
    @classmethod
    def _usable(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            why = key_problem(given.get_secret_value())
            if why:
                raise ValueError(why)
        return given

    @classmethod
    def read(cls, environ: Mapping[str, str], flags: Mapping[str, str | bool] | None = None) -> Self:
        """Read the variables, then the flags over them. An empty variable counts as absent.

        Raises:
            ConfigurationError: A variable is unknown or out of range; the text says which and what to do.
        """
        _know_all(environ)
        given = {o.name: environ[o.variable].strip() for o in OPTIONS if environ.get(o.variable, "").strip()}
        try:
            return cls.model_validate({**given, **(flags or {})})
        except ValidationError as error:
            told = "; ".join(_tell(part["loc"], part["msg"]) for part in error.errors())
            raise ConfigurationError(told) from None


def _know_all(environ: Mapping[str, str]) -> None:
    for name in environ:
        if name.startswith("CORE13_") and name not in _VARIABLES.values() and not _SERVICE_LINK.match(name):
            like = closest(name.removeprefix("CORE13_"), _VARIABLES)
            meant = f"did you mean {_VARIABLES[like]}?" if like else f"known are {', '.join(_VARIABLES.values())}"
            raise ConfigurationError(f"{name} is not a setting; {meant}")


def _tell(place: tuple[int | str, ...], message: str) -> str:
    option = next(o for o in OPTIONS if o.name == place[0])
    own = message.removeprefix("Value error, ")
    # What is not said in our own words does not say what the setting is for.
    return f"{option.variable}: {own}" + (f"; it means: {option.help}" if own == message else "")
