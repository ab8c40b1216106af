#compdef xfer
# Completion of xfer in zsh: source <(xfer completion zsh) after compinit, or this text as the file _xfer in a folder of $fpath
_xfer() {
  local line word says names=words
  local -a found
  for line in "${(@f)$("${~words[1]}" complete zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :* ]]; then
      names=${line#:}
      continue
    fi
    word=${line%%$'\t'*} says=${line#*$'\t'}
    found+=("${word//:/\\:}${says:+:$says}")
  done
  [[ $PREFIX == --*=* ]] && compset -P '--*='
  case $names in
    file) _files ;;
    folder) _files -/ ;;
    *) _describe -t xfer xfer found ;;
  esac
}
if [[ $funcstack[1] == _xfer ]]; then _xfer "$@"; else compdef _xfer xfer; fi
