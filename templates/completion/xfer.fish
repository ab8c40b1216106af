# Completion of xfer in fish: xfer completion fish | source, or this text as the file completions/xfer.fish of fish's folder
function __xfer_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l start (string match -r -- '^--[^=]+=' $current)
    set -l value (string replace -r -- '^--[^=]+=' '' $current)
    for line in ($words[1] complete fish -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':file'
                __fish_complete_path "$value" | string replace -r -- '^' "$start"
            case ':folder'
                __fish_complete_directories "$value" '' | string replace -r -- '^' "$start"
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c xfer -e
complete -c xfer -f -k -a '(__xfer_complete)'
