"""Examples for the help of each command; the empty name is the program's own."""

from __future__ import annotations

EXAMPLES = {
    "": """\
  core13-mcp demo                                    a story, played against the sandbox
  core13-mcp call users-list --sandbox               one call, no account needed
  core13-mcp call users-retrieve                     one call, with POSTHOG_PERSONAL_API_KEY
  core13-mcp install claude-code                     into a client's configuration
  core13-mcp doctor                                  what is wrong with the set-up
  core13-mcp serve                                   what an MCP client launches
  core13-mcp serve --http 8080                       the same over Streamable HTTP

exit status:
  0 done   1 the call failed, or doctor found something wrong   2 wrongly set up   130 interrupted""",
    "serve": """\
  core13-mcp serve                                   over stdio
  core13-mcp serve --read-only --tools 'users-*'     fewer tools
  core13-mcp serve --http 8080 --auth own-key        over HTTP, each caller with a key of their own""",
    "demo": "  core13-mcp demo",
    "tools": """\
  core13-mcp tools                                   one line each
  core13-mcp tools users-list                        what a client sees of one
  core13-mcp tools --json | jq '.[].name'            for programs""",
    "call": """\
  core13-mcp call users-retrieve --sandbox
  core13-mcp call users-list limit=2 detail=full
  core13-mcp call users-partial-update '{"theme_mode": "dark"}' --dry-run
  echo '{"limit": 2}' | core13-mcp call users-list -

exit status: 0 with a result on stdout, 1 with the tool's error on stderr, 2 wrongly set up""",
    "sandbox": """\
  core13-mcp sandbox --port 8013 --db sandbox.db     the API on a port, kept in a file
  core13-mcp sandbox outbox --db sandbox.db          what it would have sent to people""",
    "install": """\
  core13-mcp install claude-desktop                  asks for the key, without showing it
  core13-mcp install cursor --print                  what goes into the file; nothing is written
  core13-mcp install claude-code --scope project     for this folder only
  core13-mcp install vscode --sandbox                no account needed
  core13-mcp install zed --personal-api-key-file ~/.posthog-key
  core13-mcp install gemini --remote https://mcp.example.com/mcp""",
    "uninstall": "  core13-mcp uninstall cursor",
    "doctor": """\
  core13-mcp doctor                                  with the variables of this shell
  core13-mcp doctor --sandbox                        all but the account
  core13-mcp doctor --json | jq '.findings[] | select(.status == "wrong")'

exit status: 0 all well, 1 something is wrong""",
    "completion": """\
  eval "$(core13-mcp completion bash)"               in ~/.bashrc
  eval "$(core13-mcp completion zsh)"                in ~/.zshrc, after compinit
  core13-mcp completion fish > ~/.config/fish/completions/core13-mcp.fish""",
}
