# Completes the command core13-mcp in bash 3.2 or later. Created by `core13-mcp completion bash`.
@WORDS@
_core13_mcp() {
  local REPLY
  _core13_mcp_words "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=($(compgen -W "$REPLY" -- "${COMP_WORDS[COMP_CWORD]}"))
  # No space after `name=`.
  if [ "${#COMPREPLY[@]}" = 1 ] && [ "${COMPREPLY[0]%=}" != "${COMPREPLY[0]}" ]; then compopt -o nospace 2>/dev/null; fi
}
complete -o default -F _core13_mcp core13-mcp
