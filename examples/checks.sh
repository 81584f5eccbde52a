# How the examples check themselves; sourced by each run.sh, which has made a file and named it in OUTPUT.

chapter() { printf '\n━━ %s\n' "$1"; }

fail() { printf '\nnot as expected: %s\n' "$1" >&2; exit 1; }

# expect CODE COMMAND: show the command, run it, and insist on its exit code.
expect() {
    printf '\n$ %s\n' "$2"
    code=0
    eval "$2" >"$OUTPUT" 2>&1 || code=$?
    cat "$OUTPUT"
    [ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
}

# shows TEXT: insist that the last command's output has this text.
shows() { grep -qF -- "$1" "$OUTPUT" || fail "the output above does not say: $1"; }

# new_folder [PATH]: an empty folder by its full path: the one that is named, or a temporary one.
new_folder() {
    folder=${1:-$(mktemp -d)}
    mkdir -p "$folder"
    [ -z "$(ls -A "$folder")" ] || { echo "$folder is not empty: name a new folder" >&2; exit 1; }
    (cd "$folder" && pwd)
}

# Servers that an example starts, by their process numbers; all end with it.
SERVERS=

end() {
    [ -z "$SERVERS" ] || kill $SERVERS 2>/dev/null || true
    rm -f "$OUTPUT"
}

# until_says FILE TEXT: wait, two minutes at most, until a server has written a line with this text.
until_says() {
    left=600
    until grep -qF -- "$2" "$1" 2>/dev/null; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { cat "$1"; fail "$1 does not say: $2"; }
        sleep 0.2
    done
}
