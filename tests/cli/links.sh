# Transfers that hold paths: in force, in the result, the same by --step; fleets whose
# links contradict each other, or over which weights have no way, are refused.
run() {
    hotdesk replay --scenario traces/demo.lua --fleet A10:14 --policy aegaeon \
        --from +10m --to +11m --warm-up 1m "$@"
}
for links in alone fair weighted strict; do
    run --links $links --json --quiet --requests $links.csv >$links.json
    run --links $links --json --quiet --requests step.csv --force --step >step.json
    grep -v '"command"' $links.json >a
    grep -v '"command"' step.json | cmp - a
    cmp $links.csv step.csv
    run --links $links | grep '^served'
done
cmp -s alone.csv fair.csv && echo "links fair: no effect"
for more in '--node pcie_switch=4,switch_uplink=20GB/s' '--node pcie_both=0.5' \
    '--node dram_rate=20GB/s' '--remote 5GB/s --node disk=0GB/s --host-cache cold'; do
    run --links fair $more --requests other.csv --force --quiet >/dev/null
    cmp -s fair.csv other.csv && echo "$more: no effect"
done
run --links some
run --node dram_rate=20GB/s
for wrong in '--node pcie_switch=3,switch_uplink=20GB/s' '--node pcie_switch=4' \
    '--node switch_uplink=20GB/s' '--node switch_uplink=0GB/s,pcie_switch=4' \
    '--node pcie_shared_by=4,pcie_switch=2,switch_uplink=20GB/s' \
    '--prefetch-share rest' '--node disk=0GB/s' '--remote 5GB/s' \
    '--node dram_rate=-1GB/s'; do
    run --links fair $wrong
    echo "exit $?" >&2
done
