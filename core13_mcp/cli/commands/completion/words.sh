_core13_mcp_lookup() {
  # Set REPLY to the words that may follow a flag, a command or a tool.
  case $1 in
@TABLE@
    *) REPLY= ;;
  esac
}
_core13_mcp_words() {
  # Set REPLY to the words that may follow. Arguments: the words after core13-mcp, without the current one.
  local word previous= command= tool= words
  for word in "$@"; do
    previous=$word
    case $word in
      @COMMANDS@) command=${command:-$word} ;;
      @TOOLS@) tool=$word ;;
    esac
  done
  case $previous in
    # Flags that take any text.
    @TEXT_FLAGS@) REPLY=; return ;;
  esac
  _core13_mcp_lookup "value $previous"
  if [ -n "$REPLY" ]; then return; fi
  _core13_mcp_lookup "command $command"
  words=$REPLY
  case $command/$tool in
    call/ | tools/) _core13_mcp_lookup tools ;;
    call/*) _core13_mcp_lookup "arguments $tool" ;;
    *) return ;;
  esac
  REPLY="$REPLY $words"
}
