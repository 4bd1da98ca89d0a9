#!/bin/bash
# Builds and runs all tests, and ends with the line "N passed, N failed".
#
# Three builds: release (gcc) and clang as they are measured, asan (address and undefined behaviour
# sanitizers) with misuse checked. tests/README.md says what runs where.
set -u

usage() {
    cat <<'END'
usage: ./run-tests.sh [--preset NAME]... [--verbose] [--help] [FILTER]

Builds and runs the tests; the last line says "N passed, N failed".

  FILTER          only tests whose name matches this regular expression, e.g. unit/stats or lint/
  --preset NAME   only this build: release, clang, asan, ubsan or debug; may be given more than once
  --verbose       show what each failing test printed in full, not only the end
  --help          print this

Exit status: 0 all passed, 1 something failed or nothing ran, 2 it could not be started.
END
}

cd "$(dirname "$0")" || exit 2
presets=()
filter=
tail_lines=40
while [ $# -gt 0 ]; do
    case $1 in
    --preset)
        case ${2-} in
        release | clang | asan | ubsan | debug) presets+=("$2") ;;
        *)
            echo "run-tests.sh: no preset \"${2-}\"; nothing is run." \
                "The presets are: release, clang, asan, ubsan, debug" >&2
            exit 2
            ;;
        esac
        shift
        ;;
    --verbose) tail_lines=100000 ;;
    --help | -h)
        usage
        exit 0
        ;;
    -*)
        echo "run-tests.sh: no option $1; nothing is run. The options are:" >&2
        usage | sed -n '/^  /p' >&2
        exit 2
        ;;
    *)
        [ -z "$filter" ] || {
            echo "run-tests.sh: a second filter $1; nothing is run. Join them: 'a|b'" >&2
            exit 2
        }
        filter=$1
        ;;
    esac
    shift
done
[ ${#presets[@]} -gt 0 ] || presets=(release clang asan)

scripts/setup --tests || exit 2

passed=0
failed=0
failures=()

# The bindings in which a preset compiles the scenarios; nothing: in all.
bindings_of() {
    case $1 in
    clang) echo 'visible;opaque' ;;
    asan | ubsan) echo opaque ;;
    esac
}

# What a default run measures with that compiler.
size_of() {
    case $1 in
    clang) echo quick ;;
    *) echo default ;;
    esac
}

# Whether a preset builds all bench programs; OFF: those that its tests need.
programs_of() {
    case $1 in
    release) echo ON ;;
    *) echo OFF ;;
    esac
}

# Runs one preset's tests and adds what ctest's JUnit file says of them to the counts.
run_preset() {
    local preset=$1 results log=$PWD/build/logs/$1-tests.log start=$SECONDS
    results=$PWD/build/logs/$preset-tests.xml
    rm -f "$results"
    if ! scripts/build "$preset" -k -t all -t tests \
        -DCB_BACKENDS= -DCB_SCENARIOS= "-DCB_SIZE=$(size_of "$preset")" -DCB_LINKS=1 \
        "-DCB_BINDINGS=$(bindings_of "$preset")" "-DCB_BENCH_PROGRAMS=$(programs_of "$preset")" \
        -DCB_LEAN=ON; then
        failed=$((failed + 1))
        failures+=("$preset: the build")
        # What was built is tested all the same; a test without its program fails.
        [ -f "build/$preset/CTestTestfile.cmake" ] || return
    fi
    # One more than there are units: some tests wait for the most part.
    local options=(--preset "$preset" --output-junit "$results" --output-on-failure
        -j "$(($(nproc) + 1))")
    [ -z "$filter" ] || options+=(-R "$filter")
    [ -t 1 ] && echo "Testing $preset (log: ${log#"$PWD"/})"
    ctest "${options[@]}" >"$log" 2>&1
    if [ ! -s "$results" ]; then
        tail -n "$tail_lines" "$log"
        failed=$((failed + 1))
        failures+=("$preset: ctest wrote no results (log: ${log#"$PWD"/})")
        return
    fi
    # A skipped or not started test did not pass; it counts as failed, by name.
    local good bad=0 name
    good=$(grep -c '<testcase .*status="run"' "$results")
    while read -r name; do
        bad=$((bad + 1))
        failures+=("$preset: $name")
    done < <(sed -n '/<testcase .*status="run"/d; s/.*<testcase name="\([^"]*\)".*/\1/p' "$results")
    [ "$bad" = 0 ] || show_failures "$results"
    echo "Tested $preset in $((SECONDS - start)) s: $good passed, $bad failed"
    passed=$((passed + good))
    failed=$((failed + bad))
}

# The end of what each failing test printed.
show_failures() {
    awk -v most="$tail_lines" '
        /<testcase / { name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
                       bad = !/status="run"/; n = 0; output = 0 }
        /<system-out>/ { output = 1; sub(/.*<system-out>/, "") }
        output && bad { line = $0; sub(/<\/system-out>.*/, "", line); text[n++] = line }
        /<\/system-out>/ { output = 0 }
        /<\/testcase>/ && bad {
            printf "---- %s\n", name
            for (i = n > most ? n - most : 0; i < n; i++) {
                gsub(/&lt;/, "<", text[i]); gsub(/&gt;/, ">", text[i])
                gsub(/&quot;/, "\"", text[i]); gsub(/&amp;/, "\\&", text[i])
                print text[i]
            }
        }' "$1"
}

for preset in "${presets[@]}"; do
    run_preset "$preset"
done

if [ ${#failures[@]} -gt 0 ]; then
    echo "Failed:"
    printf '  %s\n' "${failures[@]}"
elif [ "$passed" = 0 ]; then
    echo "No test ran${filter:+: no name matches $filter}."
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
