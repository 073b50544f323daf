"""Reads the OpenAPI document that a command needs, and shows the progress on a terminal."""

from __future__ import annotations

from ..errors import ConfigurationError
from ..openapi.document import Document
from ..openapi.source import SCHEMA_PATH, load_document
from ..settings import Settings
from .terminal import status_line


async def read_document(spec: str | None, settings: Settings) -> Document:
    """Return the document of a file or a URL. The default is the document of the host.

    Raises:
        ConfigurationError: The document cannot be read.
    """
    if spec is None and settings.sandbox:
        raise ConfigurationError("the sandbox has no OpenAPI document", "Name a file or a URL with --spec.")
    source = settings.host + SCHEMA_PATH if spec is None else spec

    def show(size: int) -> None:
        status_line(f"reading the OpenAPI document: {size / 1_000_000:.1f} MB")

    try:
        return await load_document(source, show)
    finally:
        status_line("")
