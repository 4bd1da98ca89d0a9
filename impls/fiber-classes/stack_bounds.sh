#!/bin/sh
# Runs a compiler and puts the stack bounds of the coroutine bodies into the object it writes.
#
# usage: stack_bounds.sh CHECKSUM PROFILE OBJDUMP COMPILER ARGUMENT...
#
# The build names it as the compiler's launcher. The call graph of a unit that has bodies is what gcc
# writes (-fcallgraph-info=su), with OBJDUMP "-", or is read from the object's disassembly
# (call_graph.awk); stack_bounds.awk turns it into one word a body, <entry>_stack_bound, which is
# linked into the same object. Any other command runs as it is. PROFILE is a file, or "-".
set -eu

profile=$2 objdump=$3
shift 3
[ "$profile" != - ] || profile=
here=$(dirname "$0")
object='' source='' previous='' compiles=no
for argument in "$@"; do
    [ "$previous" != -o ] || object=$argument
    case $argument in
    -c) compiles=yes ;;
    *.c) source=$argument ;;
    esac
    previous=$argument
done
unit=''
if [ "$compiles" = yes ] && [ -n "$object" ] && [ -n "$source" ]; then
    unit=$(sed -n 's/^#define CO_UNIT //p' "$source")
    grep -q '^#define CO_PART_BODIES 1' "$source" || unit=''
fi
if [ -z "$unit" ]; then
    exec "$@"
fi

graph=${object%.o}.ci
bounds=$object.bounds
trap 'rm -f "$bounds.s" "$bounds.o" "$bounds.tmp"' EXIT
rm -f "$graph"
if [ "$objdump" != - ]; then
    "$@"
    LC_ALL=C "$objdump" -dr --no-show-raw-insn "$object" >"$bounds.tmp"
    awk -f "$here/call_graph.awk" "$bounds.tmp" >"$graph"
else
    "$@" -fcallgraph-info=su
    # A compiler cache may bring back the object and nothing else.
    if [ ! -f "$graph" ]; then
        CCACHE_DISABLE=1 "$@" -fcallgraph-info=su
    fi
fi
awk -f "$here/stack_bounds.awk" -v unit="$unit" -v profile="$profile" \
    "$here/libc_stack.txt" "$graph" >"$bounds.s"
[ -s "$bounds.s" ] || exit 0

# The launcher's own launcher, a cache, comes before the compiler: that alone is wanted here.
for compiler in "$@"; do
    case $compiler in
    *ccache | *distcc) ;;
    *) break ;;
    esac
done
"$compiler" -c "$bounds.s" -o "$bounds.o"
"$compiler" -nostdlib -r -o "$bounds.tmp" "$object" "$bounds.o"
mv "$bounds.tmp" "$object"
