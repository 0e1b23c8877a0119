# Traces of Aegaeon's artifact by their names, and the sizes that its models have.
. "$ROOT/scripts/aegaeon/points.sh"
mkdir data
trace() { # name, models in order of their requests
    { echo "Request Time,Model Name,Input Length,Output Length"
      for m in ${*:2}; do printf '00:00:01.000,synth_model_%02d,10,20\r\n' "$m"; done; } >"data/$1"
}
trace synth-4-0.5-1.0-1.0.csv 1 0 3 2 1
trace synth-12-0.5-1.0-1.0.csv 11 4 5 6 7 8 9 10
trace synth-40-0.7-1.0-2.0.csv 0
trace synth-80-0.1-1.0-1.0.csv 0
trace synth-notes.csv 0
points data
for of in "4 0.5 1.0 1.0" "12 0.5 1.0 1.0" "40 0.7 1.0 2.0" "16 0.1 1.0 1.0" "40 0.35 1.0 1.0"; do
    read -r size basis < <(sizes $of data)
    echo "$of: $basis ${size:0:12}"
done
models_file QYL
published | awk 'NF != 15 { exit 1 } END { print NR " points published" }'
