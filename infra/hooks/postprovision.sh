#!/bin/sh
# After everything is made: the server's secret, if the vault has none, and settings for a host on this machine.
set -eu
cd "$(dirname "$0")/../.."

if [ ! -f local.settings.json ]; then
  cp local.settings.sample.json local.settings.json
  echo "local.settings.json is made from the sample: for a host on this machine, with Azurite."
fi

if [ -z "${AZURE_PRINCIPAL_ID:-}" ]; then
  echo "AZURE_PRINCIPAL_ID is empty, so nobody here may write to the vault. Somebody who may: ./fed secrets rotate --if-missing --vault ${FED_VAULT_URI:?}"
  exit 0
fi

# A new role assignment takes minutes to be known everywhere; until then the vault answers 403.
if ! ./fed secrets rotate --if-missing --wait 10m --vault "${FED_VAULT_URI:?}"; then
  echo "The server's secret could not be made; the messages above say why. Run 'azd hooks run postprovision' to try again." >&2
  exit 1
fi
