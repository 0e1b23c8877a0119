#!/bin/bash
# Every format of traces x every quirk of files, through the program: what is fine must
# read as the plain file does; what is wrong must be one line on standard error that
# names the file, and its line where there is one; nothing on standard output, exit 1,
# and no file made. With words as arguments only the formats of these names are tried.
# Wrong files meet `trace info`, every fourth one `replay`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
hotdesk=$(realpath "${HOTDESK:-$root/hotdesk}")
[ -x "$hotdesk" ] || {
    echo "no program $hotdesk; run make first"
    echo "0 passed, 1 failed"
    exit 1
}
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
export LC_ALL=C

passed=0
failed=0
verdict() { # name, problem
    if [ -z "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED    readers $1: $2"
        head -n 3 ../out ../err 2>/dev/null
    fi
}

# Columns by format: header, then a row made of (second, model, input, output). The
# seconds are 0 to 59; formats of one model have no column for it.
header() {
    case $1 in
    native) echo arrival_s,model,input_tokens,output_tokens ;;
    dated) echo arrival,model,input_tokens,output_tokens ;;
    azure) echo TIMESTAMP,ContextTokens,GeneratedTokens ;;
    azure-2025) echo TIMESTAMP,NumImages,ContextTokens,GeneratedTokens ;;
    aegaeon) echo Request Time,Model Name,Input Length,Output Length ;;
    burstgpt) echo Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type ;;
    burstgpt-3) echo Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type ;;
    vidur) echo arrived_at,num_prefill_tokens,num_decode_tokens ;;
    arena) echo req_time_s,adapter,prompt_len,output_len ;;
    splitwise) echo arrival_timestamp,application_id,prompt_size,token_size ;;
    fineserve) echo timestamp,architecture,scale,input_length,output_length ;;
    gentd26) echo gmt_create,checkpoint_model_version_id ;;
    functions2021) echo end_timestamp,app,func,duration ;;
    esac
}
row() { # format, second, model, input, output
    local second=$2
    [[ $2 =~ ^[0-9]{1,2}$ ]] && second=$(printf %02d "$2")
    case $1 in
    native | arena | splitwise) echo "$2,$3,$4,$5" ;;
    dated) echo "$(date_of "$second"),$3,$4,$5" ;;
    azure) echo "$(date_of "$second"),$4,$5" ;;
    azure-2025) echo "$(date_of "$second"),2,$4,$5" ;;
    aegaeon) echo "$(time_of "$second"),$3,$4,$5" ;;
    burstgpt) echo "$2,$3,$4,$5,0,Conversation log" ;;
    burstgpt-3) echo "$2,7,1.5,$3,$4,$5,0,Conversation log" ;;
    vidur) echo "$2,$4,$5" ;;
    fineserve) echo "$(micro "$2"),$3,7B,$4,$5" ;;
    gentd26) echo "$(date_of "$second"),$3" ;;
    functions2021) echo "$2,$3,f,0.0" ;;
    esac
}
micro() {
    [[ $1 =~ ^[0-9]{1,2}$ ]] && echo "${1}000000" || echo "$1"
}
lengths() { # what a format without tokens is read with
    case $1 in gentd26 | functions2021) echo --lengths 400,10 ;; esac
}
date_of() { # what is no number stays as it is
    [[ $1 =~ ^[0-9]{1,2}$ ]] && echo "2023-11-16 18:17:$1.1234567" || echo "$1"
}
time_of() {
    [[ $1 =~ ^[0-9]{1,2}$ ]] && echo "00:00:$1.125" || echo "$1"
}
plain() { # format: header and four rows, two at one instant, two models where there are
    header "$1"
    row "$1" 0 a 100 10
    row "$1" 3 b 200 20
    row "$1" 3 a 300 30
    row "$1" 9 a 400 40
}
columns() { # format: names of its columns of time, input and output, as in messages
    case $1 in
    azure | vidur) header "$1" | cut -d, -f 1-3 ;;
    fineserve) header "$1" | cut -d, -f 1,4,5 ;;
    gentd26 | functions2021) header "$1" | cut -d, -f 1 ;;
    *) header "$1" | cut -d, -f 1,3,4 ;;
    esac | tr , '|'
}

# ---- what is fine -----------------------------------------------------------------

same() { # format, quirk: t.csv reads as plain.csv does
    local problem=
    "$hotdesk" trace info t.csv $options --json >../out 2>../err || problem="exit $?"
    [ -s ../err ] && problem+=" something on standard error"
    jq -c 'del(.name, .sha256, .unused_columns, .parts)' ../out >got 2>/dev/null
    cmp -s got wanted || problem+=" other figures than the plain file"
    verdict "$1, $2" "$problem"
}
fine() { # format
    local f=$1
    plain "$f" >plain.csv
    "$hotdesk" trace info plain.csv $options --json | jq -c 'del(.name, .sha256, .unused_columns, .parts)' >wanted
    [ "$(jq -r '.format, .requests, .input.max_tokens' wanted | xargs)" = "${f%-*} 4 400" ]
    verdict "$f, plain" "$([ $? = 0 ] || cat wanted)"
    file_quirks "$f"
    sed 's/$/\r/' plain.csv | head -c -2 >t.csv
    same "$f" "CRLF, no final newline"
    tr '\n' '\r' <plain.csv >t.csv
    same "$f" "CR"
    sed '2i\\' plain.csv >t.csv
    same "$f" "blank line"
    sed '1s/,/ , /g' plain.csv >t.csv
    same "$f" "blanks in the header"
    sed '1s/.*/\U&/' plain.csv >t.csv
    same "$f" "header in capitals"
    sed 's/[^,]*/"&"/g' plain.csv >t.csv
    same "$f" "quoted fields"
    awk -F, -v OFS=, '{ for (i = 1; i <= NF / 2; i++) { x = $i; $i = $(NF + 1 - i); $(NF + 1 - i) = x } print }' plain.csv >t.csv
    same "$f" "columns the other way round"
    awk '{ print $0 "," (NR == 1 ? "note" : "seen") }' plain.csv >t.csv
    same "$f" "one more column"
    { header "$f"; row "$f" 0 a 100.0 10.; row "$f" 3 b +200 20; row "$f" 3 a 300 30.000; row "$f" 9 a 0400 40; } >t.csv
    same "$f" "whole numbers written otherwise"
    sed '1!d' plain.csv >t.csv
    tail -n 3 plain.csv | tac >>t.csv
    sed -n 2p plain.csv >>t.csv
    "$hotdesk" trace info t.csv $options --sort --json >../out 2>../err
    verdict "$f, sorted on request" "$(jq -e '.requests == 4 and .rows_out_of_order > 0' ../out >/dev/null || echo no)"
    sed '4s/$/,1,1,1,1,1/' plain.csv >t.csv
    passed_over "$f"
    case $f in
    azure* | vidur) rows=$(four "${f%-*}" "${f%-*}") ;;
    fineserve) rows=$(four a/7B b/7B) ;;
    functions2021) rows=$(four a/f b/f | sed 's/,[0-9]*,[0-9]*$/,400,10/') ;;
    gentd26) rows=$(four a b | sed 's/,[0-9]*,[0-9]*$/,400,10/') ;;
    burstgpt-3) rows=$(four a b | sed 's/$/,7/') ;;
    *) rows=$(four a b) ;;
    esac
    round_trip "$f" "$rows"
}
four() { # what the models are called
    printf '0,%s,100,10\n3,%s,200,20\n3,%s,300,30\n9,%s,400,40\n' "$1" "$2" "$1" "$1"
}

# ---- what is wrong ----------------------------------------------------------------

commands=("trace info t.csv" "trace info t.csv" "trace info t.csv"
    "replay --trace t.csv --models *=llama-2-7b --fleet H100:2 --policy serverless --out r --requests q.csv")
turn=0

wrong() { # format, quirk, expected in the message (extended expression)
    local problem= code said count files
    # The command is meant to be split into words; its * is not a pattern.
    (set -f; exec "$hotdesk" ${commands[turn % 4]} $options) >../out 2>../err
    code=$?
    turn=$((turn + 1))
    mapfile -t said <../err
    count=${#said[@]}
    files=$(echo *)
    [ $code = 1 ] || problem+=" exit $code;"
    [ -s ../out ] && problem+=" something on standard output;"
    [ "$count" = 1 ] || problem+=" not one line on standard error;"
    [[ ${said[0]} =~ ^hotdesk:\ t\.csv$3 ]] || problem+=" expected t.csv$3;"
    [ "$files" = "$listing" ] || problem+=" files: $files;"
    verdict "$1, $2" "$problem"
}
wrong_row() { # format, quirk, expected, second, model, input, output: as the third row
    { header "$1"; row "$1" 0 a 1 1; row "$1" 1 a 1 1; row "$1" "${@:4}"; row "$1" 8 a 1 1; } >t.csv
    wrong "$1" "$2" ":4: $3"
}
bad() { # format
    local f=$1 time input output name
    IFS='|' read -r time input output < <(columns "$f")
    rm -f ./*
    >t.csv
    listing=t.csv
    wrong "$f" "empty file" ": is empty"
    header "$f" >t.csv
    wrong "$f" "header only" ": has a header but no request"
    header "$f" | head -c -1 >t.csv
    wrong "$f" "header only, no newline" ": has a header but no request"
    for name in "$time" ${input:+"$input"} ${output:+"$output"}; do
        plain "$f" | sed "1s/$name/absent/" >t.csv
        wrong "$f" "no column $name" ":1: (no column '$name'|no column)"
    done
    plain "$f" | sed "1s/\$/,$time/; 2,\$s/\$/,1/" >t.csv
    wrong "$f" "two columns $time" ":1: two columns are named '$time'"
    plain "$f" | sed 1d >t.csv
    wrong "$f" "no header" ":1: no "
    plain "$f" | sed '3s/,[^,]*$//' >t.csv
    wrong "$f" "a field too few" ":3: .* fields?; the header has"
    plain "$f" | sed '3s/$/,9/' >t.csv
    wrong "$f" "a field too many" ":3: .* fields; the header has"
    plain "$f" | sed '3s/^/"/' >t.csv
    wrong "$f" "quote never closed" ":3: "
    { plain "$f"; head -c 300 "$hotdesk"; } >t.csv
    wrong "$f" "binary junk at the end" ":[0-9]+: "
    { header "$f"; head -c 100000 "$hotdesk"; } >t.csv
    wrong "$f" "binary junk under a header" ":[0-9]+: "
    { plain "$f"; head -c 2000000 /dev/zero | tr '\0' x; } >t.csv
    wrong "$f" "a field of 2 MB" ":6: a field of more than 1 MiB"
    { plain "$f"; head -c 70000 /dev/zero | tr '\0' ,; echo; } >t.csv
    wrong "$f" "a row of 70,001 fields" ":6: .* more than 65536 fields"
    wrong_row "$f" "time runs backwards" "time runs backwards" 0 a 1 1
    local value why
    [ -z "$input" ] || while IFS='|' read -r value why; do
        wrong_row "$f" "input '$value'" "column '$input'$why" 2 a "$value" 1
        wrong_row "$f" "output '$value'" "column '$output'$why" 2 a 1 "$value"
    done <<'TOKENS'
|( is empty)
-3|: '-3' is negative
99999999999999999999|: .* is more than 1000000000 tokens
1000000001|: .* is more than 1000000000 tokens
12.5|: .* is not a whole number of tokens
1e3|: .* is not a whole number of tokens
NaN|: .* is not a whole number of tokens
inf|: .* is not a whole number of tokens
0x10|: .* is not a whole number of tokens
ten|: .* is not a whole number of tokens
TOKENS
    for value in "" NaN inf -1 1e400 soon 99999999999999999999999999 25:61:61; do
        case $f$value in fineserve | fineserveNaN) continue ;; esac # left out and counted
        wrong_row "$f" "time '$value'" "column '$time'" "$value" a 1 1
    done
    case $f in azure | vidur) ;; *)
        [ "$f" = gentd26 ] || wrong_row "$f" "model without a name" "column '.*' is empty" 2 "" 1 1
        wrong_row "$f" "model with a bell" "column '.*' is not printable" 2 $'a\a' 1 1
        wrong_row "$f" "model in Latin-1" "column '.*' is not printable" 2 $'caf\xe9' 1 1
        ;;
    esac
    rm t.csv
    listing='*'
    wrong "$f" "no file" ": No such file or directory"
    mkdir t.csv
    listing=t.csv
    wrong "$f" "a directory" ": is a directory"
    rmdir t.csv
    mkfifo t.csv
    wrong "$f" "a pipe" ": is not a plain file"
    rm t.csv
    if [ "$(id -u)" != 0 ]; then # root reads everything
        plain "$f" >t.csv
        chmod 000 t.csv
        wrong "$f" "a file that may not be read" ": Permission denied"
        rm -f t.csv
    fi
}

# ---- JSON lines -------------------------------------------------------------------

object() { # format, second, input, output
    case $1 in
    mooncake) echo "{\"timestamp\": $(($2 * 1000)), \"input_length\": $3, \"output_length\": $4, \"hash_ids\": [1]}" ;;
    qwen-bailian) echo "{\"chat_id\": $2, \"parent_chat_id\": -1, \"timestamp\": $2, \"input_length\": $3, \"output_length\": $4, \"type\": \"text\", \"hash_ids\": []}" ;;
    esac
}
# To binary, to native CSV and twice round again: the rows stay as they are, and are
# these, seconds counted from the first: "second,model,input,output[,...]".
round_trip() { # format, rows
    local problem= from=plain.csv to
    for to in a.hdt a.csv b.hdt b.csv; do
        "$hotdesk" trace convert $from $([ $from = plain.csv ] && echo $options) --out $to --force >../out 2>../err || problem+=" exit $?;"
        from=$to
    done
    "$hotdesk" trace convert plain.csv $options --out - 2>/dev/null | grep -v '^#' >direct
    for to in a.csv b.csv; do
        grep -v '^#' $to | cmp -s - direct || problem+=" $to differs;"
    done
    sed 1d direct | awk -F, -v OFS=, '{ n = split($1, part, ":"); s = part[n]; if (NR == 1) first = s
        $1 = sprintf("%g", s - first); print }' >got
    echo "$2" | cmp -s - got || problem+=" its rows are not those it had;"
    [ -z "$problem" ] || cp got ../out
    verdict "$1, to binary and back" "$problem"
}
drawn_rows() { # nobody knows them beforehand
    "$hotdesk" trace convert plain.csv $options --out - 2>/dev/null | grep -v '^#' | sed 1d |
        awk -F, -v OFS=, 'NR == 1 { first = $1 } { $1 = sprintf("%g", $1 - first); print }'
}
file_quirks() { # format
    local f=$1
    sed 's/$/\r/' plain.csv >t.csv
    same "$f" "CRLF"
    head -c -1 plain.csv >t.csv
    same "$f" "no final newline"
    { printf '\xEF\xBB\xBF'; cat plain.csv; } >t.csv
    same "$f" "byte order mark"
    gzip -c plain.csv >t.csv
    same "$f" "gzip"
    zstd -qc plain.csv >t.csv
    same "$f" "zstd"
}
passed_over() { # format, its malformed line is made of the third row
    "$hotdesk" trace info t.csv $options --skip-bad 1 --json >../out 2>../err
    verdict "$1, a malformed row passed over" \
        "$(jq -e '.rows_bad == 1 and .requests == 3' ../out >/dev/null || echo no)"
    "$hotdesk" trace info t.csv $options --skip-bad 1 >../out 2>../err
    verdict "$1, a malformed row listed" "$(grep -q 't.csv:4: ' ../out || echo no)"
}
json_fine() { # format
    local f=$1
    { object "$f" 0 100 10; object "$f" 3 200 20; object "$f" 3 300 30; object "$f" 9 400 40; } >plain.csv
    "$hotdesk" trace info plain.csv --json | jq -c 'del(.name, .sha256, .unused_columns, .parts)' >wanted
    [ "$(jq -r '.format, .requests, .input.max_tokens' wanted | xargs)" = "$f 4 400" ]
    verdict "$f, plain" "$([ $? = 0 ] || cat wanted)"
    file_quirks "$f"
    sed '1i\\' plain.csv | sed '3a\\' >t.csv
    same "$f" "blank lines"
    jq -c 'to_entries | reverse | from_entries' plain.csv >t.csv
    same "$f" "keys the other way round"
    jq -c '. + {more: {deep: [1, "two", null]}}' plain.csv >t.csv
    same "$f" "one more key"
    sed 's/\(length": [0-9]*\)/\1.0/g' plain.csv >t.csv
    same "$f" "whole numbers written otherwise"
    sed '3s/^/!/' plain.csv | sed '1i\\' >t.csv
    passed_over "$f"
    case $f in
    mooncake) round_trip "$f" "$(four "$f" "$f" | sed 's/$/,1/')" ;;
    *) round_trip "$f" "$(four "$f" "$f" | sed 's/^\([0-9]*\),.*/&,\1,text/')" ;;
    esac
}
json_bad() { # format
    local f=$1 quirk from to why
    rm -f ./*
    >t.csv
    listing=t.csv
    while IFS='|' read -r quirk from to why; do
        { object "$f" 0 1 1; object "$f" 1 1 1; object "$f" 2 1 1 | sed "s/$from/$to/"; object "$f" 8 1 1; } >t.csv
        wrong "$f" "$quirk" ":3: $why"
    done <<'QUIRKS'
cut short|}$||
no JSON|^.*$|soon|
an array|^.*$|[1, 2]|
a key twice|input_length": 1|input_length": 1, "input_length": 2|
no input|input_length|length|.*input_length
no output|output_length|length|.*output_length
no time|timestamp|time|.*timestamp
a text for a number|input_length": 1|input_length": "1"|.*input_length
half a token|input_length": 1|input_length": 1.5|.*input_length
negative|output_length": 1|output_length": -1|.*output_length
too many|output_length": 1|output_length": 1000000001|.*output_length
null|timestamp": [0-9]*|timestamp": null|.*timestamp
blocks beyond the prompt|hash_ids": \[[0-9]*\]|hash_ids": [1, 2, 3]|.*(hash_ids|blocks)
two values|$| {}|
QUIRKS
    { object "$f" 0 1 1; object "$f" 5 1 1; object "$f" 4 1 1; } >t.csv
    wrong "$f" "time runs backwards" ":3: time runs backwards"
}

# ---- what only says how many ------------------------------------------------------

counts() {
    echo HashOwner,HashApp,HashFunction,Trigger,1,2,3
    echo o,a,f,http,1,0,1
    echo o,a,g,timer,0,0,1
    echo p,b,f,queue,0,1,0
}
counts_fine() {
    local f=functions2019
    counts >plain.csv
    "$hotdesk" trace info plain.csv $options --json | jq -c 'del(.name, .sha256, .unused_columns, .parts)' >wanted
    [ "$(jq -r '.format, .requests, .models' wanted | xargs)" = "$f 4 3" ]
    verdict "$f, plain" "$([ $? = 0 ] || cat wanted)"
    file_quirks "$f"
    sed '2i\\' plain.csv >t.csv
    same "$f" "blank line"
    sed '4s/1,0$/1,x/' plain.csv >t.csv
    passed_over "$f"
    round_trip "$f" "$(drawn_rows)"
    [ "$(cut -d, -f 2 got | sort | xargs)" = "a/f a/f a/g b/f" ]
    verdict "$f, whose calls" "$([ $? = 0 ] || cat got)"
    rm -f ./*
    >t.csv
    listing=t.csv
    counts | sed '3s/,1$/,1.5/' >t.csv
    wrong "$f" "half a call" ":3: column '3': '1.5' is not"
    counts | sed '3s/,1$//' >t.csv
    wrong "$f" "a minute too few" ":3: 6 fields; the header has 7"
    counts | sed '1s/,2,/,3,/' >t.csv
    wrong "$f" "a minute left out" ":1: column 6 is '3'; expected '2'"
    counts | sed '4s/,f,/,,/' >t.csv
    wrong "$f" "a function without a name" ":4: column 'HashFunction' is empty"
}
windows_fine() { # a folder: its files have the quirks
    local f=servegen
    mkdir t.csv plain.csv
    printf '0,2,1.5,Gamma,1,1\n600,0,0,,0,0\n' >plain.csv/chunk-0-trace.csv
    printf '{"0": {"input_tokens": "{400: 1.0}", "output_tokens": "{10: 1}"}}\n' >plain.csv/chunk-0-dataset.json
    "$hotdesk" trace info plain.csv --json | jq -c 'del(.name, .sha256, .unused_columns, .parts)' >wanted
    [ "$(jq -r '.format, .models, .input.max_tokens' wanted | xargs)" = "$f 1 400" ]
    verdict "$f, plain" "$([ $? = 0 ] || cat wanted)"
    cp plain.csv/* t.csv
    sed -i 's/$/\r/' t.csv/*
    same "$f" "CRLF"
    for quirk in chunk-0-trace.csv chunk-0-dataset.json; do
        cp plain.csv/* t.csv
        head -c -1 plain.csv/$quirk >t.csv/$quirk
        same "$f" "no final newline in $quirk"
    done
    rm -r t.csv
    round_trip "$f" "$(drawn_rows)"
    rm -r ./*
    mkdir t.csv
    listing=t.csv
    echo '0,2,1.5' >t.csv/chunk-0-trace.csv
    wrong "$f" "columns too few" "/chunk-0-trace.csv:1: 3 columns; expected 6"
    rm t.csv/chunk-0-trace.csv
    wrong "$f" "no windows" ": is a directory with no chunk-N-trace.csv"
}

for format in functions2019 servegen; do
    [ $# = 0 ] || [[ " $* " == *" $format "* ]] || continue
    mkdir "$work/$format"
    cd "$work/$format" || exit 1
    options=
    if [ $format = servegen ]; then windows_fine; else
        options="--lengths 400,10"
        counts_fine
    fi
done
for format in mooncake qwen-bailian; do
    [ $# = 0 ] || [[ " $* " == *" $format "* ]] || continue
    mkdir "$work/$format"
    cd "$work/$format" || exit 1
    options=
    json_fine "$format"
    json_bad "$format"
done
for format in native dated azure aegaeon burstgpt vidur arena splitwise fineserve gentd26 functions2021 azure-2025 burstgpt-3; do
    [ $# = 0 ] || [[ " $* " == *" $format "* ]] || continue
    mkdir "$work/$format"
    cd "$work/$format" || exit 1
    options=$(lengths "$format")
    fine "$format"
    [[ $format == *-* ]] || bad "$format" # a version is refused as its format is
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
