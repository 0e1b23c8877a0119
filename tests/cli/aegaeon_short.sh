# The whole evaluation on two small traces of our own, without what is drawn.
mkdir -p data/traces/aegaeon page
trace() { # name, models
    { echo "Request Time,Model Name,Input Length,Output Length"
      for ((i = 0; i < 12; i++)); do
          printf '00:00:%02d.000,synth_model_%02d,%d,20\r\n' $i $((i * 5 % $2)) $((i == 3 ? 9000 : 100))
      done; } >"data/traces/aegaeon/$1"
}
trace synth-4-0.5-1.0-1.0.csv 4
trace synth-16-0.1-1.0-1.0.csv 3
export HOTDESK_DATA=$PWD/data HOTDESK=$(command -v hotdesk)
"$ROOT/scripts/reproduce-aegaeon.sh" --short page 2>err | sed "s/written: .*/written/"
grep -av "^Warning: empty x range" err | grep .
grep -c "^| [0-9]* x 0" page/aegaeon.md
grep '^| 4 x 0.5 \*' page/aegaeon.md | cut -d '|' -f 2-4 # one prompt is shrunk, else it fails
grep -E '^\| (all|qwen2.5-7b) ' page/aegaeon.md | cut -d '|' -f 2-3
ls page
# What it cannot do.
"$ROOT/scripts/reproduce-aegaeon.sh" --variant other page
echo $?
"$ROOT/scripts/reproduce-aegaeon.sh" /nowhere
echo $?
HOTDESK_DATA=$PWD/none "$ROOT/scripts/reproduce-aegaeon.sh" page 2>&1 | sed "s,$PWD/,,"
rm data/traces/aegaeon/*
"$ROOT/scripts/reproduce-aegaeon.sh" page 2>&1 | sed "s,$PWD/,,"
