for t in metrics units recipes traces engines figures switching timeline window nodes pass too-long exit schema scenario models policies calibration; do
    hotdesk help $t >text || echo "$t: exit $?"
    [ -s text ] || echo "$t: empty"
    [ $t = schema ] && continue
    awk -v t=$t 'length > 90 { print t ": too wide: " $0 }' text
    most=72
    [ $t = scenario ] && most=80 # ends with a line for each key
    [ $(wc -l <text) -le $most ] || echo "$t: more than a screen"
done
for c in replay compare trace policy catalog calibrate ladder; do
    hotdesk help $c >text || echo "$c: exit $?"
    hotdesk $c --help | cmp - text
done
hotdesk help metric
