#!/usr/bin/env bash
# Installs what `npm run test:wire` holds the HTTP/2 engine against, below .peers: h2spec and the conformance suite of connectrpc, built by
# Go from their modules, and gRPC for Python, in a virtual environment. What is there with the pinned versions is kept.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wire=$root/.peers/wire
h2spec=github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
conformance=v1.0.5
grpcio=1.85.1

fail() {
  printf '\n*** The peers of the wire are not installed: %s\n' "$*" >&2
  exit 1
}

mkdir -p "$wire"
# Two runs at once would delete each other's work.
exec 9>"$wire/lock"
flock -w 600 9 || fail "another run has held $wire/lock for ten minutes"

# Sets `go` to the Go there is.
find_go() {
  go=$(command -v go || true)
  [ -n "$go" ] || go=/usr/local/go/bin/go
  [ -x "$go" ] || fail "found no Go to build $1 with; install Go 1.24 or later"
  printf 'installing %s\n' "$1"
}

if [ ! -x "$wire/h2spec" ]; then
  find_go h2spec
  GOBIN=$wire GOFLAGS=-mod=mod "$go" install "$h2spec" >"$wire/h2spec.log" 2>&1 || fail "h2spec does not build: see $wire/h2spec.log"
fi

if [ "$(cat "$wire/conformance.stamp" 2>/dev/null)" != "$conformance" ]; then
  find_go connectconformance
  module=connectrpc.com/conformance
  GOBIN=$wire GOFLAGS=-mod=mod "$go" install "$module/cmd/connectconformance@$conformance" >"$wire/conformance.log" 2>&1 ||
    fail "connectconformance does not build: see $wire/conformance.log"
  # Its messages, which the programs under test speak.
  rm -rf "$wire/conformance-proto"
  cp -R "$("$go" env GOMODCACHE)/$module@$conformance/proto" "$wire/conformance-proto"
  chmod -R u+w "$wire/conformance-proto"
  printf '%s' "$conformance" >"$wire/conformance.stamp"
fi

if [ "$(cat "$wire/python/stamp" 2>/dev/null)" != "$grpcio" ]; then
  python=$(command -v "${PEERS_PYTHON:-python3}") || fail 'found no Python; install Python 3 with venv, or name one in PEERS_PYTHON'
  printf 'installing grpcio %s\n' "$grpcio"
  rm -rf "$wire/python"
  { "$python" -m venv "$wire/python" && "$wire/python/bin/python" -m pip install --no-input --disable-pip-version-check \
    --only-binary :all: --timeout 60 --retries 3 "grpcio==$grpcio"; } >"$wire/python.log" 2>&1 || fail "see $wire/python.log"
  printf '%s' "$grpcio" >"$wire/python/stamp"
fi
