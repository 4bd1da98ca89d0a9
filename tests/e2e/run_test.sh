#!/bin/sh
# corobench from the outside: wrong usage, hostile surroundings, misbehaving bench programs, and runs
# that are killed. The bench programs are fakes (fake-bench), so nothing here depends on the machine.
# Prints TAP. CB_BUILD_DIR is the build folder; CB_KILLS how many runs are killed (20).
# Runs in: gcc asan
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
here=$(cd "$(dirname "$0")" && pwd)
corobench=$build/corobench
work=$(mktemp -d)
mounted=
cleanup() {
    [ -z "$mounted" ] || umount "$mounted"
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

# shellcheck source=tests/e2e/tap.sh
. "$here/tap.sh"

fakes() { # folder, name...
    folder=$1
    mkdir -p "$folder"
    shift
    for fake in "$@"; do ln -s "$here/fake-bench" "$folder/$fake"; done
}
fakes good good-gcc fine-gcc
"$here/fake-share" "$build" plain
COROBENCH_SHARE=$work/plain
export COROBENCH_SHARE
complete() { grep -q '"complete": true' "$1/run.json"; }
# Waits until a run that process $pid makes has so many samples, or the process ends.
await() { # run, samples
    while [ "$(find "$1/raw" -name '*.json' 2>/dev/null | wc -l)" -lt "$2" ] ||
        [ ! -e "$1/samples.csv" ]; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.01
    done
}
# The status and the note of a cell in run.json.
cell() { # run, cell id
    awk -v id="\"cell_id\": \"$2\"" 'index($0, id) { found = 1 }
        found && /"status"|"note"/ { print } found && /}/ { exit }' "$1/run.json"
}

# ---- Wrong usage ---------------------------------------------------------------------------------

tool
check "no command: usage, status 2" said 2 "usage: corobench"
tool --help
check "--help" said 0 "list" "run" "report" "describe"
for command in list run report describe; do
    tool $command --help
    check "$command --help" said 0 "usage: corobench $command" "--help"
done
tool measure
check "an unknown command names the right ones" said 2 "measure" "list" "run" "report" "describe"
tool run --fast
check "an unknown option names the right ones" said 2 "--fast" "--quick" "--scenario"
tool run --programs good --backend goood
check "an unknown backend names the right ones" said 2 "goood" "good" "fine"
tool run --programs good --scenario spim
check "an unknown scenario names the right ones" said 2 "spim" "spin" "heap" "leap"
tool run --programs good --compiler icc
check "an unknown compiler names the right ones" said 2 "icc" "valid names: gcc"
tool run --programs good --binding static
check "an unknown binding names the right ones" said 2 "static" "library, opaque, visible"
tool run --programs good --backend 'g[oo'
check "a malformed glob says what is wrong" said 2 "g[oo" "has no ]" "fine, good"
tool list --programs good --scenario ''
check "an empty glob" said 2 "it is empty"
tool describe goood --programs good
check "describe: an unknown backend names the right ones" said 2 "fine, good"
tool run --programs good --seed twelve
check "a number that is none" said 2 "twelve" "whole number"
tool run --programs good --quick --full
check "--quick and --full" said 2 "exclude each other"
tool run --programs good --name ../x
check "a name that would leave the folder" said 2 "../x"
tool run --programs nowhere
check "no such folder of programs" said 2 "nowhere" "No such file"
mkdir none
tool run --programs none
check "a folder without programs" said 2 "no bench program"
tool report good
check "report of what is no run" said 2 "run.json"
tool run --programs good --resume nothing
check "resuming what is no run" said 2 "nothing" "no such run"
tool run --programs good --resume nothing --quick
check "resuming with other options" said 2 "--quick cannot be combined"
check "wrong usage leaves nothing behind" test ! -e results

fakes debug debug-gcc good-gcc
tool run --programs debug --quick
check "a debug build is not measured" said 2 "built for debugging: debug"
cp -r plain share
sed -i 's/"budget": 300/"budget": 3/' share/plan.json
COROBENCH_SHARE=$work/share
export COROBENCH_SHARE
tool run --programs good --quick
COROBENCH_SHARE=$work/plain
check "too many cells: what to cut" said 2 "at most 3 cells" "these are 8" "spin 6" "good 4"

# ---- list and describe ---------------------------------------------------------------------------

fakes listed good-gcc good-clang mute-gcc
echo '{"contract": 1, "backend": "absent", "family": "fake", "compiler": "gcc",
    "status": "unavailable", "note": "libabsent is missing"}' >listed/absent-gcc.unavailable
tool list --programs listed
check "list shows what is unavailable, and why" said 0 "good" "clang" "spin" "libabsent is missing"
tool list --programs listed --cells --quick
check "list --cells" said 0 "good/spin/opaque/gcc/depth=10" \
    "absent/spin/opaque/gcc/depth=1  (unavailable: libabsent is missing)" \
    "good/leap/opaque/gcc/  (not-claimed: it cannot leap)"
tool describe good --programs listed
check "describe" said 0 "good, clang 1.2.3" "good, gcc 1.2.3" "recursion"

# ---- A good run ----------------------------------------------------------------------------------

FAKE_LOG=$work/log MALLOC_ARENA_MAX=1
export FAKE_LOG MALLOC_ARENA_MAX
tool run --programs good --quick --seed 7 --name whole
unset MALLOC_ARENA_MAX
check "a good run ends with status 0" said 0 "results/whole"
check "it is complete" complete results/whole
check "latest points to it" test "$(readlink results/latest)" = whole
check "no temporary file is left" test -z "$(find results -name '*.tmp')"
check "a raw file a sample" test "$(find results/whole/raw -name '*.json' | wc -l)" = 36
# Two backends: 3 cells of kind time, 5 rounds, 4 repetitions, 4 metrics; 1 of kind space, 3 rounds, 4
# metrics; lines and asm_lines; the header.
check "samples.csv has every row" test "$(wc -l <results/whole/samples.csv)" = $((480 + 24 + 4 + 1))
check "what a value comes with is kept" test "$(grep -c '"note": "ten of them"' \
    results/whole/run.json)" = 2
check "no row is double" test -z "$(cut -d, -f 2-7 results/whole/samples.csv | sort | uniq -d)"
check "rounds come one after another" test "$(grep -o 'raw/0*[0-9]*' log | tr -dc '0-9\n' |
    sort -nc 2>&1)" = ""
check "no path is written" test -z "$(grep -rlF -e "$work" -e "$here" results/whole/run.json \
    results/whole/samples.csv results/whole/raw)"
check "no host name is written" test -z "$(grep -w "$(uname -n)" results/whole/run.json)"
check "what the machine was like is written down" test "$(grep -c '"state": "\(yes\|no\|unknown\)"' \
    results/whole/run.json)" -gt 10
check "a pilot a cell of kind time" test "$(grep -c -- --pilot log)" = 6
check "the environment's size differs by round" test \
    "$(grep -o 'PADDING=[0-9]*' log | sort -u | wc -l)" -ge 5
check "the programs' layout is as random as ours" test "$(grep -o 'PERSONALITY=[0-9a-f]*' log |
    sort -u)" = "PERSONALITY=$(cat /proc/$$/personality)"
check "what tunes their allocator unseen is not passed on" test "$(grep -o 'MALLOC=[^ ]*' log |
    sort -u)" = "MALLOC=no"
check "they know who started them" test "$(sed -n 's/.*PARENT=0*\([0-9]*\),\([0-9]*\) .*/\1 \2/p' log |
    awk '$1 != $2 { bad++ } END { print NR, bad + 0 }')" = "42 0"
# Which cell, with which padding, each sample was: the whole order and layout of a run.
layout() { # log
    sed -n 's/.* \(PADDING=[0-9]*\) .*--scenario \(.*\) --cpu.*raw\/\([0-9]*\)-\([^-]*\).*/\3 \4 \2 \1/p' \
        "$1" | sort -u
}
layout log >layout.txt
check "(the log tells of each sample)" test "$(grep -c PADDING layout.txt)" = 36
tool run --programs good --quick --seed 7 --name same
cut -d, -f 2- results/same/samples.csv >same.csv
cut -d, -f 2- results/whole/samples.csv >whole.csv
check "the same seed gives the same order" cmp same.csv whole.csv
tool run --programs good --quick --name whole
check "a name that is taken" said 2 "results/whole is there already" "--resume"
cp results/whole/samples.csv before.csv
tool report results/whole
check "report makes the report anew" said 0
check "report leaves the samples alone" cmp before.csv results/whole/samples.csv
: >log
tool run --programs good --full --rounds 1 --backend good --scenario spin --name full
check "a full run of one layout is warned of" grep -q "good/gcc has 1 link(s), a full run wants 6" err.txt
check "variables that a program asks for" grep -q "FRESH=yes.*fresh=yes" log
check "and only where it does" grep -q "FRESH=no.*depth=1" log
check "three units: unavailable" grep -q "needs more than two" results/full/run.json
unset FAKE_LOG

fakes linked good-gcc good-gcc.1 good-gcc.2
tool run --programs linked --quick --scenario spin --name linked
check "several links: status 0" said 0
check "they are one cell" test "$(grep -c '"cell_id": "good/spin/opaque/gcc/depth=1"' \
    results/linked/run.json)" = 1
check "and take turns" test "$(grep ',time,' results/linked/samples.csv | cut -d, -f 3,4 | sort -u |
    tr '\n' ' ')" = "1,0 2,1 3,2 4,0 5,1 "
check "how many they are is written down" grep -q '"good/gcc": 3' results/linked/run.json
sed 's/"complete": true/"complete": false/' results/linked/run.json >run.json && mv run.json results/linked/
fakes linked good-gcc.3
tool run --programs linked --resume results/linked
check "a link more: not resumed" said 2 "good, gcc: 3 links took turns, now 4 would"
rm linked/good-gcc.3 linked/good-gcc.2
tool run --programs linked --resume results/linked
check "a link less: not resumed" said 2 "good, gcc, link 2 is no longer there"
fakes linked mute-gcc mute-gcc-link1
tool list --programs linked
check "a link that cannot describe itself has its file's name" test "$(grep -c '^mute .* gcc ' out.txt)" = 2
cat >linked/good-gcc-link7 <<END
#!/bin/sh
exit 3
END
chmod +x linked/good-gcc-link7
tool run --programs linked --quick --backend good --scenario spin --name lame
check "a link that cannot be used is named, the others measured" said 0 \
    "good, gcc, link 7 is failed" "15 samples"
fakes double good-gcc good-clang
ln -s "$here/fake-bench" double/good-gcc.0
tool run --programs double --quick
check "two programs of one name" said 2 "two bench programs call themselves good"

# ---- Twins ---------------------------------------------------------------------------------------

sed -i 's/"budget": 3,/"budget": 9,/
    s/"twins": {"opaque": \["yield\/depth=1"\]}/"twins": {"opaque": ["spin\/depth=1", "heap\/*"]}/' \
    share/plan.json
check "(the made-up plan has twins)" grep -q '"spin/depth=1", "heap' share/plan.json
COROBENCH_SHARE=$work/share
FAKE_LOG=$work/log
export COROBENCH_SHARE FAKE_LOG
tool run --programs good --quick --name twins
check "twins count in the budget" said 2 "at most 9 cells, and these are 12"
sed -i 's/"budget": 9,/"budget": 12,/' share/plan.json
tool list --programs good --cells --quick
check "list does not show them" test "$status" = 0 -a "$(grep -c 'good/spin' out.txt)" = 3 -a \
    -z "$(grep aa= out.txt)"
: >log
tool run --programs good --quick --seed 7 --name twins
check "a run with twins" said 0 "52 samples"
check "the plan names their originals" grep -qF '"twin_of": "good/spin/opaque/gcc/depth=1"' \
    results/twins/run.json
check "they have samples of their own" test "$(grep -c ',good/spin/opaque/gcc/aa=1;depth=1,.*,time,' \
    results/twins/samples.csv)" = 20
check "and of kind space, too" test "$(grep -c ',good/heap/opaque/gcc/aa=1;n=10,.*,rss,' \
    results/twins/samples.csv)" = 3
check "as many as their originals" test "$(grep -c ',good/spin/opaque/gcc/depth=1,.*,time,' \
    results/twins/samples.csv)" = 20
check "no program is asked for a twin" test -z "$(grep -e '--params aa' log)"
check "one pilot for both" test "$(grep -c -- --pilot log)" = 6
# In a round, those of one block stand side by side: positions of 4 cells differ by 3 at most.
check "they stand beside their originals" test "$(grep ',spin' log >/dev/null; cut -d, -f 2,3,6 \
    results/twins/samples.csv | sort -u | grep -e '/spin/.*/depth=1,' -e '/spin/.*;depth=1,' |
    awk -F, '{ if (!($2 in low) || $3 < low[$2]) low[$2] = $3; if ($3 > high[$2]) high[$2] = $3 }
        END { for (r in low) print high[r] - low[r] }' | sort -u)" = 3
fakes nopilots nopilot-gcc
tool run --programs nopilots --quick --name nopilots
check "without a pilot there is no twin" said 1 \
    "nopilot/spin/opaque/gcc/aa=1;depth=1: failed: pilot: killed"
unset FAKE_LOG
COROBENCH_SHARE=$work/plain

# ---- Processing units ----------------------------------------------------------------------------

tool run --programs good --quick --cpu 9999
check "a unit that is not there" said 2 "9999" "units that this process may run on"
tool run --programs good --quick --cpu one
check "a unit that is no number" said 2 "one" "units that this process may run on"
first=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
if [ "$(nproc)" -gt 1 ] && command -v taskset >/dev/null; then
    other=$(taskset -pc $$ | sed 's/.*[,-]//')
    status=0
    taskset -c "$first" "$corobench" run --programs good --quick --cpu "$other" \
        >out.txt 2>err.txt || status=$?
    check "a unit that is forbidden" said 2 "$other" "may run on: $first"
else
    skip "a unit that is forbidden" "one processing unit, or no taskset"
fi
if command -v taskset >/dev/null; then
    status=0
    taskset -c "$first" "$corobench" run --programs good --full --rounds 1 --backend good \
        --scenario spin --name lonely >out.txt 2>err.txt || status=$?
    check "one unit only: status 0" said 0
    check "cells for two units are unavailable" grep -q "needs two processing units" \
        results/lonely/run.json
else
    skip "one unit only" "no taskset"
fi

# ---- Results that cannot be kept -----------------------------------------------------------------

: >file
tool run --programs good --quick --results file/x
check "a results folder below a file" said 2 "file/x" "--results"
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed && chmod 555 closed
    tool run --programs good --quick --results closed
    check "a results folder without permission" said 2 "closed" "Permission denied"
else
    skip "a results folder without permission" "root may write everywhere"
fi
mkdir small
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=1m tmpfs small 2>/dev/null; then
    mounted=$work/small
    tool run --programs good --quick --results small
    check "a disk that is too small" said 2 "small" "are needed"
    check "it is left empty" test -z "$(ls -A small)"
    mount -o remount,size=12m small
    fakes greedy greedy-gcc
    FAKE_DISK=$work/small/filler
    export FAKE_DISK
    tool run --programs greedy --quick --results small --name filled --seed 3
    check "a disk that fills: status 2, and how to go on" said 2 "the disk has" "--resume"
    check "it is not complete" grep -q '"complete": false' small/filled/run.json
    check "nothing half-written" test -z "$(find small/filled -name '*.tmp')"
    check "no cell is blamed" test -z "$(grep -E '"status": "(failed|timeout)"' small/filled/run.json)"
    check "latest does not point to it" test ! -e small/latest
    rm small/filler
    FAKE_DISK=/dev/null
    tool run --programs greedy --resume small/filled
    check "with room again it goes on" said 0
    check "and is complete" complete small/filled
    check "with all its samples" test "$(find small/filled/raw -name '*.json' | wc -l)" = 18
    umount small && mounted=
else
    skip "a disk that is full" "needs root, to mount a small one"
fi

# ---- Bench programs that misbehave ---------------------------------------------------------------

fakes bad good-gcc crash-gcc late-gcc hang-gcc nonsense-gcc half-gcc stranger-gcc nofile-gcc \
    failed-gcc skipping-gcc nopilot-gcc mute-gcc unpinned-gcc disturbed-gcc
FAKE_HANG=$$
export FAKE_HANG
tool run --programs bad --quick --scenario spin --time-limit 2 --rounds 2 --name bad
check "failures: status 1, each with its reason" said 1 \
    "crash/spin/opaque/gcc/depth=1: failed: killed by signal 11" "failed at deep.c:12" \
    "late/spin/opaque/gcc/depth=10: failed: killed by signal 11" \
    "hang/spin/opaque/gcc/depth=1: timeout: no end within 2 s" \
    "nonsense/spin/opaque/gcc/depth=1: failed: not valid JSON" \
    "half/spin/opaque/gcc/depth=1: failed: it has 3 repetitions instead of 4" \
    "stranger/spin/opaque/gcc/depth=1: failed: it is about another scenario" \
    "nofile/spin/opaque/gcc/depth=1: failed: it ended well but wrote no file" \
    "failed/spin/opaque/gcc/depth=1: failed: checksum 1 instead of 2" \
    "nopilot/spin/opaque/gcc/depth=1: failed: pilot: killed by signal 11" \
    "mute/spin/opaque/gcc/depth=1: failed: --describe: exit status 1: no words" \
    "unpinned/spin/opaque/gcc/depth=1: failed: it ran without being pinned"
check "the run is complete all the same" complete results/bad
cell results/bad good/spin/opaque/gcc/depth=1 >cell.txt
check "the others are measured" grep -q '"status": "ok"' cell.txt
check "with all samples" test "$(grep -c ',good/spin/.*,time,' results/bad/samples.csv)" = 24
cell results/bad skipping/spin/opaque/gcc/depth=1 >cell.txt
check "skipped is no failure" grep -q '"status": "skipped"' cell.txt
check "the reason has no path" test -z "$(grep -rF /some/where results/bad/run.json)"
check "each reason has its raw file" test "$(grep -l 'killed by signal' results/bad/raw/*crash* |
    wc -l)" = 3
check "what failed is not tried again" test "$(find results/bad/raw -name '*-crash-*' | wc -l)" = 3
check "no hanging child is left" test -z "$(pgrep -f "hanging.$FAKE_HANG")"
check "a disturbed sample is taken again, and says so" grep -q \
    'disturbed/spin.*,remeasured$' results/bad/samples.csv
fakes hanging hang-gcc
"$corobench" run --programs hanging --quick --scenario spin --name hanging >out.txt 2>err.txt &
pid=$!
while kill -0 $pid 2>/dev/null && [ "$(pgrep -fc "hanging.$FAKE_HANG")" -lt 2 ]; do sleep 0.05; done
check "(they hang)" kill -0 $pid
kill -KILL $pid
wait $pid 2>/dev/null
tries=0
while [ -n "$(pgrep -f "hanging.$FAKE_HANG")" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
check "nor when corobench is killed" test -z "$(pgrep -f "hanging.$FAKE_HANG")"

# ---- Disturbed samples ---------------------------------------------------------------------------

# The share of samples that are taken again is not what is looked at here.
sed -i 's/"share": [0-9.]*/"share": 9/; s/"budget": 12,/"budget": 0,/' share/plan.json
COROBENCH_SHARE=$work/share
export COROBENCH_SHARE
retakes() { # run: migration, steal, involuntary, disturbed, taken_again
    tr -d ' \n' <"$1/run.json" | sed -n 's/.*"taken_again":\([0-9]*\),"disturbed":\([0-9]*\).*"retakes":{"migration":\([0-9]*\),"steal":\([0-9]*\),"involuntary":\([0-9]*\),"crowded":0}.*/\3 \4 \5 \2 \1/p'
}
fakes retaken disturbed-gcc stolen-gcc moved-gcc threads-gcc good-gcc
tool run --programs retaken --quick --scenario spin --rounds 2 --seed 7 --name retaken
# 6 samples each, and the twin's 2; what is disturbed for ever is tried twice again.
check "retakes are counted by their reasons" test "$(retakes results/retaken)" = "8 8 16 8 24"
check "a parallel program's switches are its work" test -z \
    "$(grep ',threads/.*remeasured' results/retaken/samples.csv)"
check "what is calm at last is flagged, too" test \
    "$(grep -c ',stolen/.*,time,.*remeasured$' results/retaken/samples.csv)" = 32
check "one raw file a sample" test "$(find results/retaken/raw -name '*.json' | wc -l)" = 40
cp -r results/retaken results/resumed
sed -i 's/"complete": true/"complete": false/; s/"run": "retaken"/"run": "resumed"/' \
    results/resumed/run.json
rm "$(find results/resumed/raw -name '*-good-*' | head -n 1)"
# As if it had been killed between the second try of a sample and the end of the first one.
kept=$(find results/resumed/raw -name '*-stolen-*.again1.json' | head -n 1)
tr -d '\n' <"$kept" | sed 's/"retakes": *\[ *"steal" *\]/"x": 0/' >kept.txt
sed 's/"steal": 0/"steal": 9/g; s/"steal": 0.0/"steal": 9/g' kept.txt >"${kept%.again1.json}.json"
mv kept.txt "$kept"
tool run --programs retaken --resume resumed
check "a resumed run knows them" test "$status $(retakes results/resumed)" = "0 8 8 16 8 24"
cut -d, -f 2- results/resumed/samples.csv >resumed.csv
cut -d, -f 2- results/retaken/samples.csv >retaken.csv
check "and has the same samples" cmp resumed.csv retaken.csv
fakes shared crowded-gcc good-gcc
tool run --programs shared --quick --scenario spin --rounds 2 --seed 7 --name shared
check "pilots tell what a core makes alone" grep -q '"width": 3.5' results/shared/run.json
check "what shared its core is taken again" test "$(tr -d ' \n' <results/shared/run.json |
    sed -n 's/.*"taken_again":\([0-9]*\),"disturbed":\([0-9]*\).*"crowded":\([0-9]*\)}.*/\1 \2 \3/p')" = "8 0 8"
COROBENCH_SHARE=$work/plain
fakes skips skipping-gcc
tool run --programs skips --quick --rounds 1 --name skips
check "skipped alone leaves status 0" said 0 "skipped"

# ---- Runs that are stopped -----------------------------------------------------------------------

FAKE_SLEEP=0.02
FAKE_LOG=$work/log
export FAKE_SLEEP FAKE_LOG
: >log
env --default-signal=INT "$corobench" run --programs good --quick --seed 7 --name stopped \
    >out.txt 2>err.txt &
pid=$!
await results/stopped 5
kill -INT $pid
status=0
wait $pid || status=$?
check "SIGINT: status 130, and how to go on" said 130 "stopped by signal 2" "--resume results/stopped"
check "what was measured is there" grep -q ',time,' results/stopped/samples.csv
check "no half file is left" test -z "$(find results/stopped -name '*.tmp')"
tool run --programs good --resume results/stopped
check "resumed after SIGINT" said 0
starts=$(grep -c -- --measure log)
check "what was taken is not taken again" test "$starts" -ge 36 -a "$starts" -le 37
unset FAKE_LOG
cut -d, -f 2- results/stopped/samples.csv >stopped.csv
check "the same samples as if it had not been stopped" cmp stopped.csv whole.csv
layout log >stopped.txt
check "the same order and padding" cmp stopped.txt layout.txt

moment=0
while [ $moment -lt "${CB_KILLS:-20}" ]; do
    moment=$((moment + 1))
    run=results/killed$moment
    "$corobench" run --programs good --quick --seed 7 --name killed$moment >out.txt 2>err.txt &
    pid=$!
    # A random moment: after so many samples (before the first: among the pilots), and a little.
    random=$(od -An -N2 -tu2 /dev/urandom)
    samples=$((random % 36))
    await $run $samples
    sleep 0.0$((random / 36 % 7))
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    raw=$(find $run/raw -name '*.json' | wc -l)
    rows=$(grep -v '^run,' $run/samples.csv | cut -d, -f 2,3 |
        grep -v '/source/' | sort -u | wc -l)
    check "samples.csv has all raw files, but for the last" test "$rows" -le "$raw" -a \
        "$rows" -ge $((raw - 1))
    tool run --programs good --resume killed$moment
    check "killed after $samples samples and resumed" said 0
    cut -d, -f 2- $run/samples.csv >killed.csv
    check "no sample lost, none double" cmp killed.csv whole.csv
    check "no raw file lost, none double" test "$(find $run/raw -name '*.json' | wc -l)" = 36
    check "no half file is left" test -z "$(find $run -name '*.tmp')"
done
unset FAKE_SLEEP

cp -r results/whole results/torn
sed -i 's/"complete": true/"complete": false/; s/"run": "whole"/"run": "torn"/' results/torn/run.json
torn=$(find results/torn/raw -name '000004-*')
gone=$(find results/torn/raw -name '000007-*')
head -c 100 "$torn" >torn.txt && cp torn.txt "$torn"
rm "$gone"
tool run --programs good --resume torn
check "a corrupt raw file is named and measured again" said 0 "000004-" "is corrupt" "taken anew"
cut -d, -f 2- results/torn/samples.csv >torn.csv
check "and the run is whole again" cmp torn.csv whole.csv

cp -r good changed && rm changed/fine-gcc
(cat "$here/fake-bench" && echo "# another build") >changed/fine-gcc && chmod +x changed/fine-gcc
tool run --programs changed --resume whole
check "a program that was built anew is refused" said 2 "fine, gcc, link 0 was built anew"
rm changed/fine-gcc
tool run --programs changed --resume whole
check "a program that is gone is refused" said 2 "fine, gcc, link 0 is no longer there"
cp -r results/whole results/moved
sed -i 's/"kernel": ".*"/"kernel": "1.2.3"/' results/moved/run.json
tool run --programs good --resume moved
check "another machine is refused, the difference named" said 2 'kernel: was "1.2.3", is'
cp -r results/whole results/broken
head -c 200 results/whole/run.json >results/broken/run.json
tool run --programs good --resume broken
check "a broken run.json is refused" said 2 "run.json, line"

tap_end
