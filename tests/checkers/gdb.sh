#!/bin/sh
# gdb through a running coroutine, and through a suspended one by scripts/coroutines.gdb.
set -u
program=$1
failed=0
# shellcheck source=tests/checkers/expect.sh
. "$(dirname "$0")/expect.sh"

if ! command -v gdb >/dev/null; then
    echo "gdb is missing: run scripts/setup --tests"
    exit 1
fi
gdb -nx -batch -ex 'set debuginfod enabled off' -ex "source $CB_SOURCE_DIR/scripts/coroutines.gdb" \
    -ex 'break checkers_level3' -ex 'break checkers_checkpoint' -ex 'run suspend' \
    -ex 'echo running\n' -ex backtrace -ex continue \
    -ex 'echo suspended\n' -ex 'coroutine-backtrace checkers_suspended' \
    -ex 'echo resumed\n' -ex backtrace -ex continue "$program" >"$output" 2>&1 </dev/null
expect_order '^running$' 'checkers_level3' 'checkers_level2' 'checkers_level1' 'checkers_deep' \
    '^suspended$' 'checkers_deep' '^resumed$' 'checkers_checkpoint' ' main ' '^done$'
exit "$failed"
