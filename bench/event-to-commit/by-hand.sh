#!/bin/sh
# What `enable-dual-chassis` does, as one would script it: the VM's objects by curl as kubectl reads them, the chassis of
# both nodes from OVN southbound, one command to OVN northbound.
# Environment: API, TOKEN, API_CA (file), NB, SB, CERT, KEY, CA (files), NAMESPACE, VMI, PORT.
set -eu
get() { curl --silent --fail --cacert "$API_CA" --header "Authorization: Bearer $TOKEN" --get "$API$1" --data-urlencode "$2"; }
tls="--private-key=$KEY --certificate=$CERT --ca-cert=$CA"

migration=$(get "/apis/kubevirt.io/v1/namespaces/$NAMESPACE/virtualmachineinstancemigrations" "labelSelector=kubevirt.io/vmi-name=$VMI" |
  jq -r '.items[] | select(.status.phase != "Succeeded" and .status.phase != "Failed") | .metadata.uid')
vmi=$(get "/apis/kubevirt.io/v1/namespaces/$NAMESPACE/virtualmachineinstances/$VMI" '' | jq -r '.metadata.uid + " " + .status.nodeName')
uid=${vmi% *} source=${vmi#* }
target=$(get "/api/v1/namespaces/$NAMESPACE/pods" "labelSelector=kubevirt.io/created-by=$uid,kubevirt.io/migrationJobUID=$migration" |
  jq -r '.items[0].spec.nodeName')
chassis() { ovn-sbctl --db="$SB" $tls --bare --columns=name find Chassis hostname="$1"; }
ovn-nbctl --db="$NB" $tls set Logical_Switch_Port "$PORT" \
  options:requested-chassis="$(chassis "$source")\\,$(chassis "$target")" options:activation-strategy=rarp \
  external_ids:handover-vmi="$uid" external_ids:handover-migration="$migration" external_ids:handover-binding=dual \
  external_ids:handover-source="$source" external_ids:handover-target="$target"
