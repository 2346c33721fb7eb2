#!/usr/bin/env bash
# Apply the built overlays as they were, then as they will be, to a cluster made for this run.
# usage: kind.sh BEFORE AFTER — folders with one file for each overlay
set -euo pipefail
before=$1 after=$2
cluster=upstreamsync-$$
export KUBECONFIG=$PWD/kubeconfig
trap 'kind delete cluster --name "$cluster" >/dev/null 2>&1' EXIT
kind create cluster --name "$cluster" --wait 120s
for side in "$before" "$after"; do
  find "$side" -name '*.yaml' -print0 | sort -z | while IFS= read -r -d '' overlay; do
    kubectl apply --server-side --force-conflicts -f "$overlay"
  done
done
