#!/bin/sh
# No shell script (a file that begins with #! and a shell) makes shellcheck complain.
set -eu
cd "${CB_SOURCE_DIR:-$(dirname "$0")/../..}"
command -v shellcheck >/dev/null || { echo "shellcheck is missing: scripts/setup --tests"; exit 1; }
scripts=$(find . \( -path ./build -o -path ./.git -o -path ./results \) -prune -o -type f -print |
    while read -r file; do
        if head -n 1 "$file" | grep -qE '^#!.*\b(ba|da)?sh$'; then echo "$file"; fi
    done)
[ -n "$scripts" ]
# shellcheck disable=SC2086 # a list of files of our own naming
shellcheck $scripts
