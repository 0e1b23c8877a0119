#!/bin/bash
# Command-line transcripts. A test is NAME.sh; beside it lie what it must print and
# how it must end:
#   NAME.out    standard output; absent: nothing
#   NAME.err    standard error; absent: nothing
#   NAME.exit   exit code; absent: 0
# One that ends with 77 is skipped: what it printed says why.
# In .out and .err a line is literal but for <int> <num> <pct> <s> <word> <any>, and
# a line "..." stands for any number of lines.
# Each runs in an empty folder with `traces` and `policies` beside it and `hotdesk`
# ($HOTDESK, default ./hotdesk) on its path. With words as arguments only the tests
# whose name contains one of them run. Prints a line per failing or skipped test and a
# count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
program=$(realpath "${HOTDESK:-$root/hotdesk}")
[ -x "$program" ] || {
    echo "no program $program; run make first"
    echo "0 passed, 1 failed"
    exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
ln -s "$program" "$scratch/bin/hotdesk"
export PATH=$scratch/bin:$PATH ROOT=$root LC_ALL=C
unset NO_COLOR COLUMNS

# Says where the text does not match; silent when it does.
match() { # expected, actual
    awk -v actual="$2" '
    function pattern(line) {
        gsub(/[][\\.^$*+?(){}|]/, "\\\\&", line)
        gsub(/<int>/, "[0-9][0-9,]*", line)
        gsub(/<num>/, "-?[0-9][0-9,.e+-]*", line)
        gsub(/<pct>/, "[0-9.]+ %", line)
        gsub(/<s>/, "[0-9.]+ (ns|us|ms|s|min|h|d)", line)
        gsub(/<word>/, "[^ ]+", line)
        gsub(/<any>/, ".*", line)
        return "^" line "$"
    }
    BEGIN {
        while ((getline line < actual) > 0) got[++n] = line
        at = 1
    }
    $0 == "..." { skip = 1; next }
    {
        want = pattern($0)
        from = at
        while (skip && at <= n && got[at] !~ want) at++
        if (at > n || got[at] !~ want) {
            printf "  expected: %s\n  got:      %s\n", $0, \
                from <= n ? got[from] : "(nothing more)"
            failed = 1
            exit 1
        }
        at++
        skip = 0
    }
    END {
        if (!failed && at <= n && !skip) {
            printf "  expected: (nothing more)\n  got:      %s\n", got[at]
            exit 1
        }
    }' "$1"
}

# The checked build is several times slower.
limit=120
[ -z "${CHECKED_BUILD:-}" ] || limit=400

passed=0
failed=0
skipped=0
for script in "$here"/*.sh; do
    name=$(basename "$script" .sh)
    [ "$name" = run ] && continue
    if [ $# -gt 0 ]; then
        chosen=
        for word in "$@"; do [[ $name == *"$word"* ]] && chosen=1; done
        [ "$chosen" ] || continue
    fi
    folder=$scratch/$name
    mkdir "$folder"
    ln -s "$root/traces" "$root/policies" "$folder"
    (cd "$folder" && timeout "$limit" bash "$script" >"$scratch/out" 2>"$scratch/err" </dev/null)
    code=$?
    if [ "$code" = 77 ]; then
        skipped=$((skipped + 1))
        printf 'skipped   cli %s: %s\n' "$name" "$(tail -n 1 "$scratch/out")"
        continue
    fi
    problem=
    want=$(cat "$here/$name.exit" 2>/dev/null || echo 0)
    [ "$code" = "$want" ] || problem="  exit code $code, expected $want"$'\n'
    for stream in out err; do
        expected=$here/$name.$stream
        [ -e "$expected" ] || expected=/dev/null
        difference=$(match "$expected" "$scratch/$stream") ||
            problem+="  standard $stream:"$'\n'"$difference"$'\n'
    done
    if [ -z "$problem" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED    cli %s\n%s' "$name" "$problem"
    fi
    chmod -R u+w "$folder" 2>/dev/null
    rm -rf "$folder"
done
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
