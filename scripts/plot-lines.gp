# One line a backend: a value over a parameter, with its interval (or range) as a bar.
# data: a block a backend, of x value low high.
load common
set errorbars 0
plot for [i=1:series] data index i-1 using 1:2 with lines lt i, \
     for [i=1:series] data index i-1 using 1:2:3:4 with yerrorbars lt i lw 1 dt solid ps 0.6
set output
