#!/bin/sh
# backtrace() in plain C below a body: the C functions, innermost first, and an end.
set -u
program=$1
failed=0
# shellcheck source=tests/checkers/expect.sh
. "$(dirname "$0")/expect.sh"

"$program" trace >"$output" 2>&1 || { cat "$output"; exit 1; }
expect_order '^checkers_level3$' '^checkers_level2$' '^checkers_level1$' '^end$' '^done$'
exit "$failed"
