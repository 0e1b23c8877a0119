# shellcheck shell=bash
# Charts of the page. Read by scripts/reproduce-aegaeon.sh.

attainment_picture() { # title, x label, file, and awk's condition and column of x over the rows
    awk -v OFS=' ' "$4"' { print $'"$5"', $6, $11, $16, $28, $31, $34 }' "$work/rows" | sort -g >"$work/chart.dat"
    [ -s "$work/chart.dat" ] || return 0
    gnuplot <<PLOT
set terminal pngcairo size 760,440 font "sans,11"
set output "$out/$3"
set title "$1"
set xlabel "$2"
set ylabel "metric Q, %"
set yrange [0:105]
set grid
set key bottom left
plot 90 with lines dashtype 2 linecolor "gray50" notitle, \\
     "$work/chart.dat" using 1:2 with linespoints linewidth 2 pointtype 7 linecolor "#d95f02" title "serverless", \\
     "" using 1:5 with linespoints dashtype 3 pointtype 6 linecolor "#d95f02" title "serverless, re-run", \\
     "" using 1:3 with linespoints linewidth 2 pointtype 5 linecolor "#7570b3" title "serverless-plus", \\
     "" using 1:6 with linespoints dashtype 3 pointtype 4 linecolor "#7570b3" title "serverless-plus, re-run", \\
     "" using 1:4 with linespoints linewidth 2 pointtype 9 linecolor "#1b9e77" title "aegaeon", \\
     "" using 1:7 with linespoints dashtype 3 pointtype 8 linecolor "#1b9e77" title "aegaeon, re-run"
PLOT
}

fleet_picture() { # rows of fleet()
    gnuplot <<PLOT
set terminal pngcairo size 900,440 font "sans,11"
set output "$out/aegaeon-fleet.png"
set multiplot layout 1,2 title "47 models: GPUs saved by pooling against skew"
set ylabel "saved against dedicated, %"
set yrange [-60:100]
set grid
set key bottom left
set xlabel "share of requests of the colder 94.1 % of models, %"
set logscale x
set xrange [1:100]
plot 82.1 with lines dashtype 2 linecolor "gray50" title "published", \\
     for [cv in "1 1.4 4"] "< awk '\$1 == \"share\" && \$3 == ".cv."' $1" using (100 * \$2):7 with linespoints linewidth 2 title "CV of gaps ".cv
unset logscale x
set xlabel "Zipf exponent (CV of gaps 1.4)"
set xrange [0:3.2]
set key bottom right
plot 82.1 with lines dashtype 2 linecolor "gray50" notitle, \\
     for [rate in "3 10 30"] "< awk '\$1 == \"zipf\" && \$3 == 1.4 && \$4 == ".rate."' $1" using 2:7 with linespoints linewidth 2 title rate." requests/s"
PLOT
}
