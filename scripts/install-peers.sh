#!/usr/bin/env bash
# Installs, pinned and into node_modules/.cache/peers, the programs that `npm run test:peers` runs against:
# stripe-mock (needs Go), stripe-python and securesystemslib (need Python), Stripe's command line, sarif-multitool,
# and each Node that keyaudit runs on. What is there already in these versions stays. A browser is the system's: where there is none, Debian's
# chromium is installed if we are root.
set -uo pipefail
cd "$(dirname "$0")/.."
# Said once, where the program names it too.
stripe_mock=$(sed -n "s/^export const STRIPE_MOCK_VERSION = '\(.*\)';$/\1/p" src/targets/stripe-mock.ts)
stripe_cli=1.52.0 multitool=5.7.0 nodes='20.19.0 22.23.3 24.21.0' requirements="$PWD/test/peers/requirements.txt"
peers="$PWD/node_modules/.cache/peers"
versions="${stripe_mock:?} $stripe_cli $multitool $nodes $(cat "$requirements")"
[ "$(cat "$peers/versions" 2>/dev/null)" = "$versions" ] || rm -rf "$peers"
mkdir -p "$peers"
status=0
failed() { echo "install-peers: $1 could not be installed" >&2; status=1; }
from_npm() { npm install --prefix "$1" --no-save --no-audit --no-fund --loglevel=error "$2"; }

if [ ! -x "$peers/bin/stripe-mock" ]; then
  GOBIN="$peers/bin" go install "github.com/stripe/stripe-mock@$stripe_mock" || failed stripe-mock
fi

if [ ! -x "$peers/stripe-cli/node_modules/.bin/stripe" ]; then
  from_npm "$peers/stripe-cli" "@stripe/cli@$stripe_cli" || failed "Stripe's command line"
fi

# Microsoft's reader of SARIF; the package has its program without leave to run.
if [ ! -x "$peers/bin/sarif-multitool" ]; then
  from_npm "$peers/sarif" "@microsoft/sarif-multitool@$multitool" &&
    chmod +x "$peers"/sarif/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool &&
    mkdir -p "$peers/bin" &&
    ln -sf ../sarif/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool "$peers/bin/sarif-multitool" ||
    failed "Microsoft's reader of SARIF"
fi

# The packages that npm's `node` would fetch by a script of its own.
platform=$(node -p 'process.platform + "-" + process.arch')
for version in $nodes; do
  if [ ! -x "$peers/nodes/$version/node_modules/.bin/node" ]; then
    from_npm "$peers/nodes/$version" "node-$platform@$version" || failed "Node $version"
  fi
done

if ! "$peers/python/bin/python" -c "import stripe, pytest, httpx, securesystemslib, cryptography" 2>/dev/null; then
  python3 -m venv "$peers/python" &&
    "$peers/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
      --requirement "$requirements" || failed stripe-python
fi

install_chromium() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -qq -y --no-install-recommends chromium >/dev/null
}
for browser in chromium chromium-browser google-chrome chrome; do
  command -v "$browser" >/dev/null && found=$browser && break
done
[ -n "${found:-}" ] || install_chromium || failed 'a browser (chromium)'

[ "$status" = 0 ] && printf '%s\n' "$versions" >"$peers/versions"
exit "$status"
