#!/bin/bash
# The main job: how many GPUs does each policy need for the bundled market?
# Writes results/demo; prints the answer.
set -eu
cd "$(dirname "$0")/.."
./hotdesk compare --scenario traces/demo.lua \
    --out results/demo --force
echo
echo "wrote results/demo: compare.csv compare.json compare.png runs/*/run.json"
