#!/bin/sh
# Chooses the host.json of the package: the platform scales by what stands in it, whatever the app's settings say.
set -eu
root="$(cd "$(dirname "$0")/../.." && pwd)"
backend="${DURABLE_BACKEND:-scheduler}"
case "$backend" in
  scheduler | storage) ;;
  *)
    echo "DURABLE_BACKEND is '$backend'; expected scheduler or storage." >&2
    exit 1
    ;;
esac
mkdir -p "$root/.fed"
cat >"$root/.fed/backend.props" <<EOF
<Project>
  <PropertyGroup>
    <FedDurableBackend>$backend</FedDurableBackend>
  </PropertyGroup>
</Project>
EOF
