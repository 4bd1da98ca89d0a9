#!/bin/sh
# A planted slowdown of 5 % is found by instruction counts, in every binding; one of 0 % is not.
# Runs in: gcc
#
# usage: planted_test.sh COMPILER BACKEND...
set -eu

build=${CB_BUILD_DIR:?the build folder}
compiler=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0

# Counts one round trip in all bindings: lines "backend/scenario/binding/... instructions" in a file.
count() { # FILE, FOLDER of programs, BACKEND
    if ! "$build/corobench" count --programs "$2" --backend "$3" --compiler "$compiler" \
        --scenario yield --params depth=1 >"$out/table" 2>"$out/err"; then
        echo "the programs of $2 cannot be counted"
        cat "$out/table" "$out/err"
        exit 1
    fi
    grep "^$3/yield/" "$out/table" | sort >>"$1"
}

for backend; do
    count "$out/normal" "$build/bench" "$backend"
    count "$out/planted0" "$build/tests/planted/0" "$backend"
    count "$out/planted5" "$build/tests/planted/5" "$backend"
done

for binding in visible opaque library; do
    for backend; do
        for file in normal planted0 planted5; do
            cell="$backend/yield/$binding/$compiler/depth=1"
            instructions=$(awk -v cell="$cell" '$1 == cell { print $2 }' "$out/$file")
            case $instructions in
            '' | *[!0-9.]*)
                echo "$cell, $file: no count, but \"$instructions\""
                instructions=0
                failed=1
                ;;
            esac
            eval "$file=$instructions"
        done
        # shellcheck disable=SC2154 # set by eval
        awk -v cell="$cell" -v normal="$normal" -v zero="$planted0" -v five="$planted5" 'BEGIN {
            printf "%s: %s instructions, planted 0 %%: %s, planted 5 %%: %s\n", cell, normal, zero, five
            if (zero != normal) { print "  the planted 0 % was found"; bad = 1 }
            if (five < 1.05 * normal) { print "  the planted 5 % is not there"; bad = 1 }
            # Far more would be a change of the code around it, and prove nothing.
            if (five > 1.2 * normal) { print "  more than 5 % was planted"; bad = 1 }
            exit bad
        }' || failed=1
    done
done

# What is planted must never be taken for the backend.
if find "$build/bench" -name '*planted*' | grep .; then
    echo "a planted program stands where runs look for programs"
    failed=1
fi
exit $failed
