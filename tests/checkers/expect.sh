#!/bin/sh
# For the scripts of this folder: runs the program, and says what is wrong with what it prints. A
# script sets `failed` to 0 before, and exits with it.
# shellcheck disable=SC2034 # failed is the script's

output=$(mktemp)
trap 'rm -f "$output"' EXIT

# expect_clean WORD...: the command ends well.
expect_clean() {
    if ! "$@" >"$output" 2>&1 || ! grep -q '^done$' "$output"; then
        echo "no mistake is planted, yet: $*"
        head -40 "$output"
        failed=1
    fi
}

# expect_found PATTERN WORD...: the command fails, and its output matches the pattern.
expect_found() {
    pattern=$1
    shift
    if "$@" >"$output" 2>&1; then
        echo "the planted mistake is not found: $*"
        failed=1
    elif ! grep -qE "$pattern" "$output"; then
        echo "what is found is not $pattern: $*"
        head -40 "$output"
        failed=1
    fi
}

# expect_order PATTERN...: lines that match stand in the output in this order.
expect_order() {
    line=0
    for pattern in "$@"; do
        next=$(awk -v from="$line" -v pattern="$pattern" \
            'NR > from && $0 ~ pattern { print NR; exit }' "$output")
        if [ -z "$next" ]; then
            echo "after line $line nothing matches $pattern:"
            head -40 "$output"
            failed=1
            return
        fi
        line=$next
    done
}
