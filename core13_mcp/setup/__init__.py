"""Installation of this server in MCP clients, and checks of the installation."""
