#!/usr/bin/env bash
# Installs, pinned and into node_modules/.cache/peers, the programs that `npm run test:peers` runs against:
# stripe-mock and stripe-go (need Go), stripe-python and securesystemslib (need Python), stripe-java (needs Maven),
# stripe-node, Stripe's command line and MCP server, sarif-multitool, and each Node that keyaudit runs on. What is there already in these versions stays. A browser is the system's: where there is none, Debian's
# chromium is installed if we are root.
set -uo pipefail
cd "$(dirname "$0")/.."
# Said once, where the program names it too.
stripe_mock=$(sed -n "s/^export const STRIPE_MOCK_VERSION = '\(.*\)';$/\1/p" src/targets/stripe-mock.ts)
# From 0.3 on its tools run at mcp.stripe.com.
stripe_mcp=0.2.5
stripe_cli=1.52.0 multitool=5.7.0 nodes='20.19.0 22.23.3 24.21.0' requirements="$PWD/test/peers/requirements.txt"
# Majors of Stripe's clients: what is in use beside the newest. test/peers/clients.test.ts names them too.
stripe_nodes='12.18.0 17.7.0 20.4.1' stripe_pythons='7.14.0 11.6.0' stripe_gos='72 76 82 85'
stripe_javas='28.4.0 30.2.0 31.4.0 32.2.0 33.3.0' gson=2.11.0 maven_dependency=3.8.1
clients="$PWD/test/peers/clients"
peers="$PWD/node_modules/.cache/peers"
versions="${stripe_mock:?} $stripe_cli $stripe_mcp $multitool $nodes $(cat "$requirements")"
versions+=" $stripe_nodes $stripe_pythons $stripe_gos $stripe_javas $gson"
[ "$(cat "$peers/versions" 2>/dev/null)" = "$versions" ] || rm -rf "$peers"
mkdir -p "$peers"
status=0
failed() { echo "install-peers: $1 could not be installed" >&2; status=1; }
from_npm() { npm install --prefix "$1" --no-save --no-audit --no-fund --loglevel=error "${@:2}"; }

if [ ! -x "$peers/bin/stripe-mock" ]; then
  GOBIN="$peers/bin" go install "github.com/stripe/stripe-mock@$stripe_mock" || failed stripe-mock
fi

# docker compose's own reader of env files.
if [ ! -x "$peers/bin/compose-env" ]; then
  (cd test/peers/compose-env && go build -o "$peers/bin/compose-env" .) || failed "docker compose's reader of env files"
fi

if [ ! -x "$peers/stripe-cli/node_modules/.bin/stripe" ]; then
  from_npm "$peers/stripe-cli" "@stripe/cli@$stripe_cli" || failed "Stripe's command line"
fi

# Without what the toolkit can do beside MCP, each with a large package.
if [ ! -x "$peers/stripe-mcp/node_modules/.bin/mcp" ]; then
  from_npm "$peers/stripe-mcp" "@stripe/mcp@$stripe_mcp" --legacy-peer-deps || failed "Stripe's MCP server"
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

if ! "$peers/python/bin/python" -c "import stripe, pytest, httpx, securesystemslib, cryptography, aiohttp, gunicorn" 2>/dev/null; then
  python3 -m venv "$peers/python" &&
    "$peers/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
      --requirement "$requirements" || failed stripe-python
fi

for version in $stripe_nodes; do
  if [ ! -d "$peers/stripe-node/$version/node_modules/stripe" ]; then
    from_npm "$peers/stripe-node/$version" "stripe@$version" || failed "stripe-node $version"
  fi
done

for version in $stripe_pythons; do
  if [ ! -d "$peers/stripe-python/$version/stripe" ]; then
    "$peers/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
      --target "$peers/stripe-python/$version" "stripe==$version" || failed "stripe-python $version"
  fi
done

# One program by each major: the same source, another import. go.sum pins them.
for major in $stripe_gos; do
  mkdir -p "$peers/stripe-go/calls$major"
  sed "s#stripe-go/v85#stripe-go/v$major#" "$clients/go/calls/main.go" >"$peers/stripe-go/calls$major/main.go"
done
cp -r "$clients/go/go.mod" "$clients/go/go.sum" "$clients/go/walk" "$clients/go/guard" "$peers/stripe-go/"
(cd "$peers/stripe-go" && go build -o bin/ ./...) || failed stripe-go

for artifact in $(printf 'com.stripe:stripe-java:%s ' $stripe_javas) "com.google.code.gson:gson:$gson"; do
  jar="${artifact#*:}" jar="$peers/java/${jar/:/-}.jar"
  if [ ! -f "$jar" ]; then
    mvn --batch-mode --quiet "org.apache.maven.plugins:maven-dependency-plugin:$maven_dependency:copy" \
      "-Dartifact=$artifact" "-DoutputDirectory=$peers/java" >/dev/null || failed "$artifact"
  fi
done

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
