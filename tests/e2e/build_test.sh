#!/bin/sh
# The build finds backends and scenarios by their folders, builds what is asked for, and says what
# is unavailable. It works on a copy of the tree, most of the time without compiling.
set -eu

source=${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
status=0

# A folder whose name has a space, because somebody's has.
tree="$box/a tree"
build="$box/a build"
mkdir -p "$tree/tests"
cp -r "$source/CMakeLists.txt" "$source/cmake" "$source/harness" "$source/impls" \
    "$source/scenarios" "$source/scripts" "$tree/"
echo '# none' >"$tree/tests/CMakeLists.txt"
cp -r "$tree/impls/_template" "$tree/impls/zz-new"
sed -i 's/"_template"/"zz-new"/' "$tree/impls/zz-new/backend.h"

configure() { # CMAKE OPTION...
    status=0
    what="cmake $*"
    cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ \
        -DCMAKE_BUILD_TYPE=Release "$@" >"$box/out" 2>&1 || status=$?
}
wrong() {
    echo "$what: $1"
    tail -n 20 "$box/out" | sed 's/^/    /'
    exit 1
}
works() { [ "$status" = 0 ] || wrong "expected it to work"; }
fails() { # TEXT that it says
    [ "$status" != 0 ] || wrong "expected an error"
    tr -s ' \n' ' ' <"$box/out" | grep -qF -- "$1" || wrong "does not say: $1"
}
target() { ninja -C "$build" -t query "$1" >/dev/null 2>&1; }
# The value of a key in a JSON file, as CMake reads it; fails where the file is no JSON.
json() { # FILE KEY
    # shellcheck disable=SC2016 # it is for CMake to expand
    printf 'file(READ "%s" text)\nstring(JSON value GET "${text}" %s)\nmessage("${value}")\n' \
        "$1" "$2" >"$box/json.cmake"
    cmake -P "$box/json.cmake" 2>&1
}
names() { # FILE KEY VALUE
    [ "$(json "$1" "$2")" = "$3" ] || wrong "$1: $2 is not $3 but $(json "$1" "$2")"
}

# A new folder is a new backend, and nothing else is edited.
configure
works
target bench-zz-new || wrong "no bench program for the new folder"
if target bench-_template || target bench-common; then wrong "impls/_template or common is measured"; fi

# Only what is asked for.
mkdir -p "$build/bench"
touch "$build/bench/gone-gcc" "$build/bench/libgone-gcc.so" "$build/bench/gone-gcc.unavailable"
configure '-DCB_BACKENDS=zz-*' '-DCB_SCENARIOS=yield;fo?d' -DCB_SIZE=quick -DCB_LINKS=2
works
target bench-zz-new || wrong "zz-* does not match zz-new"
target bench-zz-new-link1 || wrong "there is no second link"
if target bench-zz-new-link2; then wrong "there is a third link"; fi
if target bench-stackless-leaf; then wrong "builds a backend that nobody asked for"; fi
[ -z "$(ls "$build/bench")" ] || wrong "an older build's programs are left: $(ls "$build/bench")"
registry=$build/units/bench-zz-new-units/registry.c
for entry in '{"yield", "opaque"' '{"fold", "visible"'; do
    grep -qF "$entry" "$registry" || wrong "the registry lacks $entry"
done
if grep -qE '"library"|"setup"|"yield", "visible"' "$registry"; then
    wrong "compiles what a quick run does not measure"
fi
configure -DCB_SIZE=huge
fails 'CB_SIZE is "huge"'

# It builds, and both links say what they are. Code stands at other addresses in the second.
configure '-DCB_BACKENDS=zz-new' '-DCB_SCENARIOS=yield' -DCB_SIZE= -DCB_LINKS=2
works
status=0
cmake --build "$build" --target bench-zz-new bench-zz-new-link1 >"$box/out" 2>&1 || status=$?
what="building zz-new"
works
for link in 0 1; do
    program=$build/bench/zz-new-gcc
    [ $link = 0 ] || program=$program-link1
    "$program" --describe >"$box/describe" || wrong "$program --describe fails"
    names "$box/describe" backend zz-new
    names "$box/describe" link $link
    [ "$(json "$box/describe" 'source lines')" -gt 20 ] || wrong "hardly any source is counted"
    [ "$(json "$box/describe" 'source asm_lines')" -gt 0 ] || wrong "no assembly is counted"
    [ "$(json "$box/describe" 'source text_bytes')" -gt 0 ] || wrong "no code is counted"
    nm "$program" | awk '$3 == "cbu_yield_opaque_scenario" { next }
        $3 ~ /^cbu_yield_opaque_/ && $2 == "T" { print }' >"$box/addresses-$link"
done
[ -s "$box/addresses-0" ] || wrong "found no opaque body in the program"
if cmp -s "$box/addresses-0" "$box/addresses-1"; then wrong "both links have the same addresses"; fi

# What can't be built is listed with its reason, and the rest is built.
cat >"$tree/impls/zz-new/backend.cmake" <<'END'
set(CB_UNAVAILABLE "no \"lib\"; get C:\\lib")
END
configure -DCB_BACKENDS= -DCB_SCENARIOS= -DCB_LINKS=1
works
if target bench-zz-new; then wrong "builds what is unavailable"; fi
[ ! -e "$build/bench/zz-new-gcc" ] || wrong "the program from before is left"
file=$build/bench/zz-new-gcc.unavailable
names "$file" backend zz-new
names "$file" status unavailable
names "$file" compiler gcc
names "$file" family fiber
names "$file" note 'no "lib"; get C:\lib'
rm "$tree/impls/zz-new/backend.cmake"

# An architecture that nobody wrote a switch for.
configure -DCB_ARCH=pdp11
works
for fiber in fiber-full fiber-small; do
    names "$build/bench/$fiber-gcc.unavailable" note \
        'no stack switch for pdp11: impls/common/switch/pdp11.h'
done
for other in thread-futex stackless-chain stackless-leaf; do
    target bench-$other || wrong "$other is not built"
done
configure -DCB_ARCH=x86_64
works

# Mistakes.
mkdir "$tree/impls/Big_Name"
cp "$tree/impls/zz-new/backend.h" "$tree/impls/Big_Name/"
configure
fails "impls/Big_Name: a backend's name is made of a-z, 0-9 and -"
rm -r "$tree/impls/Big_Name"
echo 'set(CB_LANGUAGE Fortran)' >"$tree/impls/zz-new/backend.cmake"
configure
fails "CB_LANGUAGE is Fortran; it must be C or CXX"
