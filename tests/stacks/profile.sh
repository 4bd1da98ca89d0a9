#!/bin/sh
# A class from what painted stacks used: writes a profile, compiles bodies with it, reads classes.
#
# usage: profile.sh COMPILER OBJDUMP SOURCE-FOLDER
#
# OBJDUMP is "-" for a compiler that writes the call graph itself.
set -eu

compiler=$1 objdump=$2 root=$3
impl=$root/impls/fiber-classes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unit() { # NAME BODIES LOOP RUNTIME
    printf '#define CO_BINDING 2\n#define CO_UNIT profile\n#define CO_PART_BODIES %s\n' "$2"
    printf '#define CO_PART_LOOP %s\n' "$3"
    if [ "$4" = 1 ]; then
        printf '#define CO_RUNTIME 1\n#include <backend.h>\n'
    else
        printf '#include "tests/stacks/profile_test.c"\n'
    fi
} >"$work/$1.c"
unit bodies 1 0 0
unit loop 0 1 0
unit runtime 0 0 1

build() { # PROGRAM PROFILE OPTION...
    program=$1 profile=$2
    shift 2
    for name in bodies loop runtime; do
        sh "$impl/stack_bounds.sh" none "$profile" "$objdump" "$compiler" -O2 -mno-red-zone "$@" \
            -I"$root/harness/include" -I"$impl" -I"$root/impls" -I"$root" \
            -o "$work/$name.o" -c "$work/$name.c"
    done
    "$compiler" -pthread -o "$work/$program" "$work/bodies.o" "$work/loop.o" "$work/runtime.o"
}

expect() { # WHAT WANTED GOT
    [ "$2" = "$3" ] || {
        echo "$1: \"$3\" instead of \"$2\""
        exit 1
    }
}

# Classes: 0 micro, 1 small, 3 large.
build plain -
expect 'without a profile' '3 3 0' "$("$work/plain")"
build painted - -DCO_CLASSES_PAINT=1
"$root/tests/stacks/painted.sh" --profile "$work/profile" "$work/painted" run
used=$(sed -n 's/^profile_seen //p' "$work/profile")
if [ "${used:-0}" -lt 700 ] || [ "$used" -gt 1400 ]; then
    echo "profile_seen used \"$used\" bytes, and its frame has 700"
    exit 1
fi
expect 'what did not run' '' "$(sed -n '/unseen/p' "$work/profile")"
# A static bound is never replaced.
echo 'profile_flat 5000' >>"$work/profile"
build profiled "$work/profile"
expect 'with a profile' '1 3 0' "$("$work/profiled")"
# 1900 bytes alone would be small (2 KiB); with a quarter they are medium.
echo 'profile_seen 1900' >"$work/profile"
build margin "$work/profile"
expect 'with its margin' '2 3 0' "$("$work/margin")"
