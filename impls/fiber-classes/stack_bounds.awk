# What each coroutine body of one unit uses of its stack at most, as assembly: <entry>_stack_bound.
#
# usage: awk -f stack_bounds.awk -v unit=PREFIX [-v profile=FILE] libc_stack.txt unit.ci
#
# libc_stack.txt has the functions of other files that have a bound: "name bytes". unit.ci is what
# gcc -fcallgraph-info=su writes, or call_graph.awk: a node for each function with its frame, return
# address included, an edge for each call. The bound of a function is its frame and the largest bound
# of what it calls. Without a bound are recursion, calls through pointers, functions that nobody
# measured, and frames whose size is not known when compiled. A body without bound gets no word,
# unless the profile has it: lines "entry bytes", what painted stacks of an earlier run used. To that
# a quarter is added, at least 256 bytes.

BEGIN {
    while (profile != "" && (getline line < profile) > 0)
        if (split(line, part, " ") == 2 && part[2] ~ /^[0-9]+$/)
            used[part[1]] = part[2] + 0
}

FNR == 1 { file++ }

file == 1 && !/^#/ && NF == 2 { frame[$1] = $2 + 0 }

# The text between the quotes after a key.
function quoted(key,   at, text) {
    at = index($0, key ": \"")
    if (at == 0)
        return ""
    text = substr($0, at + length(key) + 3)
    return substr(text, 1, index(text, "\"") - 1)
}

file == 2 && /^node:/ {
    title = quoted("title")
    if (match($0, /[0-9]+ bytes \([a-z,]+\)/)) {
        text = substr($0, RSTART, RLENGTH)
        frame[title] = text + 0
        own[title] = 1
        if (text ~ /dynamic/ && text !~ /bounded/)
            endless[title] = 1
    }
}

file == 2 && /^edge:/ {
    from = quoted("sourcename")
    callees[from, ++calls[from]] = quoted("targetname")
}

# The bound of a function, or -1.
function bound(f,   i, callee, below, deepest) {
    if (f in known)
        return known[f]
    if (!(f in frame) || f in endless || f in busy)
        return -1
    busy[f] = 1
    deepest = 0
    for (i = 1; i <= calls[f]; i++) {
        callee = callees[f, i]
        below = bound(callee)
        if (below < 0 || deepest < 0)
            deepest = -1
        else if (below > deepest)
            deepest = below
        if (callee == "_setjmp" || callee in handles)
            handles[f] = 1
    }
    delete busy[f]
    return known[f] = deepest < 0 ? -1 : frame[f] + deepest
}

END {
    for (f in own) {
        name = f
        sub(/^.*:/, "", name)
        if (index(name, unit "_") != 1 || name ~ /\./)
            continue
        bytes = bound(f)
        if (bytes < 0 && !(name in used))
            continue
        if (bytes < 0)
            bytes = used[name] + (used[name] < 1024 ? 256 : int(used[name] / 4))
        # An error goes to its handler from on top of where the body was suspended.
        if (f in handles)
            bytes += 512
        symbol = name "_stack_bound"
        printf "\t.section .rodata\n\t.p2align 2\n\t.globl %s\n\t.type %s, @object\n", symbol, symbol
        printf "\t.size %s, 4\n%s:\n\t.long %d\n", symbol, symbol, bytes
        any = 1
    }
    if (any)
        print "\t.section .note.GNU-stack,\"\",@progbits"
}
