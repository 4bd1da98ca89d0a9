#!/bin/sh
# What harness/data/plan.json asks of one backend by name exists: a misspelt name would plan nothing,
# and nobody would miss the cell.
set -eu

cd "${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}"
names() { # FILE
    sed -n '/"also": {/,/}/p' "$1" | grep -o '"[^"/]*/[^"]*"' | tr -d '"'
}
missing() { # FILE
    names "$1" | while IFS=/ read -r backend scenario params; do
        # shellcheck disable=SC2086 # a backend may be a glob
        ls -d impls/$backend/backend.h >/dev/null 2>&1 || echo "$1: no backend is called $backend"
        grep -qF "\"$params\"" "scenarios/$scenario/$scenario.c" 2>/dev/null ||
            echo "$1: scenarios/$scenario has no cell $params"
    done
}
[ "$(names harness/data/plan.json | wc -l)" -gt 10 ] || { echo "hardly a name in also: is it read?" && exit 1; }
found=$(missing harness/data/plan.json)
[ -z "$found" ] || { echo "$found" && exit 1; }

# Both mistakes are noticed.
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
sed 's|"eager/delegate/|"eagle/delegate/|; s|reserve/words=13"|reserve/words=12"|' harness/data/plan.json >"$box/plan.json"
[ "$(missing "$box/plan.json" | wc -l)" = 2 ] || { echo "a misspelt name is not noticed" && exit 1; }
