"""PostHog's Core-13 API page as declared MCP tools."""

# A constant, because `importlib.metadata` takes longer to find the version than the rest of a start. Hatch reads it.
__version__ = "0.1.0"
