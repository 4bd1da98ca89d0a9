#!/bin/sh
# AddressSanitizer and UndefinedBehaviorSanitizer, in the program as they are in the build.
set -u
program=$1
failed=0
# shellcheck source=tests/checkers/expect.sh
. "$(dirname "$0")/expect.sh"

expect_clean "$program" clean
expect_found 'heap-buffer-overflow' "$program" heap
expect_found 'stack-buffer-overflow|index 8 out of bounds' "$program" stack
exit "$failed"
