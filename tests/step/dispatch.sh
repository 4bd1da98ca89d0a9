#!/bin/bash
# A step finds its resume point as its backend's name says: a jump table, comparisons, an address.
#
#   dispatch.sh OBJDUMP STEP.o STEP-IF.o STEP-GOTO.o
set -u
objdump=$1
failed=0

# expect FILE WHAT INDIRECT-JUMPS SCALED: how many jumps through a register or memory the step has,
# at least or exactly, and whether an index is scaled by the size of a table's entry.
expect() {
    local file=$1 what=$2 jumps=$3 scaled=$4 text found_jumps found_scaled
    text=$("$objdump" -d --no-show-raw-insn "$file" | sed -n '/<points_points>:/,/^$/p')
    if [ -z "$text" ]; then
        echo "$what: no function points_points in ${file##*/}"
        failed=1
        return
    fi
    found_jumps=no
    grep -qE 'jmpq?[[:space:]]+\*' <<<"$text" && found_jumps=yes
    found_scaled=no
    grep -qE '\(.*%r[a-z0-9]+,%r[a-z0-9]+,[48]\)|\(,%r[a-z0-9]+,[48]\)' <<<"$text" && found_scaled=yes
    if [ "$found_jumps $found_scaled" != "$jumps $scaled" ]; then
        echo "$what: indirect jump $found_jumps, table $found_scaled; not $jumps, $scaled"
        grep -E 'jmpq?[[:space:]]+\*|,[48]\)' <<<"$text"
        failed=1
    fi
}

expect "$2" "a switch" yes yes
expect "$3" "comparisons" no no
expect "$4" "a computed goto" yes no
exit $failed
