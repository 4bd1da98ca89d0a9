#!/bin/sh
# clang-tidy (.clang-tidy) has nothing to say about the harness, nor about the backends' headers as
# their runtime units include them. Of the combinations of a switch's factors, those with none and
# with all: what lies between has no text of its own.
set -eu
build=${CB_BUILD_DIR:?the build folder, with compile_commands.json}
cd "${CB_SOURCE_DIR:-$(dirname "$0")/../..}"
command -v clang-tidy >/dev/null || { echo "clang-tidy is missing: scripts/setup --tests"; exit 1; }
[ -f "$build/compile_commands.json" ] || { echo "$build has no compile_commands.json"; exit 1; }
files=$(find harness -name '*.c' ! -name describe.c
    find "$build/units" -name 'runtime-3.c' 2>/dev/null |
        grep -vE '/bench-factors-([1-9]|[1-5][0-9]|6[0-2])-' || true)
[ -n "$files" ]
# The analyzer gives a function up after as many states, not after its default of 225 000: most of the
# time of this test went into few large functions.
for word in -analyzer-config max-nodes=50000; do
    set -- "$@" --extra-arg=-Xclang "--extra-arg=$word"
done
status=0
echo "$files" | xargs -P "$(nproc)" -n 2 clang-tidy -p "$build" --quiet "$@" >"$build/tidy.txt" 2>&1 ||
    status=$?
if [ "$status" != 0 ] || grep -qE '(warning|error):' "$build/tidy.txt"; then
    grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -' "$build/tidy.txt"
    exit 1
fi
