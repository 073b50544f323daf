"""PostHog's Core-13 API page as declared MCP tools."""
