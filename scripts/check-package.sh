#!/usr/bin/env bash
# Packs blvit, installs the package into empty folders and classifies a picture there, as its users do:
# a) without ONNX Runtime's CUDA download: the native library runs;
# b) with the download failing: npm goes on without the optional library, and blvit says that WebAssembly runs.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# npm hands the settings of this project's .npmrc on to its scripts; a user has none of them.
unset npm_config_onnxruntime_node_install ONNXRUNTIME_NODE_INSTALL

fail() {
  printf 'check-package: %s\n' "$1" >&2
  exit 1
}

# The archive's name is npm's last line; whatever `prepare` prints stands above it.
archive=$scratch/$(npm pack --silent --pack-destination "$scratch" | tail -n 1)
printf 'the package is %s bytes\n' "$(stat --format %s "$archive")"

# install_and_classify FOLDER EXPECTED_ON_STDERR NPM_FLAG...
install_and_classify() {
  local folder=$scratch/$1 expected=$2 start=$SECONDS
  shift 2
  mkdir "$folder"
  cd "$folder"
  printf '{ "private": true }\n' > package.json
  npm install --no-audit --no-fund --loglevel error "$@" "$archive" < /dev/null || fail "npm install $* failed"
  mkdir home
  HOME=$PWD/home node node_modules/blvit/dist/cli/main.js classify --top 1 "$root/examples/hummingbird.jpg" \
    > out.txt 2> err.txt < /dev/null || fail "blvit classify failed: $(cat err.txt)"
  [ -z "$(ls -A home)" ] || fail "the home folder isn't empty: $(find home)"
  npx --no-install blvit --version > /dev/null < /dev/null || fail 'there is no command blvit'
  node --input-type=module -e "
    const { analyze, presets } = await import('blvit/web')
    if (analyze(presets['vit-tiny']).parameters !== 5717416) throw new Error('another ViT-Tiny')" ||
    fail 'blvit/web has failed'
  grep -q hummingbird out.txt || fail "no hummingbird in: $(cat out.txt)"
  grep -q "$expected" err.txt || fail "not \"$expected\": $(cat err.txt)"
  printf '%s: %s s; %s\n' "$(basename "$folder")" $((SECONDS - start)) "$(grep "$expected" err.txt)"
  cd "$root"
}

install_and_classify native 'native:' --onnxruntime-node-install=skip

# Only onnxruntime-node's install step listens to these; nothing answers on the discard port.
export GLOBAL_AGENT_HTTP_PROXY=http://127.0.0.1:9 GLOBAL_AGENT_HTTPS_PROXY=http://127.0.0.1:9
install_and_classify fallback 'so WebAssembly runs instead'
