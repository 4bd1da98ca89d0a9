#!/bin/sh
# corobench count from the outside. First with a valgrind that is not there, then with one that only
# says numbers, so that nothing depends on the machine; at the end, in a build that is measured, with
# the real one. Prints TAP. CB_BUILD_DIR is the build folder.
# Runs in: gcc clang
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
# Whether the table has this number for this cell.
counted() { # cell, instructions
    awk -v cell="$1" -v value="$2" '$1 == cell && $2 == value { found = 1 } END { exit !found }' \
        out.txt || {
        cat out.txt err.txt
        return 1
    }
}
same() { # file, text
    [ "$(cat "$1")" = "$2" ] || {
        cat "$1"
        return 1
    }
}

mkdir tmp
TMPDIR=$work/tmp
export TMPDIR

# ---- A valgrind that says numbers ----------------------------------------------------------------

# An operation takes 48 instructions, and what the program's name says:
#   crooked  more and more of them
#   wavy     one more each 1000 operations, so that only whole thousands are on a line
#   broken   its checksum is wrong         crash   it dies          old     it knows no --count
#   dwarf5   valgrind cannot read it       slow    never ends       silent  valgrind says no total
mkdir bin
cat >bin/valgrind <<'END'
#!/bin/sh
[ "$1" != --version ] || { echo valgrind-3.99.0; exit; }
for word; do
    case $word in
    --log-file=*) log=${word#*=} ;;
    --tool=*) tool=${word#*=} ;;
    --iterations) last=$word ;;
    */*-gcc) program=$word ;;
    *) [ "${last-}" != --iterations ] || { digits=${#word} n=$(echo "$word" | sed 's/^0*//') last=''; } ;;
    esac
done
[ -z "${FAKE_LOG-}" ] || echo "$tool ${FAKE_FRESH:-no} $digits $n ${program##*/}" >>"$FAKE_LOG"
total=$((8000000 + 48 * n))
answer='{"status": "ok", "note": ""}'
status=0
case ${program##*/} in
crooked-*) total=$((total + n * n / 1000000)) ;;
wavy-*) total=$((total + n / 1000)) ;;
broken-*) answer='{"status": "failed", "note": "checksum of run(4096) gave 1"}' status=1 ;;
crash-*) kill -SEGV $$ ;;
old-*) echo "--count: no such option" >&2 && exit 2 ;;
dwarf5-*) echo "==1== Valgrind: debuginfo reader: Possibly corrupted" >"$log" && exit 1 ;;
slow-*) echo $$ >"$FAKE_PID" && read -r _ <"$FAKE_HOLD" ;;
silent-*) total= ;;
esac
echo "$answer"
echo "==12== I   refs:      $(echo "$total" | sed ':a; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; ta')" >"$log"
exit $status
END
chmod +x bin/valgrind
for command in sh cat sed basename sleep env sha256sum; do
    ln -s "$(command -v $command)" bin/
done
real_path=$PATH

fakes() { # name...
    rm -rf fakes
    mkdir fakes
    for fake; do ln -s "$here/fake-bench" "fakes/$fake-gcc"; done
}
# Counts with the fakes.
count() {
    PATH=$work/bin
    tool count --programs fakes "$@"
    PATH=$real_path
}

fakes good
count --scenario spin --params depth=1 --binding opaque
check "a cell is counted" said 0 "1 of 1 cells counted" "cachegrind-3.99.0"
check "by the difference of runs" counted good/spin/opaque/gcc/depth=1 48

FAKE_LOG=$work/log count --scenario spin --params depth=3,fresh=yes --binding opaque --jobs 1
unset FAKE_LOG
check "three runs, always as many digits; more where the cell has a longer period; its variables" same log \
    "cachegrind no 12 4096 good-gcc
cachegrind no 12 8192 good-gcc
cachegrind no 12 12288 good-gcc
cachegrind no 12 12288 good-gcc
cachegrind no 12 24576 good-gcc
cachegrind no 12 36864 good-gcc
cachegrind yes 12 4096 good-gcc
cachegrind yes 12 8192 good-gcc
cachegrind yes 12 12288 good-gcc"

count --scenario spin --params 'depth=*' --json
check "JSON is printed" said 0 '"cell_id": "good/spin/opaque/gcc/depth=10"' '"instructions": 48.0'
# shellcheck disable=SC2016 # for awk
check "for each cell" awk '/"cell_id"/ { n++ } /"instructions": 48.0/ { m++ }
    END { exit n < 4 || m != n }' out.txt

fakes good crooked wavy broken crash old dwarf5 silent
count --scenario spin --params depth=1,depth=10 --binding opaque
check "what goes wrong is told, and status 1" said 1 \
    "4096, 8192 and 12288 operations took 8196624, 8393283 and 8589974 instructions" \
    "failed: checksum of run(4096) gave 1" \
    "failed: under valgrind: killed by signal 11" \
    "failed: under valgrind: exit status 2: --count: no such option" \
    "valgrind cannot read the debug information of the program: build it with -gdwarf-4" \
    "valgrind's log has no total"
check "beside what goes well" counted good/spin/opaque/gcc/depth=1 48
check "no number is given where there is none" not grep -E '^(crooked|broken|crash|old|dwarf5|silent)/.* [0-9]+$' out.txt
count --backend good,wavy --scenario leap
check "what is not claimed is no failure" said 0 "not-claimed: it cannot leap" "0 of 2 cells counted"

# Three of 1000's multiples are on a line, three of 4096's are not.
sed 's/depth=10"/depth=1000"/' "$here/fake-bench" >fakes/thousand
chmod +x fakes/thousand
mv fakes/thousand fakes/wavy-gcc.new
rm fakes/wavy-gcc
mv fakes/wavy-gcc.new fakes/wavy-gcc
count --backend wavy --scenario spin --params depth=1000 --binding opaque
check "a cell that goes round in more operations is counted over whole rounds" \
    counted wavy/spin/opaque/gcc/depth=1000 48.001

# ---- Which cells ---------------------------------------------------------------------------------

fakes good fine
count --scenario yeild
check "a wrong scenario: the right names" said 2 "--scenario 'yeild' matches nothing" "heap, leap, source, spin"
count --params 'width=*'
check "wrong params: the right ones" said 2 "--params 'width=*' matches nothing" "depth=1, depth=10"
count --scenario heap
check "memory has nothing to count" said 2 "no cell of kind time matches"
count
check "without options, the headline's; the fakes have none of them" said 2 "no cell of kind time matches"
"$here/fake-share" "$build" share
sed 's/"scenario": "yield"/"scenario": "spin"/' "$build/share/headline.json" >share/headline.json
COROBENCH_SHARE=$work/share
export COROBENCH_SHARE
count
check "if they have one, it is counted" said 0 "2 of 2 cells counted"
check "in the headline's binding" counted fine/spin/opaque/gcc/depth=1 48
count --jobs 3 --scenario spin
check "at most two at a time" said 2 "--jobs 3: not a whole number from 1 to 2"

# ---- In a run ------------------------------------------------------------------------------------

tool run --quick --programs fakes --scenario spin --name one
unset COROBENCH_SHARE
count --run results/one --scenario spin
check "the cells of a run are counted" said 0 "6 of 6 cells counted"
head -n 2 results/one/counts.csv >head.txt
check "and kept in its folder" same head.txt "cell_id,instructions,n1,n2,tool
fine/spin/opaque/gcc/depth=1,48,4096,8192,cachegrind-3.99.0"
check "each of them" test "$(wc -l <results/one/counts.csv)" = 7
check "nothing else is left there" not ls results/one/counts.csv.tmp
count --run results/none --scenario spin
check "a folder that is no run" said 2 "--run results/none" "nothing is counted"
fakes good fine
sed 's/measures nothing/is new/' "$here/fake-bench" >fakes/other
chmod +x fakes/other
rm fakes/fine-gcc
mv fakes/other fakes/fine-gcc
cp results/one/counts.csv before.csv
count --run results/one --scenario spin
check "programs that the run did not measure" said 2 "are not those that it measured: fine-gcc"
check "leave its counts as they were" cmp before.csv results/one/counts.csv

# ---- Surroundings --------------------------------------------------------------------------------

mv bin/valgrind valgrind
count --scenario spin
check "no valgrind: what is wrong, what follows, what to do" said 2 \
    "valgrind is not there" "no instructions are counted" "apt-get install valgrind"
mv valgrind bin/

# The slow one waits at a pipe that only this test holds open: it ends with the test at the latest.
fakes slow
FAKE_PID=$work/pid
FAKE_HOLD=$work/hold
export FAKE_PID FAKE_HOLD
mkfifo pid hold
exec 9<>hold
PATH=$work/bin
"$corobench" count --programs fakes --scenario spin --jobs 1 9>&- >out.txt 2>err.txt &
stopped=$!
PATH=$real_path
program=$(timeout 60 cat pid)
check "a slow one runs" kill -0 "$program"
kill -TERM $stopped
status=0
wait $stopped || status=$?
check "a signal stops it" said 143 "stopped by signal 15"
check "with the program that it runs" not kill -0 "$program"
check "and no logs are left" rmdir tmp
mkdir -p tmp

# ---- The real one --------------------------------------------------------------------------------

# Only builds that are measured have bench programs, and instrumented ones do not run under Valgrind.
if grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=Release$' "$build/CMakeCache.txt"; then
    some="fiber-small,stackless-leaf,cxx20-leaf,thread-futex"
    tool count --programs "$build/bench" --backend "$some" --scenario yield --params depth=1 \
        --binding opaque
    check "what the build has is counted; threads are not" said 0 "cells counted" \
        "unavailable: Valgrind runs threads one at a time"
    mv out.txt first.txt
    tool count --programs "$build/bench" --backend "$some" --scenario yield --params depth=1 \
        --binding opaque --jobs 1
    check "the same numbers each time" cmp first.txt out.txt
fi

tap_end
