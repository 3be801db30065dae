#!/usr/bin/env bash
# Puts what a cluster without nodes needs into lab/.cache/bin: links to what KUBEBUILDER_ASSETS has, and for the rest
# builds of the Go modules that go/*/go.mod pin. Builds again only what other pins or another Go would change.
# Usage: binaries.sh [TOOL]...   (all of them by default)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$here/../.cache
bin=$cache/bin
assets=${KUBEBUILDER_ASSETS:-}
export PATH=$PATH:/usr/local/go/bin CGO_ENABLED=0 GOWORK=off

# Tool, the folder of go/ that pins it, and its package.
tools='
etcd                      etcd             go.etcd.io/etcd/server/v3
kube-apiserver            kubernetes       k8s.io/kubernetes/cmd/kube-apiserver
kube-controller-manager   kubernetes       k8s.io/kubernetes/cmd/kube-controller-manager
kube-scheduler            kubernetes       k8s.io/kubernetes/cmd/kube-scheduler
kubelet                   kubernetes       k8s.io/kubernetes/cmd/kubelet
kube-proxy                kubernetes       k8s.io/kubernetes/cmd/kube-proxy
kubectl                   kubernetes       k8s.io/kubernetes/cmd/kubectl
containerd                containerd       github.com/containerd/containerd/v2/cmd/containerd
containerd-shim-runc-v2   containerd       github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2
ctr                       containerd       github.com/containerd/containerd/v2/cmd/ctr
loopback                  cni              github.com/containernetworking/plugins/plugins/main/loopback
ptp                       cni              github.com/containernetworking/plugins/plugins/main/ptp
host-local                cni              github.com/containernetworking/plugins/plugins/ipam/host-local
portmap                   cni              github.com/containernetworking/plugins/plugins/meta/portmap
apiserver_receive_adapter knative-eventing knative.dev/eventing/cmd/apiserver_receive_adapter
func                      func             knative.dev/func/cmd/func
kube-state-metrics        kube-state-metrics k8s.io/kube-state-metrics/v2
'

say() { printf 'cluster: %s\n' "$*"; }
reject() {
  printf 'cluster: cannot run here: %s\n' "$*" >&2
  exit 1
}

# The newest `go` line among the pins.
go_needed=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' "$here"/go/*/go.mod | sort -V | tail -n 1)
go_version=$(go env GOVERSION 2>/dev/null || true)

require_go() {
  local has=${go_version#go}
  [[ -n $has && $(printf '%s\n' "$go_needed" "$has" | sort -V | head -n 1) == "$go_needed" ]] ||
    reject "$1 is missing: install Go $go_needed or newer to build it (found: ${go_version:-none}), or set" \
      "KUBEBUILDER_ASSETS to a folder that has it"
}

# Kubernetes takes its version from the linker; without one it would say v0.0.0.
linker_flags() {
  printf -- '-s -w'
  [[ $1 == kubernetes ]] || return 0
  local version package=k8s.io/component-base/version
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
  [[ $version =~ ^v([0-9]+)\.([0-9]+)\. ]]
  printf -- ' -X %s=%s' "$package.gitVersion" "$version" "$package.gitMajor" "${BASH_REMATCH[1]}" \
    "$package.gitMinor" "${BASH_REMATCH[2]}" "$package.gitTreeState" clean
}

provide() {
  local tool=$1 pins=$2 package=$3 inputs
  if [[ -x $assets/$tool ]]; then
    ln -sfn "$(cd "$assets" && pwd)/$tool" "$bin/$tool"
    rm -f "$bin/$tool.stamp"
    return
  fi
  cd "$here/go/$pins"
  inputs=$(cat go.mod go.sum | sha256sum | cut -d ' ' -f 1)-$go_version
  [[ ! -x $bin/$tool || ! -e $bin/$tool.stamp || $(<"$bin/$tool.stamp") != "$inputs" ]] || return 0
  require_go "$tool"
  say "building $tool ($package; minutes when nothing of it is built yet)"
  rm -f "$bin/$tool" "$bin/$tool.stamp"
  # go.mod says all, also where the caller's GOFLAGS would have it changed.
  GOFLAGS="-mod=readonly -trimpath -buildvcs=false" go build -o "$bin/$tool" -ldflags "$(linker_flags "$pins")" \
    "$package" || reject "$tool cannot be built"
  printf '%s\n' "$inputs" >"$bin/$tool.stamp"
}

mkdir -p "$bin"
# One at a time: each build uses all cores, and two of one tool would write one file.
exec 9>"$bin/.lock"
flock 9
wanted=" $* "
while read -r tool pins package; do
  [[ -z $tool ]] || [[ $# != 0 && $wanted != *" $tool "* ]] || (provide "$tool" "$pins" "$package")
done <<<"$tools"
say "ready: $(cd "$bin" && ls | grep -v '\.stamp$' | tr '\n' ' ')"
