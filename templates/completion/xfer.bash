# Completion of xfer in bash, to be loaded by ~/.bashrc: source <(xfer completion bash)
_xfer() {
  local line names=words program=${COMP_WORDS[0]/#\~/$HOME}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) names=${line#:} ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("$program" complete bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # What readline itself offers knows of quotes and of ~.
  case $names in
    file) compopt -o default ;;
    folder) compopt -o dirnames ;;
  esac
}
complete -F _xfer xfer
