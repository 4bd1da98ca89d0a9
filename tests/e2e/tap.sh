#!/bin/sh
# For the tests of this folder that look at corobench from the outside: TAP, and a run of the tool whose
# exit status and words can be asked about. A test sets $corobench and $work, sources this file, and
# ends with: tap_end
# shellcheck disable=SC2154 # corobench and work are the test's

number=0
failures=0
status=0

ok() { # name
    number=$((number + 1))
    echo "ok $number - $1"
}
not_ok() { # name; what was seen comes on standard input
    number=$((number + 1))
    failures=$((failures + 1))
    echo "not ok $number - $1"
    sed 's/^/# /'
}
skip() { # name, reason
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}
check() { # name, command...: passes when the command does
    checked=$1
    shift
    if "$@" >"$work/check.txt" 2>&1; then
        ok "$checked"
    else
        not_ok "$checked" <"$work/check.txt"
    fi
}
not() { ! "$@"; }

# Runs corobench; leaves its exit status in $status, what it says in out.txt and err.txt.
tool() {
    status=0
    "$corobench" "$@" >out.txt 2>err.txt || status=$?
}
# Whether the last run ended with this status and its messages hold all these texts.
said() { # status, text...
    [ "$status" = "$1" ] || {
        echo "exit status $status instead of $1"
        cat out.txt err.txt
        return 1
    }
    shift
    for text in "$@"; do
        grep -qF -- "$text" out.txt err.txt || {
            echo "'$text' was not said:"
            cat out.txt err.txt
            return 1
        }
    done
}
not_said() { # text
    ! grep -nF -- "$1" out.txt err.txt
}

tap_end() {
    echo "1..$number"
    [ "$failures" = 0 ]
}
