#!/bin/sh
# docs/tutorial.md does what it says: its commands run in a copy of the tree, in order.
# Runs in: gcc
set -eu

source_dir=${CB_SOURCE_DIR:?the source folder}
build=${CB_BUILD_DIR:?the build folder}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
[ -e "$build/CMakeCache.txt" ] || { echo "no build in $build" && exit 1; }

tree=$box/tree
mkdir "$tree"
(cd "$source_dir" && tar cf - --exclude=./build --exclude=./results --exclude=./.git .) |
    (cd "$tree" && tar xf -)
mkdir -p "$tree/results"
# Lean, as run-tests.sh builds: a reader gets more scenarios and parts in more bindings, no other commands.
(cd "$tree" && cmake --preset release -DCB_LEAN=ON -DCB_SIZE=quick >"$box/configured") || {
    cat "$box/configured"
    exit 1
}

# All blocks marked sh, each command shown before it runs.
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$tree/docs/tutorial.md" >"$box/commands"
[ "$(wc -l <"$box/commands")" -gt 60 ] || { echo "the tutorial has hardly any commands" && exit 1; }
cd "$tree"
# shellcheck disable=SC1091 # made above
if ! (set -eux && . "$box/commands") >"$box/out" 2>&1; then
    echo "a command of the tutorial fails:"
    tail -n 40 "$box/out"
    exit 1
fi
# Twice the kit's last line, before and after the switch is written; nothing failed.
grep -E '^[0-9]+ passed, ' "$box/out" >"$box/kit" || true
cat "$box/kit"
[ "$(grep -c ' 0 failed' "$box/kit")" = 2 ] || { echo "expected two runs of the kit without a failure" && exit 1; }
grep -q '^all scenarios hold$' "$box/out" || { echo "the scenarios were not checked" && exit 1; }
grep -q 'my-fiber/yield/opaque/gcc/depth=1' results/mine/cells.csv || { echo "no row of the new backend" && exit 1; }
[ -s build/release/hotpath/my-fiber-gcc.md ] || { echo "no hot path" && exit 1; }
# What the tutorial says of a claim that is not so.
sed -i 's/CO_CAP_CALLEE_SAVED/CO_CAP_CALLEE_SAVED | CO_CAP_FP_CONTROL/' impls/my-fiber/backend.h
cmake --build --preset release --target conformance-my-fiber-timed >/dev/null
if build/release/tests/conformance/conformance-my-fiber-timed --binding opaque 'machine.control_words*' >"$box/claim"; then
    echo "a false claim of control words was not noticed"
    cat "$box/claim"
    exit 1
fi
