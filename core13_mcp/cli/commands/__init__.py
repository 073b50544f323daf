"""What each command does; `core13_mcp.cli` imports one when it is asked for."""
