# Completes the command core13-mcp in fish. Created by `core13-mcp completion fish`.
complete -c core13-mcp -f
@LINES@
