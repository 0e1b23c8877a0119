# Fetching traces: from files, so that no network is needed. What is right is kept, what
# was cut goes on, what is wrong is said and removed, what nobody can check is said to be.
command -v curl >/dev/null || {
    echo "no curl"
    exit 77
}
export no_proxy='*'
mkdir origin
seq 1 2000 >origin/right.csv
seq 1 500 >origin/unknown.csv
echo changed >origin/changed.csv
echo short >origin/short.csv
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n' >origin/pointer.csv
sum() { sha256sum <"origin/$1" | cut -c1-64; }
cat >list.txt <<X
# a list
[good]
what: what is right, and what is not known
licence: CC0
cite: Nobody, 2026
page: https://example.org/good
into: good
base: file://$PWD/origin/
file: right.csv $(stat -c %s origin/right.csv) $(sum right.csv)
file: deep/unknown.csv - - file://$PWD/origin/unknown.csv

[bad]
what: what is wrong
licence: none
cite: see the page
page: https://example.org/bad
into: bad
base: file://$PWD/origin/
file: changed.csv - $(sum right.csv)
file: short.csv 7 $(sum short.csv)
file: pointer.csv
file: absent.csv
file: right.csv

[far]
what: behind a port where nobody listens
licence: none
cite: see the page
page: https://example.org/far
into: far
base: http://127.0.0.1:9/
file: one.csv
file: two.csv

[hand]
what: no file is known
licence: see the page
cite: see the page
page: https://example.org/hand
into: hand
X
fetch() {
    "$ROOT/scripts/fetch-traces.sh" --catalogue list.txt --into d "$@" 2>&1
    echo "exit $?"
}
"$ROOT/scripts/fetch-traces.sh" --catalogue list.txt --list
fetch good
cmp d/traces/good/right.csv origin/right.csv
cat d/traces/good/SOURCE-good.txt
echo "-- again: nothing is fetched"
fetch good
echo "-- cut, both with a known size and without"
rm d/traces/good/right.csv d/traces/good/deep/unknown.csv d/traces/good/SOURCE-good.txt
head -c 1000 origin/right.csv >d/traces/good/right.csv.part
head -c 300 origin/unknown.csv >d/traces/good/deep/unknown.csv.part
fetch good
cmp d/traces/good/right.csv origin/right.csv && cmp d/traces/good/deep/unknown.csv origin/unknown.csv && echo whole
echo "-- what is there goes on even if it is not the file: its sum says so"
rm d/traces/good/right.csv
head -c 1000 /dev/zero >d/traces/good/right.csv.part
fetch good
fetch good
echo "-- whole, but not yet renamed"
mv d/traces/good/right.csv d/traces/good/right.csv.part
fetch good
echo "-- changed since it was recorded"
echo more >>d/traces/good/deep/unknown.csv
fetch good
echo "-- wrong"
fetch bad
ls d/traces/bad
echo "-- no network"
fetch far good
ls d/traces/far
fetch hand
fetch goood
fetch
fetch --all
# The list that ships: every sum is one, and every file has a place.
sed -n 's/^file: //p' "$ROOT/traces/public.txt" | awk '
    $3 != "" && $3 != "-" && $3 !~ /^[0-9a-f]+$/ { print "no sum:", $0 }
    $3 ~ /^[0-9a-f]+$/ && length($3) != 64 { print "no sum:", $0 }
    { n++ } END { print (n > 100) ? "many files" : n }'
"$ROOT/scripts/fetch-traces.sh" --list | grep -A1 '^azure-2023'
(cd "$ROOT" && [ ! -d .git ] || git check-ignore -q fetched/traces/x && echo ignored)
