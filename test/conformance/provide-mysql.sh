#!/usr/bin/env bash
# Provides MySQL's own server to the conformance suite: from Debian unstable, because stable releases of Debian have
# none. Signatures are checked; everything is unpacked into a folder of its own, with the libraries it needs, and nothing
# is installed. Prints the path of the program for REKEY_MYSQLD, and fails where there is no way to get it.
set -euo pipefail

folder=${1:-${TMPDIR:-/tmp}/rekey-mysql-server}
program=$folder/mysqld
if [[ -x $program ]] && "$program" --version >/dev/null 2>&1; then
  echo "$program"
  exit
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
for needed in apt-get dpkg-deb "$keyring"; do
  command -v "$needed" >/dev/null || [[ -e $needed ]] || { echo "no $needed on this machine" >&2; exit 1; }
done
mkdir -p "$folder"/{etc,state/lists/partial,cache/archives/partial,files}
: >"$folder/state/status"
echo "deb [signed-by=$keyring] http://deb.debian.org/debian unstable main" >"$folder/etc/sources.list"
cat >"$folder/etc/apt.conf" <<CONF
Dir::State "$folder/state";
Dir::State::status "$folder/state/status";
Dir::Cache "$folder/cache";
Dir::Etc::sourcelist "$folder/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
export APT_CONFIG=$folder/etc/apt.conf
apt-get update -qq >&2
apt-get install -qq -y --no-install-recommends --download-only mysql-server-core >&2
for archive in "$folder"/cache/archives/*.deb; do
  dpkg-deb -x "$archive" "$folder/files"
done
rm -rf "$folder/cache" "$folder/state/lists"
libraries=$(dirname "$(find "$folder/files/usr/lib" -name 'ld-linux-*.so.*' -print -quit)")
cat >"$program" <<RUN
#!/bin/sh
exec $libraries/$(basename "$libraries"/ld-linux-*.so.*) --library-path $libraries:$folder/files/usr/lib/mysql/private $folder/files/usr/sbin/mysqld "\$@" --lc-messages-dir=$folder/files/usr/share/mysql --plugin-dir=$folder/files/usr/lib/mysql/plugin --character-sets-dir=$folder/files/usr/share/mysql/charsets
RUN
# The server leaves root for the user mysql, who must be able to read all of it.
chmod -R a+rX "$folder"
chmod 755 "$program"
"$program" --version >&2
echo "$program"
