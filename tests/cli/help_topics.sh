for t in metrics units window pass too-long exit schema scenario models policies; do
    hotdesk help $t >$t || echo "$t: exit $?"
    [ -s $t ] || echo "$t: empty"
    awk -v t=$t 'length > 90 { print t ": too wide: " $0 }' $t
    [ $t = schema ] || [ $(wc -l <$t) -le 60 ] || echo "$t: more than a screen"
done
for c in replay compare trace policy catalog calibrate; do
    hotdesk help $c >$c || echo "$c: exit $?"
    hotdesk $c --help | cmp - $c
done
hotdesk help metric
