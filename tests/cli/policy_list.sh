# What there is, and what one declares.
hotdesk policy >a
hotdesk policy list >b
cmp a b
head -1 a
grep -c . a >count
awk '{ if ($1 < 4) print "too few" }' count
hotdesk policy dedicated
