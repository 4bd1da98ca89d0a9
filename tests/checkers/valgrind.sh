#!/bin/sh
# Valgrind (memcheck): mistakes on a coroutine's stack and heap; nothing where there is none.
set -u
program=$1
failed=0
# shellcheck source=tests/checkers/expect.sh
. "$(dirname "$0")/expect.sh"

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: run scripts/setup --tests"
    exit 1
fi
look="valgrind -q --error-exitcode=9"
# shellcheck disable=SC2086 # words
{
    expect_clean $look "$program" clean
    expect_found 'Invalid write' $look "$program" heap
    expect_found 'depends on uninitialised' $look "$program" uninitialised
}
exit "$failed"
