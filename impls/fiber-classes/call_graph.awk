# The call graph of one x86-64 object, read from its disassembly: for a compiler that writes none.
#
# usage: objdump -dr --no-show-raw-insn OBJECT | awk -f call_graph.awk
#
# Written in the form of gcc's -fcallgraph-info=su, for stack_bounds.awk: a node for each function with
# its frame, an edge for each call and each jump into another function. A frame is the return address
# and every push and every subtraction from the stack pointer in the function's text, each once: a
# compiler gives every place of a function one depth, so no path is deeper than all of them together.
# Whatever else changes the stack pointer makes a frame of unknown size.
#
# A jump through a register leaves the function only from where the frame has been given back, for
# there a return address must be on top. Where the frame is still held it goes through the table of a
# switch statement. The depth is followed along the text and along forward jumps, each call taken to
# return; where it is not known, the jump counts as a call of an unknown function. The stack switch (switch.h) is told by its
# load of the stack pointer: it goes to another stack, and nothing of it comes onto this one.

function hex(text,   i, n) {
    for (i = 1; i <= length(text); i++)
        n = 16 * n + index("0123456789abcdef", substr(text, i, 1)) - 1
    return n + 0
}

# An operand as 0x10, -0x10 or, of 64 bits, 0xfffffffffffffff0.
function number(text,   minus) {
    minus = sub(/^-/, "", text)
    sub(/^[+]?0x/, "", text)
    if (length(text) == 16)
        return hex(substr(text, 9)) - 4294967296
    return minus ? -hex(text) : hex(text)
}

# The stack pointer goes down by n bytes, or up.
function down(n) {
    if (n > 0)
        frame[f] += n
    if (depth > 0)
        depth += n
}

# What an instruction other than push, pop and jumps does to the stack pointer, its last operand.
function changes_stack_pointer(op, operands) {
    value = operands
    sub(/^\$/, "", value)
    sub(/[,(].*/, "", value)
    if (op ~ /^subq?$/ && operands ~ /^\$/)
        down(number(value))
    else if (op ~ /^addq?$/ && operands ~ /^\$/)
        down(-number(value))
    else if (op ~ /^leaq?$/ && operands ~ /^-?0x[0-9a-f]+\(%rsp\),/)
        down(-number(value))
    else if (op ~ /^andq?$/ && operands ~ /^\$0xf+[0-9a-f]+,/)
        down(-number(value))
    else if (operands == "%rbp,%rsp" || operands ~ /^-0x[0-9a-f]+\(%rbp\),%rsp$/)
        depth = 0 # up again, to where the frame began
    else if (op ~ /^movq?$/ && operands == "(%r9),%rsp")
        switched = NR
    else
        endless[f] = 1
}

# The last direct call or jump; a relocation on the next line says where it really goes.
function branch_ends() {
    if (!branch)
        return
    branch = 0
    edges++
    caller[edges] = f
    jumps[edges] = jump
    target[edges] = goal
    if (jump && goal_depth > 0 && goal ~ SUBSEP)
        at[goal] = goal_depth
}

function unknown_call() {
    caller[++edges] = f
    target[edges] = "__indirect_call"
}

/^Disassembly of section / {
    branch_ends()
    section = $4
    sub(/:$/, "", section)
    f = ""
}

/^[0-9a-f]+ <.*>:$/ {
    branch_ends()
    here = hex($1)
    if (f != "")
        last[f] = here - 1
    f = $2
    gsub(/[<>:]/, "", f)
    first[f] = here
    last[f] = 2147483647
    home[f] = section
    begins[section, here] = f
    frame[f] = depth = 8
}

/^ *[0-9a-f]+:\t/ {
    branch_ends()
    split($0, part, ":")
    here = hex(substr(part[1], match(part[1], /[0-9a-f]/)))
    if ((section, here) in at)
        depth = at[section, here]
    text = $0
    sub(/^[^\t]*\t/, "", text)
    while (sub(/^(notrack|bnd|data16|addr32|[c-g]s|lock|rep[a-z]*|rex[.A-Z]*) +/, "", text))
        ;
    split(text, part, / +/)
    op = part[1]
    operands = part[2]
    if (op ~ /^push/)
        down(8)
    else if (op ~ /^pop/ && operands != "%rsp")
        down(-8)
    else if (op ~ /^(ret|leave|ud2|hlt)/)
        depth = 0
    else if (op ~ /^call/ && operands !~ /^[0-9a-f]+$/)
        unknown_call()
    else if (op ~ /^(j|loop)/ && operands !~ /^[0-9a-f]+$/) {
        if (!(switched && NR - switched <= 3) && depth <= 8)
            unknown_call()
        depth = 0
    } else if (op ~ /^(call|j|loop)/) {
        branch = 1
        jump = op !~ /^call/
        goal = section SUBSEP hex(operands)
        goal_depth = depth
        if (op ~ /^jmp/)
            depth = 0
    } else if (operands ~ /(^|,)%[er]?spl?$/ || op ~ /^enter/ || text ~ /^xchg.*%[er]?sp/)
        changes_stack_pointer(op, operands)
    # The switch takes the address where it goes on.
    if (depth > 0 && match(text, /# [0-9a-f]+ </))
        at[section, hex(substr(text, RSTART + 2, RLENGTH - 4))] = depth
}

branch && /^\t\t\t[0-9a-f]+: R_/ {
    goal = $2 ~ /^R_X86_64_(PLT|PC)32$/ ? $3 : "__indirect_call"
    addend = -4
    if (match(goal, /[-+]0x[0-9a-f]+$/)) {
        addend = number(substr(goal, RSTART))
        goal = substr(goal, 1, RSTART - 1)
    }
    # From the end of the instruction, four bytes on.
    if (goal ~ /^\./)
        goal = goal SUBSEP addend + 4
    else if (addend != -4)
        goal = "__indirect_call"
}

END {
    branch_ends()
    for (f in frame)
        printf "node: { title: \"%s\" label: \"%d bytes (%s)\" }\n", f, frame[f],
            (f in endless) ? "dynamic" : "static"
    for (i = 1; i <= edges; i++) {
        f = caller[i]
        callee = target[i]
        if (callee ~ SUBSEP) {
            split(callee, part, SUBSEP)
            if (jumps[i] && part[1] == home[f] && part[2] >= first[f] && part[2] <= last[f])
                continue
            callee = callee in begins ? begins[callee] : "__indirect_call"
        }
        printf "edge: { sourcename: \"%s\" targetname: \"%s\" }\n", f, callee
    }
}
