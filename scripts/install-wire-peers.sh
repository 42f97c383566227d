#!/usr/bin/env bash
# Installs what `npm run test:wire` holds the HTTP/2 engine against, below .peers: h2spec, built by Go from its module, and gRPC for
# Python, in a virtual environment. What is there with the pinned versions is kept.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wire=$root/.peers/wire
h2spec=github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
grpcio=1.85.1

fail() {
  printf '\n*** The peers of the wire are not installed: %s\n' "$*" >&2
  exit 1
}

mkdir -p "$wire"
# Two runs at once would delete each other's work.
exec 9>"$wire/lock"
flock -w 600 9 || fail "another run has held $wire/lock for ten minutes"

if [ ! -x "$wire/h2spec" ]; then
  go=$(command -v go || true)
  [ -n "$go" ] || go=/usr/local/go/bin/go
  [ -x "$go" ] || fail 'found no Go to build h2spec with; install Go 1.21 or later'
  printf 'installing h2spec\n'
  GOBIN=$wire GOFLAGS=-mod=mod "$go" install "$h2spec" >"$wire/h2spec.log" 2>&1 || fail "h2spec does not build: see $wire/h2spec.log"
fi

if [ "$(cat "$wire/python/stamp" 2>/dev/null)" != "$grpcio" ]; then
  python=$(command -v "${PEERS_PYTHON:-python3}") || fail 'found no Python; install Python 3 with venv, or name one in PEERS_PYTHON'
  printf 'installing grpcio %s\n' "$grpcio"
  rm -rf "$wire/python"
  { "$python" -m venv "$wire/python" && "$wire/python/bin/python" -m pip install --no-input --disable-pip-version-check \
    --only-binary :all: --timeout 60 --retries 3 "grpcio==$grpcio"; } >"$wire/python.log" 2>&1 || fail "see $wire/python.log"
  printf '%s' "$grpcio" >"$wire/python/stamp"
fi
