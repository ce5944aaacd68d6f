#!/usr/bin/env bash
# Makes test/support/onnx_pb.ts anew from the onnx.proto of Debian's python3-onnx
# (apt-get install protobuf-compiler python3-onnx). In proto3 form, as onnx itself offers it too: a field that
# is not set reads as its default, so nothing needs a check for undefined.
set -euo pipefail
cd "$(dirname "$0")/.."

protos=$(/usr/bin/python3 -c 'import onnx, os; print(os.path.dirname(onnx.__file__))')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sed -e 's/^syntax = "proto2"/syntax = "proto3"/' -e 's/^\( *\)optional /\1/' \
  "$protos/onnx.proto" > "$scratch/onnx.proto"
protoc --plugin=node_modules/.bin/protoc-gen-es \
  --es_out=test/support --es_opt=target=ts,import_extension=js \
  --proto_path="$scratch" onnx.proto
