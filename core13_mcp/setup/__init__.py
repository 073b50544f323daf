"""Installs this server in the configuration files of MCP clients, and checks the installation."""
