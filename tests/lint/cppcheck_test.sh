#!/bin/sh
# cppcheck has nothing to say about the harness. Backends and scenarios are macros for the larger
# part, which it does not follow.
set -eu
cd "${CB_SOURCE_DIR:-$(dirname "$0")/../..}"
command -v cppcheck >/dev/null || { echo "cppcheck is missing: scripts/setup --tests"; exit 1; }
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j "$(nproc)" \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --library=tests/lint/jansson.cfg -i harness/bench/describe.c -D__GNUC__=12 -D__x86_64__=1 \
    -I harness/include -I harness -I harness/lib -I harness/tool -I harness/bench harness
