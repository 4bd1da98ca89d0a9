#!/bin/sh
# ThreadSanitizer: a race between bodies that two threads run; none where they lock.
set -u
program=$1
failed=0
# shellcheck source=tests/checkers/expect.sh
. "$(dirname "$0")/expect.sh"

export TSAN_OPTIONS="exitcode=66 ${TSAN_OPTIONS-}"
expect_clean "$program" clean
expect_found 'data race' "$program" race
exit "$failed"
