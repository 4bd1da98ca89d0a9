# Small multiples: values against rounds, drawn in one pair of axes that is divided into panels.
# data: points x y mark colour; then a block of lines, x y, one a panel with blank lines between.
load common
set border 0
unset grid
unset xtics
unset ytics
plot data index 1 using 1:2 with lines lw 0.8 lc rgb "#bbbbbb", \
     data index 0 using 1:2:3:4 with points pt variable ps 0.5 lc rgb variable
set output
