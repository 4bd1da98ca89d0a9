#!/bin/sh
# corobench choose from the outside: on the committed reference it answers in its first line, rules
# out with reasons, and refuses what it does not understand; and the cells that the model names are
# cells of scenarios. Prints TAP. CB_BUILD_DIR is the build folder.
# Runs in: gcc
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
corobench=$build/corobench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

# shellcheck source=tests/e2e/tap.sh
. "$here/tap.sh"
first_line() { head -n 1 out.txt | grep -q "$1"; }

for reference in "$top"/results/reference/*-*-kvm; do
    machine=$(basename "$reference")
    tool choose --run "$reference" --yields 100
    check "$machine: an answer" said 0 "BYTES EACH"
    check "$machine: it is the first line" first_line '^use [a-z].*: about .* a coroutine'
    tool choose --run "$reference" --live 100000 --yields 20
    check "$machine: threads can't be so many" said 0 "ruled out:" "can be alive"
    tool choose --run "$reference" --no-alloc --deep-yield
    check "$machine: nothing can do both" said 1 "no technique"
    tool choose --run "$reference" --depth 16 --calls 10 --yields 10 --markdown
    check "$machine: Markdown" said 0 "| technique | a life |"
    tool choose --run "$reference" --live 1000 --json
    check "$machine: JSON" said 0 '"ranking": [' '"ruled_out": ['
done

tool choose --live none
check "not a number" said 2 "--live none: not a number from 1"
tool choose --depth 0
check "less than one frame" said 2 "--depth 0: not a number from 1"
tool choose --yields 1e400
check "a number beyond all" said 2 "--yields 1e400"
tool choose --fast
check "no such option" said 2 "--deep-yield"
tool choose --json --markdown
check "two formats" said 2 "do not go together"
tool choose fibers
check "a word too many" said 2 "an argument too many"
tool choose --run "$work/nothing"
check "no run" said 2 "nothing/run.json" "name the folder of a run"
tool choose --run "$reference" --compiler icc
check "a compiler that did not measure" said 2 "--compiler icc" "compilers are"

# Every cell that the model names is one that its scenario has.
cells_exist() {
    grep -o '"scenario": "[a-z]*", "params": "[^"]*"' "$top/harness/data/choose.json" | sort -u |
        sed 's/"scenario": "\([a-z]*\)", "params": "\([^"]*\)"/\1 \2/' >cells.txt
    [ "$(wc -l <cells.txt)" -gt 20 ] || return 1
    missing=0
    while read -r scenario params; do
        grep -qF "\"$params\"" "$top/scenarios/$scenario/$scenario.c" || {
            echo "scenarios/$scenario has no cell $params"
            missing=1
        }
    done <cells.txt
    return "$missing"
}
check "the model's cells exist" cells_exist

tap_end
