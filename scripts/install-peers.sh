#!/usr/bin/env bash
# Installs, pinned and into node_modules/.cache/peers, the programs that the tests in test/peers/ run
# against: stripe-mock (needs Go), stripe-python (needs Python) and Stripe's command line. What is there
# already in these versions stays.
set -uo pipefail
cd "$(dirname "$0")/.."
stripe_mock=v0.203.0 stripe_cli=1.52.0 requirements="$PWD/test/peers/requirements.txt"
peers="$PWD/node_modules/.cache/peers"
versions="$stripe_mock $stripe_cli $(cat "$requirements")"
[ "$(cat "$peers/versions" 2>/dev/null)" = "$versions" ] || rm -rf "$peers"
mkdir -p "$peers"
status=0

if [ ! -x "$peers/bin/stripe-mock" ]; then
  GOBIN="$peers/bin" go install "github.com/stripe/stripe-mock@$stripe_mock" || status=1
fi

if [ ! -x "$peers/stripe-cli/node_modules/.bin/stripe" ]; then
  npm install --prefix "$peers/stripe-cli" --no-save --no-audit --no-fund --loglevel=error \
    "@stripe/cli@$stripe_cli" || status=1
fi

if ! "$peers/python/bin/python" -c "import stripe, pytest, httpx" 2>/dev/null; then
  python3 -m venv "$peers/python" &&
    "$peers/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
      --requirement "$requirements" || status=1
fi
printf '%s\n' "$versions" >"$peers/versions"
exit "$status"
