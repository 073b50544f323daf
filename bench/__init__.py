"""A benchmark beside other MCP servers; README.md describes it."""
