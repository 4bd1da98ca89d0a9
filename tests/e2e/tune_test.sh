#!/bin/sh
# scripts/tune on a made-up tree of settings: what it changes is put back when the command ends well,
# fails, is not there, or when a signal comes; and the command's status is its own. Nothing of this
# machine is changed: every call has CB_SYSROOT.
# shellcheck disable=SC2016 # what is in single quotes is expanded by another shell
set -u

here=$(cd "$(dirname "$0")" && pwd)
source=${CB_SOURCE_DIR:-$here/../..}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$box" # a part runs as another user
cp "$source/scripts/tune" "$box/tune"
export CB_SYSROOT="$box/tree"
cpu=$CB_SYSROOT/sys/devices/system/cpu
kernel=$CB_SYSROOT/proc/sys/kernel
thp=$CB_SYSROOT/sys/kernel/mm/transparent_hugepage/enabled
failed=0
shell='' # that runs tune

wrong() {
    echo "$shell, $title: $*"
    sed 's/^/    /' "$box/err" 2>/dev/null
    failed=1
}

put() { # FILE TEXT
    mkdir -p "${1%/*}"
    echo "$2" >"$1"
}
fresh() { # TITLE: the tree as it is before
    title=$1
    rm -rf "$CB_SYSROOT" "$box/inside" "$box/err" "$box/started"
    put "$cpu/cpu0/cpufreq/scaling_governor" powersave
    put "$cpu/cpu0/cpufreq/scaling_available_governors" "performance powersave"
    put "$cpu/cpu1/cpufreq/scaling_governor" schedutil
    put "$cpu/intel_pstate/no_turbo" 0
    put "$kernel/perf_event_paranoid" 4
    put "$kernel/randomize_va_space" 2
    put "$kernel/pid_max" 32768
    put "$kernel/threads-max" 5000000
    put "$CB_SYSROOT/proc/sys/vm/max_map_count" 65530
    put "$thp" "always [madvise] never"
    chmod -R a+rX "$CB_SYSROOT"
    state >"$box/before"
}
# A line each; of several choices the one in brackets, as a plain file keeps only what is written.
state() {
    (cd "$CB_SYSROOT" && find . -type f | sort | while read -r file; do
        echo "$file $(sed 's/.*\[\(.*\)\].*/\1/' "$file")"
    done)
}
# What the command sees goes to $box/inside.
cat >"$box/look" <<'END'
#!/bin/sh
cd "$CB_SYSROOT" || exit 9
find . -type f | sort | while read -r file; do
    echo "$file $(sed 's/.*\[\(.*\)\].*/\1/' "$file")"
done >"$INSIDE"
exit "${1:-0}"
END
chmod +x "$box/look"
export INSIDE="$box/inside" STARTED="$box/started"

tune() { # leaves the status in $status, what is said in $box/err, the output in $box/out
    status=0
    "$shell" "$box/tune" "$@" >"$box/out" 2>"$box/err" || status=$?
}
exits() { [ "$status" = "$1" ] || wrong "exit status $status instead of $1"; }
says() { grep -qF -- "$1" "$box/err" || wrong "does not say '$1'"; }
restored() {
    state >"$box/after"
    diff "$box/before" "$box/after" >"$box/diff" || wrong "not put back: $(cat "$box/diff")"
}
inside() { # FILE VALUE
    grep -q "$1 $2\$" "$box/inside" 2>/dev/null || wrong "the command did not see $2 in $1"
}
tuned() {
    inside cpu0/cpufreq/scaling_governor performance
    inside cpu1/cpufreq/scaling_governor performance
    inside no_turbo 1
    inside perf_event_paranoid 2
}
untouched() { # what was not asked for
    inside randomize_va_space 2
    inside transparent_hugepage/enabled madvise
    inside pid_max 32768
    inside max_map_count 65530
}

ends_by_itself() {
    fresh "a command that works"
    tune -- "$box/look"
    exits 0 && tuned && untouched && restored
    says "cpu0/cpufreq/scaling_governor: powersave -> performance"
    says "restored /proc/sys/kernel/perf_event_paranoid: 4"

    fresh "a command that fails"
    tune -- "$box/look" 7
    exits 7 && tuned && restored

    fresh "a command that is not there"
    tune -- "$box/nonesuch"
    exits 127 && restored

    fresh "a command's words, input and output"
    status=0
    echo "from outside" | "$shell" "$box/tune" -- sh -c 'cat; printf "<%s>" "$@"' name "a  b" '$c' \
        >"$box/out" 2>"$box/err" || status=$?
    exits 0 && restored
    [ "$(cat "$box/out")" = 'from outside
<a  b><$c>' ] || wrong "the output is $(cat "$box/out")"

    fresh "a command that ends by a signal of its own"
    tune -- sh -c 'kill -KILL $$'
    exits 137 && restored
}

asked_for() {
    fresh "all that can be asked for"
    tune --aslr off --thp never --limits -- "$box/look" 3
    exits 3 && tuned && restored
    inside randomize_va_space 0
    inside transparent_hugepage/enabled never
    inside pid_max 4194304
    inside max_map_count 2200000
    inside threads-max 5000000
    says "threads-max is 5000000, which does already"

    fresh "what is right already"
    put "$cpu/cpu0/cpufreq/scaling_governor" performance
    put "$kernel/perf_event_paranoid" -1
    state >"$box/before"
    tune --aslr on --thp madvise -- "$box/look"
    exits 0 && restored
    inside perf_event_paranoid -1
    says "cpu0/cpufreq/scaling_governor is performance already"
    says "transparent_hugepage/enabled is madvise already"
    ! grep "changed.*scaling_governor" "$box/err" | grep -q cpu0 || wrong "changes what is right"

    fresh "turbo the other way"
    rm "$cpu/intel_pstate/no_turbo"
    put "$cpu/cpufreq/boost" 1
    state >"$box/before"
    tune -- "$box/look"
    exits 0 && inside cpufreq/boost 0 && restored

    fresh "a dry run"
    tune --dry-run --limits -- "$box/look"
    exits 0 && restored
    says "would change /sys/devices/system/cpu/intel_pstate/no_turbo: 0 -> 1"
    says "would run: $box/look"
    [ ! -e "$box/inside" ] || wrong "the command was run"
}

cannot() {
    fresh "no such settings"
    rm -rf "$CB_SYSROOT"
    mkdir "$CB_SYSROOT"
    state >"$box/before"
    tune -- "$box/look" 5
    exits 5 && says "no governor" && says "no turbo" && says "perf_event_paranoid is not there"
    restored

    fresh "no governor 'performance'"
    put "$cpu/cpu0/cpufreq/scaling_available_governors" "powersave userspace"
    state >"$box/before"
    tune -- "$box/look"
    exits 0 && restored
    inside cpu0/cpufreq/scaling_governor powersave
    inside cpu1/cpufreq/scaling_governor performance
    says "no governor 'performance', only powersave userspace"

    # Reading this one gives the reader's name, and what is written names the writer: "cat" stays.
    fresh "a setting that takes a value and ignores it"
    ln -sf /proc/self/comm "$cpu/intel_pstate/no_turbo"
    state >"$box/before"
    tune -- "$box/look" 8
    exits 8 && restored
    says "cannot change /sys/devices/system/cpu/intel_pstate/no_turbo from cat to 1: it stays at cat"
    ! grep "restored.*no_turbo" "$box/err" || wrong "puts back what was not changed"

    fresh "a setting that refuses"
    ln -sf /proc/sys/kernel/ostype "$cpu/intel_pstate/no_turbo"
    state >"$box/before"
    tune -- "$box/look" 8
    exits 8 && restored
    says "no_turbo from Linux to 1: Permission denied"

    fresh "not root"
    echo 9 >"$box/out"
    chmod -R a-w "$CB_SYSROOT"
    chmod a+w "$box"
    status=0
    as_other=
    [ "$(id -u)" != 0 ] || as_other='setpriv --reuid=65534 --regid=65534 --clear-groups'
    $as_other "$shell" "$box/tune" -- "$box/look" 6 >"$box/out" 2>"$box/err" || status=$?
    chmod -R u+w "$CB_SYSROOT"
    chmod 755 "$box"
    exits 6 && restored && inside no_turbo 0
    says "cannot change /sys/devices/system/cpu/intel_pstate/no_turbo from 0 to 1: Permission denied"
    says "needs root"

    fresh "changed behind its back"
    tune -- sh -c 'echo 0 >"$CB_SYSROOT/sys/devices/system/cpu/intel_pstate/no_turbo"'
    exits 0 && restored && says "no_turbo was 1 and is now 0: something else changed it"

    fresh "a setting that cannot be put back"
    tune -- sh -c 'f=$CB_SYSROOT/proc/sys/kernel/perf_event_paranoid; rm $f; mkdir $f'
    exits 0 && says "error: cannot put /proc/sys/kernel/perf_event_paranoid back to 4"
    says "The machine is left changed"

    fresh "no one listens"
    "$shell" "$box/tune" -- "$box/look" 2>&1 >"$box/out" | :
    tuned && restored
    "$shell" "$box/tune" -- "$box/look" 2>&-
    restored
}

# Waits until a file is there; gives up after 20 s, so that a mistake does not hang.
await() { # FILE
    tries=0
    while [ ! -s "$1" ] && [ $tries -lt 400 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    [ -s "$1" ] || wrong "$1 does not come"
}
# Starts tune in the background with the signals as on a terminal, and waits until the command runs.
start() { # COMMAND...
    env --default-signal=INT,QUIT "$shell" "$box/tune" -- "$@" >"$box/out" 2>"$box/err" &
    tuner=$!
    await "$STARTED"
}
finish() {
    status=0
    wait "$tuner" || status=$?
}
gone() { # whether the process, whose number is in the file, has ended (a zombie has)
    tries=0
    while [ $tries -lt 400 ]; do
        case $(ps -o stat= -p "$(cat "$1")" 2>/dev/null) in '' | Z*) return ;; esac
        sleep 0.05
        tries=$((tries + 1))
    done
    wrong "the command's own child lives on"
    kill "$(cat "$1")"
}

by_signal() {
    for signal in HUP:129 INT:130 QUIT:131 TERM:143; do
        fresh "signal $signal"
        # A command with a child of its own, which must end too.
        start sh -c '"$0"; sh -c "echo \$\$ >\"\$STARTED\"; exec sleep 20"; exit' "$box/look"
        kill -s "${signal%:*}" "$tuner"
        finish
        exits "${signal#*:}" && tuned && restored && gone "$STARTED"
    done

    fresh "a command with an answer to signals"
    start sh -c 'trap "exit 5" TERM; "$0"; echo 1 >"$STARTED"; for i in $(seq 400); do sleep 0.05; done' \
        "$box/look"
    kill -TERM "$tuner"
    finish
    exits 5 && tuned && restored

    fresh "a command that goes on after a signal"
    start sh -c 'trap "echo 1 >\"$INSIDE\"" HUP; echo 1 >"$STARTED"
        for i in $(seq 400); do [ -s "$INSIDE" ] || sleep 0.05; done; rm "$INSIDE"; "$0" 4' "$box/look"
    kill -HUP "$tuner"
    finish
    exits 4 && tuned && restored

    fresh "a signal at the very end"
    start sh -c 'trap "" HUP; "$0"; echo 1 >"$STARTED"; kill -HUP $PPID; exit 7' "$box/look"
    finish
    tuned && restored
    if [ "$shell $status" = "bash 255" ]; then says "exit status is lost"; else exits 7; fi

    fresh "three signals"
    start sh -c 'trap "" INT HUP; "$0"; echo 1 >"$STARTED"; sleep 20' "$box/look"
    kill -INT "$tuner"
    kill -HUP "$tuner"
    kill -TERM "$tuner"
    finish
    exits 143 && tuned && restored
}

wrong_usage() {
    fresh "wrong usage"
    for words in "" "--" "--bogus -- true" "--thp" "--thp sometimes -- true" "--aslr 1 -- true" \
        "true" "--limits true"; do
        # shellcheck disable=SC2086 # several words
        tune $words
        title="tune $words"
        exits 2 && says "nothing is changed, nothing is run" && restored
    done
    title="help"
    tune --help
    exits 0
    grep -q -- "--dry-run" "$box/out" || wrong "no help"
}

for shell in dash bash; do
    command -v "$shell" >/dev/null || continue
    ends_by_itself
    asked_for
    cannot
    by_signal
    wrong_usage
done
exit $failed
