#!/bin/bash
# Downloads public request traces from where their owners publish them.
#   scripts/fetch-traces.sh --list
#   scripts/fetch-traces.sh [--into FOLDER] NAME...
# FOLDER (default: fetched, which git ignores) gets traces/..., laid out so that
# HOTDESK_DATA=FOLDER make test  finds them. Beside the files SOURCE-NAME.txt records
# licence, citation, and of each file where it came from, its size and sha256.
#
# Size and sha256 are checked where traces/public.txt knows them; where it does not, that
# is said, and what came is recorded: a later run checks against that. A download that
# was cut goes on where it stopped. Files that are there and right are kept.
# --catalogue FILE reads another list than traces/public.txt.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
catalogue=$root/traces/public.txt
folder=$root/fetched
list=
names=()

usage() {
    echo "usage: scripts/fetch-traces.sh --list"
    echo "       scripts/fetch-traces.sh [--into FOLDER] NAME..."
}
wrong() { # message
    echo "fetch-traces: $1" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --list) list=1 ;;
    --into | --catalogue)
        [ $# -gt 1 ] || wrong "$1: no value"
        if [ "$1" = --into ]; then folder=$2; else catalogue=$2; fi
        shift
        ;;
    --help | -h) usage; exit 0 ;;
    -*) wrong "$1: no such option; expected --list or --into FOLDER" ;;
    *) names+=("$1") ;;
    esac
    shift
done
[ -r "$catalogue" ] || wrong "$catalogue: cannot be read"

# ---- the catalogue ----------------------------------------------------------------

known=$(sed -n 's/^\[\(.*\)\]$/\1/p' "$catalogue")
section() { # name: its lines
    awk -v name="[$1]" '/^\[/ { on = $0 == name; next } on && NF && !/^#/' "$catalogue"
}
value() { # name, key
    section "$1" | sed -n "s/^$2: //p"
}
files() { # name: "file bytes sha256 url" of each, - where nothing is known
    section "$1" | awk '
        $1 == "base:" { base = $2 }
        $1 == "file:" { print $2, $3 ? $3 : "-", $4 ? $4 : "-", $5 ? $5 : base $2 }'
}

if [ "$list" ]; then
    for name in $known; do
        count=$(files "$name" | wc -l)
        printf '%-15s %s\n%15s %s, %s; %s\n' "$name" "$(value "$name" what)" "" \
            "$([ "$count" = 0 ] && echo "by hand from $(value "$name" page)" ||
                files "$name" | awk '{ n++; known += $3 != "-"; if ($2 == "-") some = "at least "; bytes += $2 }
                    END { printf "%d file%s", n, n == 1 ? "" : "s"
                          if (bytes) printf ", %s%.1f MB", some, bytes / 1e6
                          printf ", sha256 known of %s", known == n ? "all" : known ? known : "none" }')" \
            "$(value "$name" licence)" "$(value "$name" cite)"
    done
    exit 0
fi
if [ ${#names[@]} = 0 ]; then
    usage >&2
    exit 2
fi
for name in "${names[@]}"; do
    grep -qxF -- "$name" <<<"$known" || wrong "$name: no such trace; --list names them"
done
command -v curl >/dev/null || {
    echo "fetch-traces: needs curl" >&2
    exit 1
}

# ---- the record -------------------------------------------------------------------

# What is there now of a trace; of a file whose record stands, that stays.
write_record() { # name
    local key file bytes sha256 url line
    {
        echo "$1: $(value "$1" what)"
        for key in licence cite page note; do
            line=$(value "$1" $key)
            [ -z "$line" ] || echo "$key: $line"
        done
        echo "# file, bytes, sha256, whether that was known beforehand, URL, day"
        files "$1" | while read -r file bytes sha256 url; do
            [ -f "$into/$file" ] || continue
            line=
            [ ! -f "$record" ] || line=$(grep -F -- "file: $file " "$record")
            [ "$line" ] || line="file: $file $(bytes_of "$into/$file") $(sha256_of "$into/$file") $([ "$sha256" = - ] && echo unchecked || echo checked) $url $(date -u +%F)"
            echo "$line"
        done
    } >"$record.new" && mv "$record.new" "$record"
}

# ---- one file ---------------------------------------------------------------------

failed=0
complain() { # file, why
    echo "FAILED   $1: $2" >&2
    failed=$((failed + 1))
}
sha256_of() {
    sha256sum <"$1" | cut -c1-64
}
bytes_of() {
    stat -c %s "$1"
}

# Downloads to FILE.part, going on from what is there, also where the connection was cut
# or the server busy on the way; from the start where going on cannot be.
download() { # url, part
    local code try status
    for try in 0 1 2 3; do
        sleep $try
        status=$(curl -fsSL --connect-timeout 20 --speed-limit 1 --speed-time 60 \
            -C - -w '%{http_code}' -o "$2" "$1" 2>"$2.log")
        code=$?
        case $code,$status in
        33,* | 36,* | 22,416) rm -f "$2" ;;
        18,* | 28,2* | 52,* | 55,* | 56,* | 92,* | 22,429 | 22,5*) ;;
        *) break ;;
        esac
    done
    [ $code = 0 ] || why=$(head -n 1 "$2.log")
    rm -f "$2.log"
    return $code
}

# What is wrong with a file, or nothing. The recorded sha256 stands in for one that is
# not known.
fault() { # path, bytes, sha256
    local got
    if head -c 40 "$1" | grep -qaF "version https://git-lfs."; then
        echo "is the pointer of Git LFS, not the file"
        return
    fi
    if [ "$2" != - ]; then
        got=$(bytes_of "$1")
        [ "$got" = "$2" ] || { echo "has $got bytes, expected $2"; return; }
    fi
    [ "$3" != - ] || return
    got=$(sha256_of "$1")
    [ "$got" = "$3" ] || echo "sha256 is $got, expected $3"
}

fetch() { # name, file, bytes, sha256, url
    local path=$into/$2 part=$into/$2.part problem sha256=$4 recorded= code why=
    if [ "$sha256" = - ] && [ -f "$record" ]; then
        recorded=$(awk -v file="$2" '$1 == "file:" && $2 == file { print $4 }' "$record")
        sha256=${recorded:--}
    fi
    if [ -f "$path" ]; then
        problem=$(fault "$path" "$3" "$sha256")
        if [ -z "$problem" ]; then
            echo "kept     $shown/$2$([ "$4" != - ] || echo " ($([ "$recorded" ] && echo "as it was first fetched" || echo "unchecked"); no sha256 is known)")"
            return
        fi
        complain "$shown/$2" "is there but $problem; remove it to fetch it again"
        return
    fi
    mkdir -p "${path%/*}" || exit 1
    if [ "$3" = - ] || [ ! -f "$part" ] || [ "$(bytes_of "$part")" != "$3" ]; then
        [ ! -s "$part" ] || echo "resuming $shown/$2 after $(bytes_of "$part") bytes"
        download "$5" "$part"
        code=$?
        case $code in
        0) ;;
        5 | 6 | 7 | 28 | 35)
            complain "$shown/$2" "$5 cannot be reached ($why)"
            echo "fetch-traces: no network, or none that leads there; nothing more is tried. What has come stays, and a later run goes on from it." >&2
            write_record "$1"
            exit 1
            ;;
        60 | 77)
            complain "$shown/$2" "the certificate of $5 cannot be checked; is ca-certificates installed? ($why)"
            return
            ;;
        *)
            complain "$shown/$2" "$5: ${why:-curl ended with $code}"
            return
            ;;
        esac
    fi
    problem=$(fault "$part" "$3" "$4")
    if [ "$problem" ]; then
        rm -f "$part"
        complain "$shown/$2" "$problem; removed"
        return
    fi
    mv "$part" "$path" || exit 1
    if [ "$4" = - ]; then
        echo "fetched  $shown/$2 ($(bytes_of "$path") bytes, UNCHECKED: no sha256 is known yet; recorded $(sha256_of "$path"))"
    else
        echo "fetched  $shown/$2"
    fi
}

for name in "${names[@]}"; do
    shown=traces/$(value "$name" into)
    into=$folder/$shown
    record=$into/SOURCE-$name.txt
    if [ -z "$(files "$name")" ]; then
        complain "$name" "no file list is known; see $(value "$name" page)"
        continue
    fi
    mkdir -p "$into" || exit 1
    while read -r file bytes sha256 url; do
        fetch "$name" "$file" "$bytes" "$sha256" "$url"
    done < <(files "$name")
    write_record "$name" || exit 1
    echo "recorded $shown/${record##*/}: licence $(value "$name" licence)"
done
[ $failed = 0 ] || { echo "fetch-traces: $failed failed" >&2; exit 1; }
