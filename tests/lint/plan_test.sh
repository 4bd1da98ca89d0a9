#!/bin/sh
# What harness/data/plan.json asks of one backend by name exists: a misspelt name would plan nothing,
# and nobody would miss the cell.
set -eu

cd "${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}"
names() { # FILE
    sed -n '/"\(second_\)\{0,1\}also": {/,/}/p' "$1" | grep -o '"[^"/]*/[^"]*"' | tr -d '"'
}
has_cell() { # FILE PARAMS
    grep -o '"[a-z_]*=[^"]*"' "$1" | tr -d '"' | while read -r cell; do
        # shellcheck disable=SC2254 # params may be a glob
        case $cell in $2) echo yes ;; esac
    done | grep -q yes
}
missing() { # FILE
    names "$1" | while IFS=/ read -r backend scenario params; do
        # shellcheck disable=SC2086 # a backend may be a glob
        ls -d impls/$backend/backend.h >/dev/null 2>&1 || echo "$1: no backend is called $backend"
        has_cell "scenarios/$scenario/$scenario.c" "$params" 2>/dev/null ||
            echo "$1: scenarios/$scenario has no cell $params"
    done
}
[ "$(names harness/data/plan.json | wc -l)" -gt 10 ] || { echo "hardly a name in also: is it read?" && exit 1; }
found=$(missing harness/data/plan.json)
[ -z "$found" ] || { echo "$found" && exit 1; }

# Each mistake is noticed.
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
sed 's|"eager/delegate/wrappers=64|"eagle/delegate/wrappers=64|; s|reserve/words=13"|reserve/words=12"|; s|cxx20-leaf/fold|cxx20-leaf/fild|' harness/data/plan.json >"$box/plan.json"
[ "$(missing "$box/plan.json" | wc -l)" = 3 ] || { echo "a misspelt name is not noticed" && exit 1; }
