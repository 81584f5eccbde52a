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
