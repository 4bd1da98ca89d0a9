# What all plots share. corobench calls: gnuplot -e "terminal=...; name=...; output=...; data=...;
# common=..." plots/<id>.layout plot-<kind>.gp; the layout sets width, height, title, ranges, labels.
if (terminal eq "svg") {
    set terminal svg size width,height font "Helvetica,12" noenhanced name name background "white"
} else {
    # 900 pixels are 6.75 inches; fonts, lines and marks shrink alike, so every label keeps its place.
    set terminal pdfcairo size width*0.0075,height*0.0075 font "Helvetica,12" fontscale 0.41 \
        linewidth 1 pointscale 0.7 dashlength 2 noenhanced background "white"
}
set output output
unset key
set border 3 lw 1 lc rgb "#555555"
set tics nomirror out scale 0.6,0.3 textcolor rgb "#333333"
set grid lc rgb "#dddddd" lw 0.6 dt solid
