#!/usr/bin/env bash
# Installs the native load generator and the server that `npm run bench:wire` measures beside, from Debian's packages. Needs root. h2load speaks
# HTTP/1.1 too and sends so many requests to the one, which wrk does not, so wrk is not needed.
set -euo pipefail

missing=()
for program in nginx h2load; do command -v "$program" >/dev/null || missing+=("$program"); done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || {
  printf '*** %s not found, and no apt-get to install them: install nginx and nghttp2-client by hand.\n' "${missing[*]}" >&2
  exit 1
}
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends nginx-light nghttp2-client
