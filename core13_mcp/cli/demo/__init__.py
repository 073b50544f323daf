"""A story that a product team would recognise, played through a real MCP client against the sandbox."""
