#!/bin/sh
# Runs a program on painted stacks: it must succeed, and must have had stacks with a bound.
#
# usage: painted.sh [--profile FILE] PROGRAM [ARGUMENT...]
#
# FILE gets what each body without a bound used at most: lines "entry bytes", for CB_STACK_PROFILE.
set -eu

if [ "$1" = --profile ]; then
    export CO_STACK_PROFILE="$2"
    shift 2
fi
status=0
said=$("$@" 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
    echo "$said"
    exit "$status"
fi
echo "$said" | grep '^painted: ' | sort -u
echo "$said" | grep -q '^painted: [1-9]' || {
    echo "no stack had a bound: nothing was compared"
    exit 1
}
