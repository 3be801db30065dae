#!/usr/bin/env bash
# Fetches the OVN and Open vSwitch of another Debian suite than the machine's own into a folder, with all that they need
# to run (about a minute and 400 MB). Nothing is installed on the machine but debootstrap.
# Usage: fetch-ovn.sh SUITE FOLDER
set -euo pipefail

suite=$1 folder=$2
unfinished=$folder.unfinished
export DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/sbin:/sbin

reject() {
  printf 'fetch-ovn: %s\n' "$*" >&2
  exit 1
}

command -v debootstrap >/dev/null ||
  apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends debootstrap >/dev/null ||
  reject "could not install debootstrap (try 'apt-get update')"

# Suites of Debian are beside each other on a mirror, so the machine's own sources say where this one is.
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Identifier: Packages' 'Component: main' |
  awk '$1 == "bookworm" { print $2; exit }')
[[ -n $mirror ]] || reject "apt's sources have no suite bookworm to take the mirror from"

rm -rf "$unfinished"
mkdir -p "$unfinished"
# Sources of this time of the year have moved on before now; the log of a failure says what is missing.
debootstrap --variant=minbase --include=ovn-central,ovn-host,openvswitch-switch \
  "$suite" "$unfinished" "$mirror" >"$folder.log" 2>&1 ||
  { tail -n 20 "$folder.log" >&2; reject "could not fetch $suite (the whole log: $folder.log)"; }
rm -rf "$folder"
mv "$unfinished" "$folder"
