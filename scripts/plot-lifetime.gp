# One line a backend over many orders of magnitude, and rings where the cheapest changes.
# data: a block a backend, of x value low high; then a block of rings, x y, maybe empty.
load common
if (crossings) {
    plot for [i=1:series] data index i-1 using 1:2 with lines lt i, \
         data index series using 1:2 with points pt 6 ps 1.8 lw 1.5 lc rgb "#000000"
} else {
    plot for [i=1:series] data index i-1 using 1:2 with lines lt i
}
set output
