#!/bin/sh
# corobench compare and explain from the outside, on runs of fake bench programs (fake-bench) and on
# copies of these whose numbers were changed: messages and exit statuses. Prints TAP.
# CB_BUILD_DIR is the build folder.
# Runs in: gcc asan
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
here=$(cd "$(dirname "$0")" && pwd)
corobench=$build/corobench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

# shellcheck source=tests/e2e/tap.sh
. "$here/tap.sh"

is_json() { [ "$(head -n 1 out.txt)$(tail -n 1 out.txt)" = "{}" ]; }

mkdir bench
ln -s "$here/fake-bench" bench/good-gcc
ln -s "$here/fake-bench" bench/fine-gcc
"$here/fake-share" "$build" share
COROBENCH_SHARE=$work/share
export COROBENCH_SHARE
spin=good/spin/opaque/gcc/depth=1

# A copy of a run whose times of one cell are changed by a factor.
plant() { # from, to, cell, factor
    cp -r "$1" "$2"
    awk -F, -v OFS=, -v cell="$3" -v factor="$4" \
        '$2 == cell && $7 == "time" { $8 *= factor } { print }' "$1/samples.csv" >"$2/samples.csv"
}

tool run --programs bench --name first --seed 7
check "a run to compare" said 0
tool run --programs bench --name quick --quick --seed 7
check "a quick run" said 0
cd results || exit 1
plant first slower "$spin" 1.25
plant first faster "$spin" 0.8

# ---- compare: what it finds ----------------------------------------------------------------------

tool compare first first
check "a run and itself: nothing, status 0" said 0 "0 more (slower or larger), 0 less" \
    "Wilcoxon"
check "and no difference of fingerprints" not_said "How the runs differ"
cp -r first unknown
rm unknown/mde.csv
head -n 1 first/ratios.csv >unknown/ratios.csv
tool compare unknown unknown
check "a run without MDE is warned of" said 0 "No MDE is known for: spin"
tool compare first slower
check "a planted slowdown is found" said 0 "## Differences" "1 more (slower or larger), 0 less" \
    "$spin" "1.250 ["
tool compare first faster
check "a planted speed-up is found" said 0 "0 more (slower or larger), 1 less" "| faster |"
tool compare first slower --json
check "as JSON" is_json
check "the JSON holds the verdict" said 0 '"verdict": "slower"' '"more": 1'
tool compare first slower --backend fine --scenario 'sp*'
check "globs leave it out" said 0 "0 more (slower or larger), 0 less"
tool compare first slower --metric rss
check "another metric" said 0 "# Comparison of two runs: rss" "2 cells compared"
tool compare first slower --metric lines
check "a fact of the build" said 0 "0 more (slower or larger), 0 less" "2 no difference"
cp -r slower known
printf 'scenario,metric,estimator,mde\nspin,time,median,0.3\n' >known/mde.csv
tool compare first known
check "within the MDE it is no difference" said 0 "0 more (slower or larger), 0 less" "30.0 %"
check "and nobody warns of a missing MDE" not_said "No MDE is known"
tool compare first slower --estimator lower-quartile
check "another estimator" said 0 "1 more (slower or larger)" "lower-quartile"

# ---- compare: CI ---------------------------------------------------------------------------------

tool compare first slower --fail-on slower=20%
check "--fail-on: status 1, the cell is named" said 1 "beyond --fail-on" "1 of" "$spin: slower"
tool compare first slower --fail-on slower=30%
check "below the limit: status 0" said 0
tool compare first slower --fail-on faster=0%
check "the other direction: status 0" said 0
tool compare first faster --fail-on slower=90% --fail-on any=20%
check "any: status 1" said 1 "$spin: faster"
for limit in slower=20 slow=20% slower '20%' ''; do
    tool compare first slower --fail-on "$limit"
    check "--fail-on '$limit' is refused" said 2 "--fail-on $limit" "--fail-on slower=5%"
done

# ---- compare: quick runs, differing runs ---------------------------------------------------------

tool compare quick slower --fail-on any=0%
check "a quick run carries no claim" said 0 "A quick run carries no claim" "no claim on any" \
    "--fail-on can't fail here" "mode: quick -> default"
check "cells of one run only are listed" said 0 "## Cells only in B" "good/spin/opaque/gcc/depth=3"
cp -r first other
sed -i 's/"kernel": ".*"/"kernel": "1.2.3"/; s/"flags": "-O2"/"flags": "-O3"/' other/run.json
tool compare first other
check "fingerprints that differ" said 0 "How the runs differ" "machine.kernel: " "-> 1.2.3" \
    "program good, gcc.flags: -O2 -> -O3"
cp -r first lost
sed -i "\\,\"cell_id\": \"$spin\",,/\"status\"/s/\"status\": \"ok\"/\"status\": \"timeout\"/" \
    lost/run.json
tool compare first lost
check "a cell that was lost" said 0 "value in one run only" "$spin | ok | timeout |"

# ---- compare: condensed runs ---------------------------------------------------------------------

mkdir bare
cp slower/run.json bare
"$corobench" report slower >/dev/null 2>&1
cp slower/cells.csv bare
tool compare first bare
check "a run of cells.csv only is compared by intervals" said 0 "1 more (slower or larger)" \
    "bare keeps no values of its rounds" "Welch's t from the intervals"
mkdir condensed
cp slower/run.json condensed
awk -F, -v cell="$spin" '
    NR == 1 { print "cell_id,metric,flags,values" }
    $2 == cell && $7 == "time" {
        least = $5 == 1 || $8 < least ? $8 : least
        if ($5 == 4) { slots = slots s $3 "/" $4; values = values s least; s = " " }
    }
    END { print ",round/build,," slots; print cell ",time,," values }' slower/samples.csv \
    >condensed/samples-condensed.csv
tool compare first condensed --scenario spin
check "a condensed run is compared by its rounds" said 0 "1 more (slower or larger)" "Wilcoxon" \
    "1.250 ["

# ---- compare: wrong usage ------------------------------------------------------------------------

tool compare first
check "one run only" said 2 "usage: corobench compare A B"
tool compare first nowhere
check "no such run" said 2 "nowhere: it is no run"
mkdir empty && cp first/run.json empty
tool compare empty first
check "a run without numbers" said 2 "neither samples.csv nor"
tool compare first slower --metric tiem
check "an unknown metric names the right ones" said 2 "tiem" "their metrics: " "time"
tool compare first slower --estimator mean
check "an unknown estimator names the right ones" said 2 "mean" "median, lower-quartile"
tool compare first slower --backend god
check "an unknown backend names the right ones" said 2 "god" "fine, good"
cp -r first torn && printf 'first,torn' >>torn/samples.csv
tool compare first torn
check "a torn samples.csv" said 2 "torn/samples.csv"
cp -r first badmde && printf 'scenario,mde\nspin,0.1\n' >badmde/mde.csv
tool compare first badmde
check "an mde.csv without its columns" said 2 "badmde/mde.csv: a column is missing"
tool compare --help
check "--help" said 0 "usage: corobench compare A B" "--fail-on"

# ---- explain -------------------------------------------------------------------------------------

tool explain "$spin" --run first
check "explain" said 0 "## $spin" "seed 7" "bench/good-gcc, link 0: gcc 1.2.3" "-O2" \
    "$(sha256sum <"$here/fake-bench" | cut -d' ' -f1)" "raw/"
check "twelve samples, each with its raw file" test "$(grep -c '| raw/' out.txt)" = 12
check "every raw file is there" sh -c "grep -o 'raw/[^ ]*json' out.txt | sort -u |
    (cd first && xargs ls) >/dev/null"
# The command that it prints takes the same sample again: the fake's numbers follow from the name of
# the raw file and what it is asked for.
sed -n 's/^    \(COROBENCH_PADDING=.*\)/\1/p' out.txt >again.sh
raw=$(grep -o 'raw/[^ ]*json' again.sh)
mkdir raw && ln -s ../bench bench
check "the command can be run" sh again.sh
check "and takes the same sample" cmp "$raw" "first/$raw"
tool explain "$spin" --run first --json
check "explain --json" is_json
cd ..
tool explain 'good/heap/*'
check "without --run: results/latest" said 0 "run: quick in" "rss"
cd results || exit 1
tool explain 'good/*' --run first
check "a glob" test "$(grep -c '^## ' out.txt)" = 7
tool explain 'good/spin/opaque/gcc/depth=99' --run first
check "a wrong id lists the nearest" said 2 "has no cell good/spin/opaque/gcc/depth=99" "$spin"
tool explain 'good/leap/opaque/gcc/' --run first
check "a cell that was not measured" said 0 "status: not-claimed: it cannot leap"
tool explain "$spin" --run condensed
check "a condensed run says that raw files are not kept" said 0 "This is a condensed run"
tool explain "$spin" --run nowhere
check "no such run" said 2 "nowhere/run.json"
tool explain --run first
check "no cell" said 2 "usage: corobench explain CELL"

tap_end
