#!/usr/bin/env bash
# Chromium with its driver, and axe-core, for the tests of the page. What is there already stays.
set -euo pipefail
cd "$(dirname "$0")/.."
axe_version=4.10.3
axe_digest=880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb

found() { command -v "${1}" >/dev/null 2>&1; }
has_browser() {
  { [ -n "${CHROMIUM:-}" ] || found chromium || found google-chrome; } \
    && { [ -n "${CHROMEDRIVER:-}" ] || found chromedriver; }
}

if ! has_browser; then
  if ! found apt-get; then
    echo "Install Chromium and its driver, or name them in CHROMIUM and CHROMEDRIVER." >&2
    exit 1
  fi
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -q
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium chromium-driver
fi

# axe-core, under the Mozilla Public License 2.0: used here, never handed on.
if [ ! -f .tools/axe/axe.min.js ]; then
  folder="$(mktemp -d)"
  trap 'rm -rf "$folder"' EXIT
  (cd "$folder" && npm pack --silent "axe-core@$axe_version" >/dev/null && tar -xzf axe-core-*.tgz package/axe.min.js)
  echo "$axe_digest  $folder/package/axe.min.js" | sha256sum --check --quiet
  mkdir -p .tools/axe
  mv "$folder/package/axe.min.js" .tools/axe/axe.min.js
fi
