# From a stackless round trip to a fiber's with everything on, a bar a choice, on a logarithmic scale;
# bands: what others published. scripts/factors calls it with terminal, name, output, data, base and
# lists of the bands' lower and upper ends. data: label|ratio|low|high|ratio before.
width = 900
height = 460
common = "scripts/plot-common.gp"
load common
set datafile separator "|"
set logscale y
set yrange [0.8:300]
set ytics (1, 2, 5, 10, 20, 50, 100, 200)
set xrange [-0.7:6.7]
set xtics rotate by -20 left
set ylabel "round trip, times ".base
set title "What makes a fiber slow: one choice more from bar to bar" font ",14"
set boxwidth 0.7
set style fill solid 0.85 noborder
set style rect fc rgb "#f0c060" fs solid 0.3 noborder
do for [i=1:words(bands)] {
    low = word(bands, i) + 0
    high = word(tops, i) + 0
    set object i rect from graph 0, first low/1.05 to graph 1, first high*1.05 behind
}
set label "bands: published ratios" at graph 0.01, graph 0.96 tc rgb "#886600"
plot data using 0:(($2+$5)/2):($0-0.35):($0+0.35):5:2:xtic(1) with boxxyerrorbars lc rgb "#4477aa", \
     data using 0:2:3:4 with yerrorbars lc rgb "#222222" pt 7 ps 0.5, \
     data using 0:($2*1.25):(sprintf("%.1f", $2)) with labels tc rgb "#222222"
set output
