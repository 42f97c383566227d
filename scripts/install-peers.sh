#!/usr/bin/env bash
# Installs the third-party clients and servers that `npm run test:peers` proves Sluice against, each in a virtual environment of its own
# below .peers. What is there with the pinned versions is kept, so a second run takes no time.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
peers=$root/.peers
requirements=$root/test/peers/requirements

fail() {
  printf '\n*** The peers are not installed: %s\n*** See docs/peers.md.\n' "$*" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in ${PEERS_PYTHON:-} python3.11 python3; do
    if "$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
}

# Of everything that decides what is installed.
stamp_of() { { "$python" --version && cat "$requirements/$1.txt"; } | sha256sum | cut -d' ' -f1; }

install_one() {
  local venv=$peers/$1 log=$peers/$1.log
  rm -rf "$venv"
  "$python" -m venv "$venv" >"$log" 2>&1 || return 1
  "$venv/bin/python" -m pip install --no-deps --no-input --disable-pip-version-check --only-binary :all: --timeout 60 --retries 3 \
    -r "$requirements/$1.txt" >>"$log" 2>&1 || return 1
  stamp_of "$1" >"$venv/stamp"
}

[ "$(uname -sm)" = 'Linux x86_64' ] || fail "this is $(uname -sm); the pinned packages are built for Linux x86_64"
python=$(find_python) || fail 'found no Python 3.11 with venv; install it, or name one in PEERS_PYTHON'
mkdir -p "$peers"

# Two runs at once would delete each other's work.
exec 9>"$peers/lock"
flock -w 600 9 || fail "another run has held $peers/lock for ten minutes"

names=()
jobs=()
for name in clients mlserver triton; do
  if [ "$(cat "$peers/$name/stamp" 2>/dev/null)" = "$(stamp_of "$name")" ]; then continue; fi
  printf 'installing %s\n' "$(grep -v '^#' "$requirements/$name.txt" | sed '/^$/,$d' | tr '\n' ' ')"
  install_one "$name" &
  names+=("$name")
  jobs+=($!)
done

failed=()
for i in "${!jobs[@]}"; do
  wait "${jobs[$i]}" && continue
  failed+=("${names[$i]}")
  printf -- '--- %s\n' "$peers/${names[$i]}.log" >&2
  tail -n 20 "$peers/${names[$i]}.log" >&2
done
[ "${#failed[@]}" -eq 0 ] || fail "pip could not install ${failed[*]}"
