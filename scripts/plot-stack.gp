# One row a backend: parts of a whole as boxes side by side, on one or two scales.
# data: x y xlow xhigh ylow yhigh colour.
load common
set border 0
unset grid
set ytics scale 0
set style fill solid 1.0 noborder
plot data using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable
set output
