#!/bin/bash
# Downloads the public request traces that hotdesk's tests and examples know, from
# where their owners publish them, and checks each file's sha256.
#   scripts/download-traces.sh FOLDER
# writes FOLDER/traces/azure and FOLDER/traces/aegaeon, so that
# HOTDESK_DATA=FOLDER make test  finds them. Files that are there and right are kept.
#
# azure    Azure/AzurePublicDataset, CC-BY-4.0; Patel et al., Splitwise, ISCA'24
# aegaeon  the artifact of Aegaeon, SOSP'25 (doi 10.5281/zenodo.16673199), Apache-2.0,
#          from the copy Zyyeric/Aegaeon
set -u
if [ $# != 1 ]; then
    echo "usage: scripts/download-traces.sh FOLDER" >&2
    exit 2
fi
folder=$1/traces
github=https://raw.githubusercontent.com
azure=$github/Azure/AzurePublicDataset/790921015d50dd6aae7f7e47f39ba0e235ad6b08/data
aegaeon=$github/Zyyeric/Aegaeon/6409f04dc11a7c159da85d6aca38e51075bc7869/aegaeon/sim/simdata

files="
54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6 azure/AzureLLMInferenceTrace_code.csv
2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8 azure/AzureLLMInferenceTrace_conv.csv
eb0fbcfc1492a3d8c9cb207b2d425a07b6b18d3992ebd44912cecd974d501d4f aegaeon/synth-16-0.1-1.0-1.0.csv
2f7483c5daab922e2673fe7396a7bd50bdab7900125eba0fc7234587b542aacc aegaeon/synth-24-0.1-1.0-1.0.csv
90ae93db25083541dbf54ebefae8179a3ad821c4c8adbbc2350a005684551252 aegaeon/synth-32-0.1-1.0-1.0.csv
4597a5f276237eea6ec12c0ef25f3ff41022b8aa008e3d73596bc6e671623c42 aegaeon/synth-40-0.05-1.0-1.0.csv
5ba72f8ae8ab32a3dbbf2418e2d5614d150dffac99583af0ae75992857becbf8 aegaeon/synth-40-0.1-1.0-1.0.csv
cca064a0a00ba00d62ff12f11ba9008fb545feb4f07547fae26b1c8efea469fa aegaeon/synth-40-0.2-1.0-1.0.csv
f308d49783639cd61fa92924fb64a533e79617fe69e2261048fd9af99adbad67 aegaeon/synth-40-0.3-1.0-1.0.csv
b112b5995dedd2a27333fb0966c54942a5c4cd9f6417059998484437df32d5d8 aegaeon/synth-40-0.5-1.0-1.0.csv
88781a730f745208be96ed0c4356749626c6e97477a56380d2666901939fb746 aegaeon/synth-40-0.7-1.0-1.0.csv
991adf41777d147c75afcd3cab12506f89bad8f9c6ebf7e898c9954415a89723 aegaeon/synth-48-0.1-1.0-1.0.csv
8e993b602f784e7855a0eefdfde63952b799caa4c8c1c781a8d0d52e76b287a7 aegaeon/synth-56-0.1-1.0-1.0.csv
e233774de3040302eed098b7e91ffeb604a4ee983c30e08cd1e567bb9084ac28 aegaeon/synth-64-0.1-1.0-1.0.csv
35e6c087e76fef0a546d96fe9ebef10c9e0b50b01d22e473b8e17d98c4072e54 aegaeon/synth-72-0.1-1.0-1.0.csv
2780bbb927fc132ab0d5038ec12e218fa6392bc8ceb21e6f800bf2a824b5d3a9 aegaeon/synth-80-0.1-1.0-1.0.csv
"

if command -v curl >/dev/null; then
    fetch() { curl -fsSL --retry 3 -o "$2" "$1"; }
elif command -v wget >/dev/null; then
    fetch() { wget -q -t 3 -O "$2" "$1"; }
else
    echo "download-traces: needs curl or wget" >&2
    exit 1
fi

right() { # file, sha256
    [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status
}

failed=0
while read -r sha256 name; do
    [ -n "$name" ] || continue
    file=$folder/$name
    if right "$file" "$sha256"; then
        echo "kept     $name"
        continue
    fi
    case $name in
    azure/*) from=$azure/${name#azure/} ;;
    *) from=$aegaeon/${name#aegaeon/} ;;
    esac
    mkdir -p "${file%/*}" || exit 1
    if ! fetch "$from" "$file.part"; then
        echo "FAILED   $name: $from did not answer" >&2
    elif ! right "$file.part" "$sha256"; then
        echo "FAILED   $name: sha256 is $(sha256sum <"$file.part" | cut -c1-64), expected $sha256" >&2
    else
        mv -f "$file.part" "$file"
        echo "fetched  $name"
        continue
    fi
    rm -f "$file.part"
    failed=$((failed + 1))
done <<<"$files"

[ "$failed" = 0 ] || { echo "download-traces: $failed files failed" >&2; exit 1; }
