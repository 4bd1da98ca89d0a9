# Counts lines of code and lines of assembly in C, C++ and .S files; prints both numbers.
#
# A line of code has something on it besides spaces and comments. A line of assembly is a line of
# code in a .S file, or one of an asm statement: from the word asm to its closing parenthesis.

FNR == 1 { comment = 0; depth = 0; waiting = 0; assembly = (FILENAME ~ /\.S$/) }

{
    code = ""
    text = $0
    while (text != "") {
        if (comment) {
            end = index(text, "*/")
            if (!end)
                break
            text = substr(text, end + 2)
            comment = 0
        } else if (match(text, /^("([^"\\]|\\.)*"|'([^'\\]|\\.)*')/)) {
            code = code "\"\"" # what a literal holds is not looked at
            text = substr(text, RLENGTH + 1)
        } else if (substr(text, 1, 2) == "//") {
            break
        } else if (substr(text, 1, 2) == "/*") {
            comment = 1
            text = substr(text, 3)
        } else {
            code = code substr(text, 1, 1)
            text = substr(text, 2)
        }
    }
    if (code ~ /^[ \t\\]*$/)
        next
    lines++
    if (assembly) {
        asm++
        next
    }
    inside = depth > 0 || waiting
    rest = code
    while (rest != "") {
        if (depth == 0 && !waiting) {
            if (!match(rest, /(^|[^A-Za-z0-9_])(asm|__asm__|__asm)([^A-Za-z0-9_]|$)/))
                break
            rest = substr(rest, RSTART + RLENGTH - 1)
            if (rest !~ /^[^A-Za-z0-9_]/)
                rest = ""
            waiting = 1
            inside = 1
        }
        # After the word come qualifiers (volatile, goto), then the parenthesis.
        if (!match(rest, /[()]/))
            break
        depth += substr(rest, RSTART, 1) == "(" ? 1 : -1
        rest = substr(rest, RSTART + 1)
        waiting = 0
        if (depth < 0)
            depth = 0
    }
    if (inside)
        asm++
}

END { print lines + 0, asm + 0 }
