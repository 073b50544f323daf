"""MCP over Streamable HTTP: who may call, what holds for all of them, and the routes around `/mcp`."""
