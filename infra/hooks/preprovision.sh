#!/bin/sh
# Before anything is made: is there an app registration for the operators?
set -eu
if [ -z "${FED_OPERATOR_AUDIENCE:-}" ]; then
  echo "FED_OPERATOR_AUDIENCE is not set: the client id of the Entra ID app registration whose roles the operators have." >&2
  echo "Make one with   sh infra/hooks/register-operators.sh   or set an existing one: azd env set FED_OPERATOR_AUDIENCE ID" >&2
  exit 1
fi
