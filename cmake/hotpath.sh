#!/bin/sh
# The instructions of one round trip, each beside the source line that it comes from.
#
# usage: hotpath.sh OUT SOURCE_DIR BACKEND COMPILER OBJECT...
#
# The objects are those that are measured: the scenario's loop (its function `run`), its bodies, and
# the backend's runtime, of which only functions that switch are shown.
set -eu

out=$1 source=$2 backend=$3 compiler=$4
shift 4

disassemble() {
    for object; do
        echo "=== $(basename "$object" .o)"
        objdump -d -l -C --no-show-raw-insn -j .text "$object"
    done
}

disassemble "$@" | awk -v source="$source" -v backend="$backend" -v compiler="$compiler" '
    function place_of(text) { # .../impls/common/x.h:12 (discriminator 3) -> impls/common/x.h:12
        sub(/ \(discriminator.*/, "", text)
        if (match(text, /(impls|scenarios|harness)\/.*$/)) return substr(text, RSTART)
        return ""
    }
    function text_of(place,    file, line, n, text) {
        file = place; sub(/:[0-9]+$/, "", file)
        line = place; sub(/.*:/, "", line)
        if (!(file in read)) {
            read[file] = 1
            while ((getline text < (source "/" file)) > 0) texts[file, ++n] = text
            close(source "/" file)
        }
        text = texts[file, line]
        gsub(/^[ \t]+|[ \t\\]+$/, "", text)
        return length(text) > 60 ? substr(text, 1, 57) "..." : text
    }
    BEGIN {
        printf "# One round trip of %s, built by %s\n\n", backend, compiler
        print "Scenario `yield`, binding `opaque`. Left: the instruction; right: where it comes from. What is inlined shows the"
        print "line of the inlined text. Operands of a jump are offsets in its function.\n"
    }
    /^=== / {
        kind = /-loop/ ? "loop" : /-bodies/ ? "bodies" : "runtime"
        title = kind == "loop" ? "The loop that resumes" : kind == "bodies" ? "The body" : "Out of line"
        titled = 0; shown = 0
        next
    }
    /^[0-9a-f]+ <.*>:$/ {
        name = $0; sub(/^[0-9a-f]+ </, "", name); sub(/>:$/, "", name)
        if (shown) print "```\n"
        shown = kind == "loop" ? name ~ /^run(\(|$)/ : kind == "bodies" ? 1 : name ~ /^co_(arch|factors)_/
        if (shown && !titled) { printf "## %s\n\n", title; titled = 1 }
        if (shown) printf "`%s`\n\n```\n", name
        place = last = ""
        next
    }
    !shown || /^$/ || /file format|^Disassembly/ { next }
    /^[ ]+[0-9a-f]+:\t/ {
        split($0, part, "\t")
        at = part[1]; gsub(/ /, "", at)
        instruction = part[2]; gsub(/[ ]+$/, "", instruction)
        note = place != last && place != "" ? place "  " text_of(place) : ""
        if (note == "") printf "%6s %s\n", at, instruction
        else printf "%6s %-44s ; %s\n", at, instruction, note
        last = place
        next
    }
    /:[0-9]+( \(discriminator.*)?$/ { place = place_of($0) }
    END { if (shown) print "```" }' >"$out.tmp"
mv "$out.tmp" "$out"
