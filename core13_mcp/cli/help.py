"""The help of each command: what it does, its arguments, and examples."""

from __future__ import annotations

from typing import NamedTuple


class Help(NamedTuple):
    """The help of a command. `usage` lists its arguments and flags, without a flag for each setting."""

    summary: str
    usage: str
    examples: str
    has_settings: bool = True


PROGRAM = Help(
    "serve PostHog's Core-13 API page as MCP tools to an agent, or call the tools from the shell",
    "[--version] COMMAND ...",
    """\
  core13-mcp demo                                    a conversation with an agent, in the sandbox
  core13-mcp call users-list --sandbox               one call, no account needed
  core13-mcp call users-retrieve                     one call, with POSTHOG_PERSONAL_API_KEY
  core13-mcp install claude-code                     add the server to a client's configuration
  core13-mcp doctor                                  check the configuration
  core13-mcp serve                                   the command that an MCP client starts
  core13-mcp serve --http 8080                       serve Streamable HTTP
  core13-mcp help                                    all settings
  core13-mcp help call                               the help of a command
  core13-mcp help users-list                         the arguments of a tool

exit status:
  0    success
  1    the call failed, doctor found a problem, or the output cannot be written
  2    usage or configuration error; nothing was sent
  3    doctor found no problem, but could not check everything
  70   internal error
  130  interrupted with Ctrl-C
  143  ended by SIGTERM""",
)

COMMANDS = {
    "serve": Help(
        "serve MCP over stdio (the default), or over HTTP",
        "",
        """\
  core13-mcp serve                                   over stdio
  core13-mcp serve --read-only --tools 'users-*'     fewer tools
  core13-mcp serve --http 8080 --auth own-key        over HTTP; each caller sends its own key""",
    ),
    "demo": Help(
        "play a conversation with an agent, with a real MCP client and the sandbox",
        "[--step] [--quiet]",
        """\
  core13-mcp demo                                    the whole conversation
  core13-mcp demo --step                             wait for Enter before each request""",
        has_settings=False,
    ),
    "tools": Help(
        "list the tools, or describe one tool and its arguments",
        "[--json] [NAME]",
        """\
  core13-mcp tools                                   one line per tool
  core13-mcp tools users-list                        the arguments of a tool
  core13-mcp tools users-list --json                 the definition that MCP clients receive
  core13-mcp tools --json | jq '.[].name'            all definitions, for programs""",
    ),
    "call": Help(
        "call a tool and print its result",
        "[--dry-run] [--yes] NAME [JSON | key=value ... | -]",
        """\
  core13-mcp call users-list --help                  the arguments of a tool
  core13-mcp call users-retrieve --sandbox
  core13-mcp call users-list limit=2 detail=full
  core13-mcp call users-partial-update '{"theme_mode": "dark"}' --dry-run
  echo '{"limit": 2}' | core13-mcp call users-list -

exit status: 0 with the result on stdout, 1 with the error of the tool on stderr, 2 usage or configuration error""",
    ),
    "sandbox": Help(
        "run the fake PostHog API on a port, or print its outbox",
        "[--port PORT] [--db FILE] [--era ERA] [--faults] [--oauth-rotation] [--oauth-seconds N] [serve | outbox]",
        """\
  core13-mcp sandbox --port 8013 --db sandbox.db     serve the API; the data is kept in a file
  core13-mcp sandbox --era today                     imitate today's PostHog
  core13-mcp sandbox outbox --db sandbox.db          print the messages that it would have sent""",
        has_settings=False,
    ),
    "login": Help(
        "sign in to PostHog in the browser, in place of an API key",
        "[--no-browser] [--port PORT] [--status]",
        """\
  core13-mcp login                                   at us.posthog.com
  core13-mcp login --host eu --read-only             ask for read scopes only
  core13-mcp login --status                          who is signed in; sends nothing

exit status: 0 signed in, 1 not signed in, 2 usage or configuration error""",
    ),
    "logout": Help(
        "revoke the sign-in at PostHog, and delete its tokens from this machine",
        "",
        """\
  core13-mcp logout                                  at us.posthog.com
  core13-mcp logout --host eu

exit status: 0 signed out, 1 PostHog did not confirm the revocation, 2 usage or configuration error""",
    ),
    "install": Help(
        "add this server to the configuration of MCP clients",
        "[--scope SCOPE] [--print] [--remote URL] [--remote-auth AUTH] [--no-check] [--uvx] "
        "{CLIENT ... | --all [--yes] | --list [--json]}",
        """\
  core13-mcp install claude-desktop                  prompts for the key; input is hidden
  core13-mcp install cursor --print                  print the configuration, write nothing
  core13-mcp install claude-code --scope project     for the current directory only
  core13-mcp install vscode --sandbox                no account needed
  core13-mcp install --all                           list the clients on this machine, and ask
  core13-mcp install --list                          where it is installed, with which settings
  core13-mcp install zed --personal-api-key-file ~/.posthog-key
  core13-mcp install gemini --remote https://mcp.example.com/mcp

exit status: 0 success, 1 an entry was written but its server does not start, 2 nothing was written""",
    ),
    "uninstall": Help(
        "remove this server from the configuration of MCP clients",
        "[--scope SCOPE] {CLIENT ... | --all [--yes]}",
        """\
  core13-mcp uninstall cursor
  core13-mcp uninstall --all                         list the files with an entry, and ask""",
        has_settings=False,
    ),
    "doctor": Help(
        "check the configuration and print how to fix each problem",
        "[--json] [--run-project-commands]",
        """\
  core13-mcp doctor                                  with the variables of this shell
  core13-mcp doctor --sandbox                        all checks that need no account
  core13-mcp doctor --json | jq '.findings[] | select(.status == "wrong")'

exit status: 0 no problem, 1 at least one problem, 3 no problem, but a check could not run""",
    ),
    "draft": Help(
        "draft a declaration from the OpenAPI document of the API",
        "[--spec FILE|URL] [--out DIR] {OPERATION | --list WORD}",
        """\
  core13-mcp draft --list annotation                 find an operation
  core13-mcp draft annotations_list --out my-tools   write my-tools/annotations-list.json
  core13-mcp draft cohorts_create --spec openapi.json

The file has open decisions under `review`. It loads when they are made and the list is empty.""",
    ),
    "check": Help(
        "check the declarations of a directory",
        "DIR",
        """\
  core13-mcp check my-tools                          each problem with its file, key and correct form

exit status: 0 no problem, 1 at least one problem""",
        has_settings=False,
    ),
    "drift": Help(
        "compare the tools with the OpenAPI document of the API",
        "[--spec FILE|URL] [--json]",
        """\
  core13-mcp drift                                   with the document of the host
  core13-mcp drift --spec openapi.json               with a file
  core13-mcp drift --tools-dir my-tools              your own declarations too
  core13-mcp drift --json | jq '.differences[]'      for programs

exit status: 0 no difference breaks calls, 1 at least one does""",
    ),
    "completion": Help(
        "print a shell completion script",
        "{bash,zsh,fish}",
        """\
  eval "$(core13-mcp completion bash)"               in ~/.bashrc
  eval "$(core13-mcp completion zsh)"                in ~/.zshrc, after compinit
  core13-mcp completion fish > ~/.config/fish/completions/core13-mcp.fish""",
        has_settings=False,
    ),
    "help": Help(
        "show the help of a command or a tool",
        "[NAME]",
        """\
  core13-mcp help                                    all commands and settings
  core13-mcp help call                               the help of a command
  core13-mcp help users-list                         the arguments of a tool""",
        has_settings=False,
    ),
}
