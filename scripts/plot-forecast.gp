# Predicted over measured: a mark a program, a colour a family. Solid: as predicted; dashed: off by
# the median that is wanted; dotted: by the 90th percentile.
# data: a block a program, of measured predicted low high colour.
load common
set errorbars 0
plot x with lines lw 1.2 lc rgb "#555555", \
     x*(1+median) with lines lw 0.8 dt 2 lc rgb "#888888", x*(1-median) with lines lw 0.8 dt 2 lc rgb "#888888", \
     x*(1+p90) with lines lw 0.8 dt 3 lc rgb "#888888", x*(1-p90) with lines lw 0.8 dt 3 lc rgb "#888888", \
     for [k=1:programs] data index k-1 using 1:2:3:4:5 with yerrorbars pt marks[k] ps 0.7 lw 1 lc rgb variable
set output
