#!/bin/sh
# The rooms keep to themselves; and the check sees each kind of trespass when one is planted.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
source=${CB_SOURCE_DIR:-$here/../..}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

"$here/rooms.sh" "$source" || failed=1

# A small tree of three backends and two scenarios, clean in itself.
clean() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/impls/fiber-red" "$tree/impls/chain" "$tree/impls/chain-fp" \
        "$tree/impls/common" "$tree/impls/step" "$tree/scenarios/yield" "$tree/scenarios/memory" \
        "$tree/harness/tool" "$tree/scripts" "$tree/paper"
    echo '#include "common/a.h" // as fiber-red does, measured by clock()' \
        >"$tree/impls/chain/backend.h"
    echo 'int yield(void); /* time() */' >"$tree/impls/fiber-red/backend.h"
    echo 'int step(int eager); // of chain
#define CO_BACKEND_VARIANT_OF "chain"' >"$tree/impls/step/backend.h"
    echo '#define NAME "chain-fp"' >"$tree/impls/chain-fp/backend.h"
    echo '#define RED "a\"/*"' >"$tree/impls/common/a.h"
    printf '%s\n' '#include <backend.h>' '#if CO_PART_LOOP' '#endif' '#ifdef __cplusplus' '#endif' \
        >"$tree/scenarios/yield/yield.c"
    echo 'int x; // printf("chain")' >"$tree/scenarios/memory/memory.c"
    echo 'json_object_get(o, "memory"); // the yield scenario of chain' >"$tree/harness/tool/a.c"
    echo 'plot "cells.csv"' >"$tree/scripts/a.gp"
    echo '\corobenchyield{} ns' >"$tree/paper/paper.tex"
}

plant() { # expected message, file, line of text
    clean
    echo "$3" >>"$tree/$2"
    if output=$("$here/rooms.sh" "$tree") || ! echo "$output" | grep -qF "$1"; then
        echo "not caught: $3 in $2 (expected: $1)"
        echo "$output"
        failed=1
    fi
}

clean
"$here/rooms.sh" "$tree" || { echo "the clean tree is not clean"; failed=1; }

plant "impls: names another backend" impls/chain/backend.h '#include "../fiber-red/backend.h"'
plant "impls: names another backend" impls/common/a.h 'int fiber_red;'
plant "impls: names another backend" impls/chain-fp/backend.h 'int chain;'
plant "impls: names another backend" impls/chain/backend.h '#include "../step/backend.h"'
plant "impls: names another backend" impls/chain/backend.h '#define RIVAL "step"'
plant "impls: looks at a clock" impls/chain/backend.h 'clock_gettime(CLOCK_MONOTONIC, &t);'
plant "impls: looks at a clock" impls/common/a.h '__asm__("rdtsc" ::: "rax");'
plant "impls: looks at a clock" impls/chain/backend.h '#include <time.h>'
plant "impls: knows the harness" impls/chain/backend.h '#include <benchmark/benchmark.h>'
plant "impls: knows the harness" impls/chain/backend.h 'int cb_param;'
plant "impls: names a scenario" impls/chain/backend.h 'strcmp(id, "yield")'
plant "impls: names a scenario" impls/chain/backend.h '#include "corobench/scenario.h"'
plant "scenarios: names a backend" scenarios/yield/yield.c 'int chain;'
plant "scenarios: names a backend" scenarios/yield/yield.c 'puts_(CO_BACKEND_NAME);'
plant "scenarios: prints" scenarios/yield/yield.c '#include <stdio.h>'
plant "scenarios: prints" scenarios/yield/yield.c 'printf("x");'
plant "scenarios: looks at a clock" scenarios/yield/yield.c 'x = time(NULL);'
plant "scenarios: #if on" scenarios/yield/yield.c '#if defined(CO_SOMETHING)'
plant "scenarios: #if on" scenarios/yield/yield.c '#if CO_PART_LOOP && CO_BINDING == 1'
plant "scenarios: #if on" scenarios/yield/yield.c '#elif CO_CHECKED'
plant "harness: names a backend" harness/tool/a.c 'strcmp(name, "fiber-red")'
plant "harness: names a scenario" harness/tool/a.c 'strcmp(name, "yield")'
plant "harness: names a scenario" harness/tool/a.c 'find("memory/opaque")'
plant "scripts: knows a C header" scripts/a.gp '# see scenario.h'
plant "paper: a result typed by hand" paper/paper.tex 'A switch costs 2.4 ns.'

exit $failed
