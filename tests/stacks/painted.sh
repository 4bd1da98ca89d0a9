#!/bin/sh
# Runs a program on painted stacks: it must succeed, and must have had stacks with a bound.
#
# usage: painted.sh PROGRAM
set -eu

status=0
said=$("$1" 2>&1) || status=$?
if [ "$status" -ne 0 ]; then
    echo "$said"
    exit "$status"
fi
echo "$said" | grep '^painted: ' | sort -u
echo "$said" | grep -q '^painted: [1-9]' || {
    echo "no stack had a bound: nothing was compared"
    exit 1
}
