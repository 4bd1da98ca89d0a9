#!/bin/sh
# run-all.sh: its options, what it hands on, and its exit status. Nothing is built or measured: it
# runs in a tree of its own, where set-up, build and corobench only write down how they were called.
set -eu

source=${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0
status=0

mkdir -p "$tree/scripts" "$tree/impls/alpha" "$tree/impls/beta" "$tree/impls/common" \
    "$tree/impls/_template" "$tree/scenarios/yield" "$tree/scenarios/fold"
cp "$source/run-all.sh" "$tree/"
touch "$tree/impls/alpha/backend.h" "$tree/impls/beta/backend.h" "$tree/impls/common/backend.h" \
    "$tree/impls/_template/backend.h"
cat >"$tree/scripts/setup" <<'END'
#!/bin/sh
echo "setup $*" >>calls
END
cat >"$tree/scripts/build" <<'END'
#!/bin/sh
echo "build $*" >>calls
[ ! -e build-fails ] || exit 2
mkdir -p "build/$1"
cat >"build/$1/corobench" <<'TOOL'
#!/bin/sh
echo "corobench $*" >>calls
[ "$1" = report ] || { mkdir -p results/one/tables; ln -sfn one results/latest; }
echo "the headline table" >results/one/tables/headline.md
echo "{}" >results/one/run.json
exit "$(cat corobench-status 2>/dev/null || echo 0)"
TOOL
chmod +x "build/$1/corobench"
END
chmod +x "$tree"/scripts/*

# Runs run-all.sh with these arguments in a tree where nothing was called yet.
run() {
    : >"$tree/calls"
    status=0
    "$tree/run-all.sh" "$@" >"$tree/out" 2>"$tree/err" || status=$?
    what="run-all.sh $*"
}
wrong() {
    echo "$what: $1 (exit status $status)"
    sed 's/^/    /' "$tree/calls" "$tree/out" "$tree/err"
    failed=1
}
exits() { [ "$status" = "$1" ] || wrong "expected exit status $1"; }
says() { grep -qF -- "$1" "$tree/out" "$tree/err" || wrong "does not say: $1"; }
calls() { grep -qxF -- "$1" "$tree/calls" || wrong "does not call: $1"; }
calls_nothing() { [ ! -s "$tree/calls" ] || wrong "does something"; }

# Wrong usage: the right names, exit status 2, and nothing done.
run --bogus
exits 2 && says "no option --bogus" && says "--report-only [DIR]" && calls_nothing
run extra
exits 2 && says "no option extra" && calls_nothing
for option in --backend --scenario; do
    for glob in nope 'a[' '' 'alpha,nope' '_template' 'common'; do
        run "$option" "$glob" --quick
        exits 2 && calls_nothing
        if [ $option = --backend ]; then says alpha && says beta; else says yield && says fold; fi
    done
    run "$option"
    exits 2 && says "$option needs a value" && calls_nothing
done
run --compiler icc
exits 2 && says "gcc, clang, gcc,clang" && calls_nothing
run --quick --full
exits 2 && says "exclude each other" && calls_nothing
run --report-only
exits 2 && says "results/latest is no run" && says "./run-all.sh --quick" && calls_nothing
run --report-only no/such/folder
exits 2 && says "no/such/folder is no run" && calls_nothing
run --report-only --quick
exits 2 && says "--report-only measures nothing" && calls_nothing

run --help
exits 0 && says "usage: ./run-all.sh" && calls_nothing

# What is asked for is built and measured, and nothing else.
run --quick
exits 0
calls "setup "
calls "build release -DCB_BACKENDS= -DCB_SCENARIOS= -DCB_SIZE=quick -DCB_LINKS=1"
calls "corobench run --quick --compiler gcc"
says "the headline table"
says "Tables: results/one/tables/"
says "Plots:  results/one/plots/"
says "Report: results/one/report.html"
if grep -q 'build clang' "$tree/calls"; then wrong "quick builds with clang"; fi

run
exits 0
calls "build release -DCB_BACKENDS= -DCB_SCENARIOS= -DCB_SIZE=default -DCB_LINKS=4"
calls "build clang -DCB_BACKENDS= -DCB_SCENARIOS= -DCB_SIZE=quick -DCB_LINKS=4"
calls "corobench run --compiler gcc,clang"

run --full --compiler=clang --backend 'a*,beta' --scenario 'y*' --scenario fold
exits 0
calls "build clang -DCB_BACKENDS=alpha;beta; -DCB_SCENARIOS=yield;fold; -DCB_SIZE=full -DCB_LINKS=6"
calls "corobench run --full --compiler clang --backend a*,beta --scenario y* --scenario fold"
if grep -q 'build release' "$tree/calls"; then wrong "builds with gcc unasked"; fi

# An old run is reported on again, wherever it is called from.
run --report-only
exits 0
calls "build release -t corobench"
calls "corobench report results/latest"
says "Report: results/one/report.html"
(cd "$tree/results" && ../run-all.sh --report-only one >"$tree/out" 2>"$tree/err") ||
    wrong "--report-only with a relative folder fails"
calls "corobench report $tree/results/one"

# Failures reach the caller.
echo 1 >"$tree/corobench-status"
run --quick
exits 1 && says "Something failed" && says "the headline table"
echo 2 >"$tree/corobench-status"
run --quick
exits 2
echo 130 >"$tree/corobench-status"
run --quick
exits 130
rm "$tree/corobench-status"
touch "$tree/build-fails"
run --quick
exits 2
if grep -q corobench "$tree/calls"; then wrong "measures what could not be built"; fi

exit $failed
