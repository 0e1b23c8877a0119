#!/bin/bash
# The CUDA suite, as far as a machine without a GPU can tell: nvcc compiles every file
# for sm_80, sm_90 and sm_100 without a warning, and the program that comes of it knows
# its quantities and its command line. Skipped where there is no nvcc.
set -u
cd "$(dirname "$0")/.." || exit 1
if ! command -v nvcc >/dev/null && [ ! -x /usr/local/cuda/bin/nvcc ]; then
    echo "skipped   cuda: no nvcc"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
unset CUDA_ARCHS
build=build/test-cuda
bench=$PWD/$build/sm-80-90-100/hotdesk-bench
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0 passed=0
check() { # name, command
    if "${@:2}" >"$out/said" 2>&1; then
        passed=$((passed + 1))
    else
        echo "FAILED    cuda $1"
        tail -n 20 "$out/said"
        failed=$((failed + 1))
    fi
}
ends_with() { # exit status, what it says, the program's words
    local said status
    said=$(cd "$out" && "$bench" "${@:3}" 2>&1)
    status=$?
    echo "exit status $status: $said"
    [ $status = "$1" ] && [[ $said == *"$2"* ]]
}
quantities="hbm copies overlap blocks launch graph sync allocate host_alloc context
priority time_slice corun gemm attention_prefill attention_decode small_ops collectives
clocks"
every_quantity() { diff <("$bench" --list | awk '{print $1}') <(tr ' ' '\n' <<<"$quantities"); }
left_nothing() { ! compgen -G "$out/hotdesk-bench*" >/dev/null; }
check "compiles for sm_80, sm_90, sm_100" make -s -j"$(nproc)" BUILD=$build CC=gcc \
    $build/sm-80-90-100/hotdesk-bench
if [ $failed = 0 ]; then
    check "lists 19 quantities" every_quantity
    check "--help" ends_with 0 "example: hotdesk-bench --quick" --help
    check "a misspelt option" ends_with 2 "the nearest is --budget" --bugdet 3
    check "a misspelt quantity" ends_with 2 "the nearest is copies" --only copie
    [ -e /dev/nvidia0 ] || check "no device" ends_with 1 "hotdesk-bench: no CUDA device: "
    [ -e /dev/nvidia0 ] || check "leaves nothing where there is no device" left_nothing
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
