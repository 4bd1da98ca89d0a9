#!/bin/sh
# Each room of the tree may know some things and not others (CONTRIBUTING.md, "Rooms"). Prints every
# place where a room knows too much; exit status 1 if there is one.
#
# usage: rooms.sh TREE
set -eu

cd "$1"
here=$(cd "$(dirname "$0")" && pwd)
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# Comments may name anything: they explain. Code and literals may not.
code_in() { # FOLDER...
    find "$@" -type f \( -name '*.c' -o -name '*.cc' -o -name '*.h' -o -name '*.S' \) -exec \
        awk -f "$here/strip_comments.awk" {} + 2>/dev/null
}
report() { # what is wrong; the places come on standard input
    sed "s|\$|   <- $1|" >>"$found"
}
# The names a, b as the pattern a|b. A word in C can't have a dash, so it may be an underscore.
either() {
    tr '\n' '|' | sed 's/|$//; s/-/[-_]/g'
}
# grep whose "nothing found" is no error
search() { grep -E "$@" || [ $? -eq 1 ]; }

folders_of() { # FOLDER/*/ that hold a room's parts
    for folder in "$1"/*/; do
        [ ! -d "$folder" ] || basename "$folder"
    done
}

backends=$(folders_of impls | grep -vxE 'common|_template' || true)
scenarios=$(folders_of scenarios)
# These are also usual words: keys of --describe and run.json, clobbers of asm, a capability. As literals they are
# a scenario's name only in front of a binding or of parameters.
usual='complete|guard|limit|live|memory|source'
telling=$(echo "$scenarios" | grep -vxE "$usual" | either || true)
scenario_literal="\"($telling)([/;][^\"]*)?\"|\"($usual)[/;][^\"]*\"|scenarios/"
# Backends whose names are usual words in C are named by literals and paths only.
usual_backends='eager|step'
word='(^|[^A-Za-z0-9_])'
end='($|[^A-Za-z0-9_-])' # the name chain is not meant in chain-fp
# The names on standard input as one pattern of everything that names them.
naming() {
    names=$(cat)
    telling_names=$(echo "$names" | grep -vxE "$usual_backends" | either || true)
    usual_names=$(echo "$names" | grep -xE "$usual_backends" | either || true)
    echo "$word(${telling_names:-[^[:print:]]})$end|[\"/](${usual_names:-[^[:print:]]})[\"/]"
}
clocks="$word(clock|time|clock_gettime|gettimeofday|timespec_get|times|getrusage|__builtin_ia32_rdtscp?|__rdtscp?)[ ]*\\(|rdtsc|<(sys/)?time\\.h>|<chrono>"

# ---- impls: no scenario, no clock, no Google Benchmark, no other backend -------------------------
for folder in $(folders_of impls); do
    others=$(echo "$backends" | grep -vx "$folder" || true)
    [ -z "$others" ] || code_in "impls/$folder" | search "$(echo "$others" | naming)" |
        search -v 'define CO_BACKEND_VARIANT_OF "' | report "impls: names another backend"
done
if [ -d impls ]; then
    code_in impls | search "$clocks" | report "impls: looks at a clock"
    code_in impls | search -i "benchmark[./:]|$word(cb|cbu)_[a-z]|${word}CB_" |
        report "impls: knows the harness or Google Benchmark"
    code_in impls | search "$scenario_literal|scenario\\.h" |
        report "impls: names a scenario"
fi

# ---- scenarios: no backend, no stdio, no time, no #if on a backend -------------------------------
if [ -d scenarios ]; then
    code_in scenarios | search "$(echo "$backends" | naming)|CO_BACKEND_[A-Z]" |
        report "scenarios: names a backend or asks for its facts"
    code_in scenarios |
        search "<(stdio|cstdio|iostream)(\\.h)?>|$word(v?[fsd]?n?printf|f?puts|f?putc(har)?|perror|fopen|fwrite)[ ]*\\(" |
        report "scenarios: prints"
    code_in scenarios | search "$clocks" | report "scenarios: looks at a clock"
    # What may be asked is which part is compiled and in which language, nothing else.
    code_in scenarios | search ':[ ]*#[ ]*(el)?if' |
        search -v '#[ ]*(el)?if(n?def)?[ ]+!?[ ]*(defined[ (]*)?(CO_PART_(BODIES|LOOP)|__cplusplus)\)?[ ]*$' |
        report "scenarios: #if on something other than CO_PART_BODIES, CO_PART_LOOP or __cplusplus"
fi

# ---- harness: no backend and no scenario by name ------------------------------------------------
if [ -d harness ]; then
    code_in harness | search "$(echo "$backends" | naming)" |
        report "harness: names a backend"
    code_in harness | search "$scenario_literal" | report "harness: names a scenario"
fi

# ---- scripts and paper: no C headers, no hand-typed results -------------------------------------
for room in scripts paper; do
    [ -d "$room" ] || continue
    find "$room" -type f ! -name '*.md' -exec grep -nHE '#[ ]*include|harness/include|[A-Za-z_]+\.h\b' {} + |
        report "$room: knows a C header" || true
done
if [ -d paper ]; then
    find paper -name '*.tex' -exec \
        grep -nHE '(^|[^\\A-Za-z0-9.])[0-9][0-9.]*[~ ]*(\\,)?(ns|µs|\\si|bytes?|B|KiB|MiB)([^A-Za-z]|$)' {} + |
        report "paper: a result typed by hand" || true
fi

if [ -s "$found" ]; then
    cat "$found"
    echo "$(wc -l <"$found") places know what their room must not know"
    exit 1
fi
