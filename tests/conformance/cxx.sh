#!/bin/bash
# Compiles every scenario and every part of the kit as C++20 against one backend, without output.
#
#   cxx.sh COMPILER BACKEND-FOLDER [some]
#
# With "some" those that use all of the interface between them.
# Bodies and loops are C17 and C++20 at once, so that a backend written in C++ takes them as they are.
set -u
compiler=$1
backend=$2
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
failed=0
sources=("$root"/scenarios/*/*.c "$root"/tests/conformance/parts/*.c)
bindings=(1 3)
if [ "${3-}" = some ]; then
    sources=("$root"/scenarios/{fold,treewalk,wake}/*.c "$root"/tests/conformance/parts/{errors,delegate}.c)
    bindings=(1)
fi
for source in "${sources[@]}"; do
    name=$(basename "$source" .c)
    for binding in "${bindings[@]}"; do
        if ! printf '#include "%s"\n' "$source" |
            "$compiler" -x c++ -std=gnu++20 -fsyntax-only -Wall -Wextra -Wshadow -Werror \
                -DCO_UNIT="unit_${name//-/_}" -DCO_BINDING="$binding" -DCO_CHECKED=1 \
                -I"$root/harness/include" -I"$backend" -I"$root/impls" -I"$root/scenarios" -I"$root" -; then
            echo "${source#"$root"/} is not C++20 with ${backend##*/} (CO_BINDING=$binding)"
            failed=1
        fi
    done
done
exit $failed
