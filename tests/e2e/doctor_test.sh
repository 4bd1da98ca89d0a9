#!/bin/sh
# corobench doctor from the outside, on whatever machine this is: what it prints has a form, its exit
# status fits to what it found, and a wrong use is said to be one.
# Runs in: gcc asan
set -u

build=${CB_BUILD_DIR:?the build folder, where corobench is}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
failed=0

doctor() { # leaves the status in $status
    called="doctor $*"
    status=0
    "$build/corobench" doctor "$@" >"$box/out" 2>"$box/err" || status=$?
}
wrong() {
    echo "$called: $*"
    sed 's/^/    /' "$box/out" "$box/err"
    failed=1
}
exits() { [ "$status" = "$1" ] || wrong "exit status $status instead of $1"; }
quiet() { [ ! -s "$box/err" ] || wrong "something on standard error"; }

# "kind state" of each finding; the members come in the order in which they were packed.
states() {
    sed -n 's/^ *"kind": "\(.*\)",$/\1/p; s/^ *"state": "\(.*\)",$/\1/p' "$box/out" | paste -d ' ' - -
}

doctor
exits 0 && quiet
for id in governor turbo smt isolated-units tick load cpu-quota virtualisation steal thp aslr \
    clock-source units cpuset memory-available cgroup-memory overcommit guard-install \
    max-map-count pid-max threads-max cgroup-pids rlimit-nproc rlimit-as rlimit-stack pmu \
    perf-event-paranoid valgrind gnuplot latexmk; do
    grep -qE "^  (yes|no|unknown) +$id +[^ ]" "$box/out" || wrong "nothing on $id"
done
[ "$(grep -cE '^  (yes|no|unknown) ' "$box/out")" = 30 ] || wrong "not 30 findings"

doctor --json
exits 0 && quiet
[ "$(states | grep -cxE '(disturbs|limits|lacks) (yes|no|unknown)')" = 30 ] || wrong "not 30 findings"

# Strict: the status follows from what the same call found.
doctor --strict --json
if states | grep -qx "disturbs yes"; then exits 1; else exits 0; fi
quiet

# One thing that always disturbs: no randomised addresses.
if setarch -R true 2>/dev/null; then
    called="setarch -R, doctor --strict"
    status=0
    setarch -R "$build/corobench" doctor --strict >"$box/out" 2>"$box/err" || status=$?
    exits 1
    grep -qE '^  yes +aslr +off for this process' "$box/out" || wrong "does not see it"
fi
# What is bound to one unit has only one.
called="taskset, doctor"
first=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
taskset -c "$first" "$build/corobench" doctor >"$box/out" 2>"$box/err" || wrong "fails"
grep -qE '^  yes +units +1$' "$box/out" || wrong "does not see it"
# A limit of our own, and a program that cannot be found.
called="prlimit, doctor"
prlimit --stack=524288 env PATH='' "$build/corobench" doctor >"$box/out" 2>"$box/err" ||
    wrong "fails"
grep -qE '^  yes +rlimit-stack +524288$' "$box/out" || wrong "does not see the limit"
grep -qE '^  yes +gnuplot +not in PATH$' "$box/out" || wrong "finds gnuplot without PATH"

doctor --bogus
exits 2
grep -q -- "--strict" "$box/err" || wrong "does not list the options"
doctor more
exits 2
doctor --json=yes
exits 2
doctor --help
exits 0
grep -q "scripts/tune" "$box/out" || wrong "no help"

exit $failed
