# shellcheck shell=bash
# The points of Aegaeon's evaluation: traces by name, model sizes, what the re-run of the
# artifact's simulator gave. Read by scripts/reproduce-aegaeon.sh.

# synth-MODELS-RATE-INPUT-OUTPUT.csv; a sweep is what differs in one of the first two.
points() { # folder: "models rate input output file" of each trace, in rising order
    local file name
    for file in "$1"/synth-*-*-*-*.csv; do
        name=${file##*/synth-}
        name=${name%.csv}
        [[ $name =~ ^[0-9]+(-[0-9]+(\.[0-9]+)?){3}$ ]] || continue
        echo "${name//-/ } $file"
    done | sort -k4,4g -k3,3g -k2,2g -k1,1g
}

# The artifact deals sizes by order of first appearance, the n-th new name gets entry
# n mod 10 of these, and names stay bound for a whole sweep in one process, in rising
# order: Q = 7B, Y = 9B, L = 13B.
deal() { # traces of a sweep in rising order: the sizes of synth_model_00, 01, ...
    awk -F, 'BEGIN { split("Q Q Q Q Q Q Y Y L L", size, " ") }
        FNR == 1 { next }
        !($2 in of) { of[$2] = size[n++ % 10 + 1] }
        END { for (i = 0; i < 1000; i++) {
                  name = sprintf("synth_model_%02d", i)
                  if (!(name in of)) continue
                  while (length(text) < i) text = text "Q" # a number nobody asks for
                  text = text of[name]
              }
              print text }' "$@"
}

# Published of the two sweeps of the re-run, whose traces are not all at hand.
by_models=QQQYQQLQQYQLQQQQLYYLQQQQQYQYLLQQQQQQYYLLQQQQYQQYLQQLQQQQLYYLQQQQQQYYQLLQQQQQLLYY
by_rate=YQLYLLQYYLLQYQYQQQLQQQQQYQQQQQQLQLQQYQQQ

# models rate input output folder: the sizes of a point, and how they are known
sizes() {
    if [ "$2 $3 $4" = "0.1 1.0 1.0" ] && [ "$1" -le 80 ]; then
        echo "$by_models published"
    elif [ "$1 $3 $4" = "40 1.0 1.0" ] && [[ $2 =~ ^0\.[0-6]?[05]?$|^0\.7$ ]]; then
        echo "$by_rate published"
    elif [ "$1" = 40 ] && [ "$2" != 0.5 ]; then
        echo "$(deal $(points "$5" | awk -v i="$3" -v o="$4" '$1 == 40 && $3 == i && $4 == o { print $5 }')) dealt"
    else # a sweep over the number of models at one rate
        echo "$(deal $(points "$5" | awk -v r="$2" -v i="$3" -v o="$4" '$2 == r && $3 == i && $4 == o { print $5 }')) dealt"
    fi
}

models_file() { # sizes: a models file on stdout
    local sizes=$1 i name
    echo name,model
    for ((i = 0; i < ${#sizes}; i++)); do
        case ${sizes:i:1} in
        Q) name=qwen2.5-7b ;;
        Y) name=yi-1.5-9b ;;
        L) name=llama-2-13b ;;
        esac
        printf 'synth_model_%02d,%s\n' "$i" "$name"
    done
}

# Of the re-run: models, requests/s of each; Q %, T %, switches of ServerlessLLM, of
# ServerlessLLM+ and of Aegaeon; Aegaeon's TTFT p50 and p99 in s, and its Q % at half and at
# 0.3 of the SLO.
published() {
    cat <<'TABLE'
16 0.1  100.0 100.0  16  100.0 100.0  110  100.0 100.0  256  1.30 2.7  100 100
24 0.1   99.6 100.0  86  100.0 100.0  174  100.0 100.0  401  1.26 2.7  100 100
32 0.1   97.1  99.7 158  100.0 100.0  243  100.0 100.0  787  1.39 2.5  100 100
40 0.1   94.9  99.5 116  100.0 100.0  139  100.0 100.0  384  1.38 2.5  100 100
48 0.1   82.0  92.0 312   48.8  45.1 1601   99.9  99.9 1477  1.44 2.5   98  92
56 0.1   72.4  85.8 373   40.5  34.6 1656   99.2  99.5 1391  1.52 2.6   94  84
64 0.1   65.0  79.7 425   30.6  27.8 1762   98.2  98.8 1422  1.59 3.1   89  76
72 0.1   56.4  72.4 457   22.4  18.6 1886   92.0  94.5 1350  1.69 3.8   77  63
80 0.1   53.2  68.8 494   16.6  14.0 2001   89.2  91.3 1349  2.25 5.0   73  53
40 0.05  94.1  98.9  61  100.0 100.0   77  100.0 100.0  168  1.53 2.8  100 100
40 0.2   66.7  77.2 218   40.6  40.6  846   99.0  99.3  760  1.96 4.1   94  79
40 0.3   41.2  57.7 255   21.2  19.9  970   97.8  98.7  693  3.14 5.8   84  60
40 0.5   25.9  37.6 381   14.3  13.1 1106   96.0  97.2  696  3.43 6.4   75  52
40 0.7   21.0  28.7 398    8.2   7.4 1130   95.1  96.5  674  3.29 6.8   73  51
TABLE
}
