# One row a backend: filled dots for the first column, hollow ones for the second, with intervals.
# data: a block a column, of value row low high colour.
load common
set border 1
set ytics scale 0
set errorbars 0
plot data index 0 using 1:2:3:4:5 with xerrorbars pt 7 ps 0.8 lw 1.5 lc rgb variable, \
     for [k=1:columns-1] data index k using 1:2:3:4:5 with xerrorbars pt 6 ps 0.8 lw 1.5 lc rgb variable
set output
