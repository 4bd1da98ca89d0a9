# Prints C, C++ or assembly text line by line with comments taken out; literals stay.
# Each line is "FILE:NUMBER:text".

FNR == 1 { comment = 0 }

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
            code = code substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 1)
        } else if (substr(text, 1, 2) == "//") {
            break
        } else if (substr(text, 1, 2) == "/*") {
            comment = 1
            code = code " "
            text = substr(text, 3)
        } else {
            code = code substr(text, 1, 1)
            text = substr(text, 2)
        }
    }
    if (code !~ /^[ \t]*$/)
        print FILENAME ":" FNR ":" code
}
