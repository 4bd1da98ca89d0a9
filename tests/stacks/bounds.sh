#!/bin/sh
# Which bodies get a bound, and that a bound that is too small is noticed on a painted stack.
#
# usage: bounds.sh COMPILER OBJDUMP SOURCE-FOLDER
#
# OBJDUMP is "-" for a compiler that writes the call graph itself.
set -eu

compiler=$1 objdump=$2 root=$3
impl=$root/impls/fiber-classes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$impl/stack_bounds.sh" "$impl"/*.awk "$impl/libc_stack.txt" "$work"

unit() { # NAME BODIES LOOP RUNTIME
    printf '#define CO_BINDING 2\n#define CO_UNIT bounds\n#define CO_PART_BODIES %s\n' "$2"
    printf '#define CO_PART_LOOP %s\n#define CO_CLASSES_PAINT 1\n' "$3"
    if [ "$4" = 1 ]; then
        printf '#define CO_RUNTIME 1\n#include <backend.h>\n'
    else
        printf '#include "tests/stacks/bounds_test.c"\n'
    fi
} >"$work/$1.c"
unit bodies 1 0 0
unit loop 0 1 0
unit runtime 0 0 1

compile() { # UNIT OPTION...
    name=$1
    shift
    sh "$work/stack_bounds.sh" none - "$objdump" "$compiler" -mno-red-zone "$@" \
        -I"$root/harness/include" -I"$impl" -I"$root/impls" -I"$root" \
        -o "$work/$name.o" -c "$work/$name.c"
}

# Status and output of the bodies, compiled with these options, on painted stacks.
run() { # OPTION...
    compile bodies "$@"
    "$compiler" -pthread -o "$work/run" "$work/bodies.o" "$work/loop.o" "$work/runtime.o"
    status=0
    "$work/run" >"$work/out" 2>"$work/err" || status=$?
}

compile loop -O2
compile runtime -O2
cat >"$work/wanted" <<'LIST'
flat bound
tail bound
cold bound
aligned bound
many bound
table bound
pointer none
jumps none
variable none
unknown none
recursive none
LIST
for options in -O0 -O1 -O2 -O3 -fPIC; do
    [ "$options" != -fPIC ] || options='-O2 -fPIC'
    # shellcheck disable=SC2086 # two options
    run $options
    awk '{ print $1, ($2 > 0 ? "bound" : "none") }' "$work/out" | diff "$work/wanted" - || status=1
    if [ "$status" -ne 0 ]; then
        echo "with $options:"
        cat "$work/out" "$work/err"
        exit 1
    fi
done

# One mistake at a time, in a copy.
mistake() { # FILE SED-PROGRAM
    sed "$2" "$impl/$1" >"$work/$1"
    if cmp -s "$impl/$1" "$work/$1"; then
        echo "$1: nothing to change for $2"
        exit 1
    fi
    run -O2
    if [ "$status" -eq 0 ] || ! grep -q '^painted: .* the bound is' "$work/err"; then
        echo "$1: not noticed: $2"
        cat "$work/out" "$work/err"
        exit 1
    fi
    cp "$impl/$1" "$work/$1"
}
mistake stack_bounds.awk 's/, symbol, bytes$/, symbol, bytes - 8/'
mistake stack_bounds.awk 's/^file == 2 .* \/^edge:\/ /&\&\& !\/__indirect_call\/ /'
if [ "$objdump" != - ]; then
    mistake call_graph.awk 's/frame\[f\] = depth = 8/frame[f] = 0; depth = 8/'
    mistake call_graph.awk 's/ \/^push\/)/ \/^pushed\/)/'
    mistake call_graph.awk 's/\/^andq/\/^nothing/; s/endless\[f\] = 1/depth += 0/'
    mistake call_graph.awk 's/ && depth <= 8)/ \&\& depth < 8)/'
    mistake call_graph.awk 's/if (jumps\[i\] .*/if (jumps[i])/'
    mistake call_graph.awk 's/^        unknown_call()$/        depth += 0/'
fi
