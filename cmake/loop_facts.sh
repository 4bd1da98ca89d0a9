#!/bin/sh
# Writes cb_loop_facts.h: what the hot loops of some functions are made of, for `--describe`.
#
# usage: loop_facts.sh OUT AWK_PROGRAM OBJDUMP WANTED [OBJECT]
#
# The program says what WANTED is and what is written. Without an object, or where the disassembler
# is missing, nothing is known of any loop.
set -eu

out=$1 program=$2 objdump=$3 wanted=$4 object=${5-}
scratch=$out.scratch
trap 'rm -f "$scratch"' EXIT
: >"$scratch"
if [ -n "$object" ] && [ -n "$objdump" ]; then
    "$objdump" -d -C --no-show-raw-insn "$object" >"$scratch"
fi
awk -v wanted="$wanted" -f "$program" "$scratch" >"$out.tmp"
mv "$out.tmp" "$out"
