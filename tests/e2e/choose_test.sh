#!/bin/sh
# corobench choose from the outside: on the committed reference it answers in its first line, rules
# out with reasons, and refuses what it does not understand; and the cells that the model names are
# cells of scenarios. Prints TAP. CB_BUILD_DIR is the build folder.
# Runs in: gcc clang
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
corobench=$build/corobench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1

number=0
failures=0
check() { # name, command...
    name=$1
    shift
    number=$((number + 1))
    if "$@" >check.txt 2>&1; then
        echo "ok $number - $name"
    else
        failures=$((failures + 1))
        echo "not ok $number - $name"
        sed 's/^/# /' check.txt
    fi
}
tool() {
    status=0
    "$corobench" choose "$@" >out.txt 2>err.txt || status=$?
}
said() { # status, text...
    [ "$status" = "$1" ] || {
        echo "exit status $status instead of $1"
        cat out.txt err.txt
        return 1
    }
    shift
    for text; do
        grep -qF -- "$text" out.txt err.txt || {
            echo "'$text' was not said:"
            cat out.txt err.txt
            return 1
        }
    done
}
first_line() { head -n 1 out.txt | grep -q "$1"; }

for reference in "$top"/results/reference/*-*-kvm; do
    machine=$(basename "$reference")
    tool --run "$reference" --yields 100
    check "$machine: an answer" said 0 "BYTES EACH"
    check "$machine: it is the first line" first_line '^use [a-z].*: about .* a coroutine'
    tool --run "$reference" --live 100000 --yields 20
    check "$machine: threads can't be so many" said 0 "ruled out:" "can be alive"
    tool --run "$reference" --no-alloc --deep-yield
    check "$machine: nothing can do both" said 1 "no technique"
    tool --run "$reference" --depth 16 --calls 10 --yields 10 --markdown
    check "$machine: Markdown" said 0 "| technique | a life |"
    tool --run "$reference" --live 1000 --json
    check "$machine: JSON" said 0 '"ranking": [' '"ruled_out": ['
done

tool --live none
check "not a number" said 2 "--live none: not a number from 1"
tool --depth 0
check "less than one frame" said 2 "--depth 0: not a number from 1"
tool --yields 1e400
check "a number beyond all" said 2 "--yields 1e400"
tool --fast
check "no such option" said 2 "--deep-yield"
tool --json --markdown
check "two formats" said 2 "do not go together"
tool fibers
check "a word too many" said 2 "an argument too many"
tool --run "$work/nothing"
check "no run" said 2 "nothing/run.json" "name the folder of a run"
tool --run "$reference" --compiler icc
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

echo "1..$number"
[ "$failures" -eq 0 ]
