#!/bin/sh
# corobench claims from the outside, on a reference run: what it prints, its exit statuses, two
# runs compared, and the table of a report. Prints TAP. CB_BUILD_DIR is the build folder.
# Runs in: gcc
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
corobench=$build/corobench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

# shellcheck source=tests/e2e/tap.sh
. "$here/tap.sh"

# A reference run, without the plots and tables that were made of it.
for machine in "$source"/results/reference/*/; do
    [ -e "$machine"samples-condensed.csv ] || continue
    first=$(basename "$machine")
    mkdir "$first"
    cp "$machine"run.json "$machine"samples-condensed.csv "$first/"
    break
done
# One whose threads switch in a ten-thousandth of the time: what was said of them is no longer true.
cp -r "$first" planted
awk -F, 'BEGIN { OFS = "," }
    $1 ~ /^thread-[^\/]*\/yield\// && $2 == "time" {
        n = split($4, value, " ")
        $4 = ""
        for (i = 1; i <= n; i++)
            $4 = $4 (i > 1 ? " " : "") (value[i] == "-" ? "-" : value[i] / 10000)
    }
    { print }' "$first/samples-condensed.csv" >planted/samples-condensed.csv

tool claims "$first"
check "every document is there" said 0 "Coroutines and their implementation" "CPrime Coroutines" \
    "JustJIT: Async and Generators" "Published figures" " claims, "
check "verdicts of each kind" said 0 "  supported     s003-yield-thread: " "  refuted       s001-" \
    "  not testable  s004-rust: " "  depends       s003-implementation-chain: "
tool claims "$first" --id s003-yield-thread
check "one claim with all it rests on" said 0 "source  Coroutines and their implementation" \
    "holds " "thread-futex to fiber-full" "1 claims, 1 supported"
tool claims "$first" --only refuted
check "one verdict only" said 0 "refuted"
check "no other" sh -c '! grep -E "^  (supported|depends|not testable)" out.txt'
tool claims "$first" --only wrong
check "a verdict that is none" said 2 "no verdict wrong" "verdicts are: supported, refuted"
tool claims nowhere
check "a run that is none" said 2 "nowhere"
tool claims "$first" --json --id 's001-switch*'
check "JSON" said 0 '"id": "s001-switch"' '"ci_low": ' '"outcome": "fails"'

tool claims "$first" "$first"
check "a run agrees with itself" said 0 "(100.0 %; wanted: 95 %)" "comparisons that both runs have end alike"
tool claims "$first" planted --id 's003-yield-*'
check "a planted run is found out" said 1 "s003-yield-thread: supported, then "
tool claims "$first" planted --id 's003-yield-*' --json
check "in JSON too" said 1 '"id": "s003-yield-thread"' '"share": 0.'
tool claims "$first" planted extra
check "a third run" said 2 "an argument too many"

pairs() { # RUN...
    COROBENCH=$corobench "$here/../../scripts/repeated-claims" "$@" >out.txt 2>err.txt
    status=$?
}
pairs "$first" "$first" "$first"
check "all pairs of three agree" sh -c "[ $status = 0 ] && [ \"\$(grep -c '| 100.0 |' out.txt)\" = 3 ]"
pairs "$first" planted
check "a pair with a planted run does not" sh -c "[ $status = 1 ] && grep -q '| planted |' out.txt"
pairs "$first" nowhere
check "no run, no table" sh -c "[ $status = 2 ] && grep -q 'no verdicts of' err.txt"

# The table of a report, twice; no gnuplot is needed for it.
mkdir -p bin
for name in 1 2; do
    cp -r "$first" "report-$name"
    PATH=$work/bin "$corobench" report "report-$name" >/dev/null 2>&1
done
for ending in md csv tex; do
    check "tables/claims.$ending is made" grep -q "s003-yield-thread" report-1/tables/claims.$ending
    check "claims.$ending is the same each time" \
        cmp report-1/tables/claims.$ending report-2/tables/claims.$ending
done
check "the table says what the command says" sh -c \
    "\"$corobench\" claims '$first' | grep -c '^  refuted ' >a; grep -c ',refuted,' report-1/tables/claims.csv >b; cmp a b"

tap_end
