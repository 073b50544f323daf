"""A scripted demo: an MCP client calls the tools of a server that uses the sandbox."""
