#compdef core13-mcp
# Completes the command core13-mcp in zsh. Created by `core13-mcp completion zsh`.
# Source it after compinit, or save it as a file named _core13-mcp in a directory of fpath.
@WORDS@
_core13_mcp() {
  local REPLY
  _core13_mcp_words "${(@)words[2,CURRENT-1]}"
  local -a offered=(${=REPLY})
  # No space after `name=`.
  compadd -S '' -- ${(M)offered:#*=}
  compadd -- ${offered:#*=}
  [[ -n $REPLY ]] || _files
}
if [ "$funcstack[1]" = "_core13-mcp" ]; then _core13_mcp "$@"; else compdef _core13_mcp core13-mcp; fi
