#!/usr/bin/env bash
# Packs blvit, installs the package into empty folders and classifies a picture there, as its users do:
# a) without ONNX Runtime's CUDA download: the native library runs, on Node 20, 22 and 24;
# b) with the download failing: npm goes on without the optional library, and blvit says that WebAssembly runs;
# c) for browsers alone: without everything native.
# It tells how large each installation is, and with what left out.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset npm_config_onnxruntime_node_install ONNXRUNTIME_NODE_INSTALL

fail() {
  printf 'check-package: %s\n' "$1" >&2
  exit 1
}

megabytes() {
  du -s --block-size=1000000 "$1" | cut -f1
}

# The archive's name is npm's last line; whatever `prepare` prints stands above it.
archive=$scratch/$(npm pack --silent --pack-destination "$scratch" | tail -n 1)
printf 'the package is %s bytes\n' "$(stat --format %s "$archive")"

# install FOLDER PACKAGE [NPM_FLAG...]: into a new folder
install() {
  mkdir "$scratch/$1"
  (
    cd "$scratch/$1"
    printf '{ "private": true }\n' > package.json
    npm install --no-audit --no-fund --loglevel error "${@:3}" "$2" < /dev/null
  ) > "$scratch/npm.txt" 2>&1 || fail "npm install $2 ${*:3} failed: $(cat "$scratch/npm.txt")"
}

# classify FOLDER EXPECTED_ON_STDERR [NODE]
classify() {
  local expected=$2 node=${3:-node}
  cd "$scratch/$1"
  rm -rf home && mkdir home
  HOME=$PWD/home "$node" node_modules/blvit/dist/cli/main.js classify --top 1 "$root/examples/hummingbird.jpg" \
    > out.txt 2> err.txt < /dev/null || fail "blvit classify failed: $(cat err.txt)"
  [ -z "$(ls -A home)" ] || fail "the home folder isn't empty: $(find home)"
  grep -q hummingbird out.txt || fail "no hummingbird in: $(cat out.txt)"
  grep -q "$expected" err.txt || fail "not \"$expected\": $(cat err.txt)"
  printf '%s, Node %s: %s\n' "$1" "$("$node" -p process.versions.node)" "$(grep "$expected" err.txt)"
  cd "$root"
}

# analyze FOLDER NODE ENTRY...
analyze() {
  cd "$scratch/$1"
  "$2" --input-type=module -e "
    for (const entry of process.argv.slice(1)) {
      const { analyze, presets } = await import(entry)
      if (analyze(presets['vit-tiny']).parameters !== 5717416) throw new Error('another ViT-Tiny')
    }" "${@:3}" || fail "${*:3} has failed"
  cd "$root"
}

ONNXRUNTIME_NODE_INSTALL=skip install native "$archive"
(cd "$scratch/native" && npx --no-install blvit --version > /dev/null < /dev/null) || fail 'there is no command blvit'
for major in 20 22 24; do
  # npm's package `node` carries the binaries
  install "node-$major" "node@$major"
  node=$scratch/node-$major/node_modules/node/bin/node
  classify native 'native:' "$node"
  analyze native "$node" blvit blvit/web
  rm -rf "$scratch/node-$major"
done
printf 'installed: %s MB; without onnxruntime-web: ' "$(megabytes "$scratch/native")"
rm -rf "$scratch/native/node_modules/onnxruntime-web"
printf '%s MB\n' "$(megabytes "$scratch/native")"
classify native 'native:'

install browser "$archive" --omit=optional
analyze browser node blvit/web
printf 'installed with --omit=optional, for browsers: %s MB\n' "$(megabytes "$scratch/browser")"

# Only onnxruntime-node's install step listens to these; nothing answers on the discard port.
export GLOBAL_AGENT_HTTP_PROXY=http://127.0.0.1:9 GLOBAL_AGENT_HTTPS_PROXY=http://127.0.0.1:9
install fallback "$archive"
classify fallback 'so WebAssembly runs instead'
