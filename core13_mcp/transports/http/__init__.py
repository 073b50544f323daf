"""MCP over Streamable HTTP: authentication, limits, the `/mcp` endpoint and the routes around it."""
