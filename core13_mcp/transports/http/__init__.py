"""MCP over Streamable HTTP: authentication, limits, the MCP endpoint and other routes."""
