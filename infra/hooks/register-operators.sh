#!/bin/sh
# Makes the Entra ID app registration whose roles the operators have, gives you its operator role, and tells azd. Once per federation.
# Needs the Azure CLI, signed in as somebody who may register applications. Running it again changes nothing that is there.
set -eu
cd "$(dirname "$0")"
name="FedServerless ${AZURE_ENV_NAME:-$(azd env get-value AZURE_ENV_NAME)}"
azure_cli=04b07795-8ddb-461a-bbee-02f9e1bf7b46
scope=5f0f1f52-6b5c-4d0e-9a43-0f3c5a5d2b10

app="$(az ad app list --display-name "$name" --query '[0].appId' --output tsv)"
if [ -z "$app" ]; then
  app="$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --app-roles @operator-roles.json --query appId --output tsv)"
fi
object="$(az ad app show --id "$app" --query id --output tsv)"

# Tokens of version 2, whose audience is the client id; a scope, so that the Azure CLI may ask for tokens in an operator's name.
az rest --method PATCH --uri "https://graph.microsoft.com/v1.0/applications/$object" --headers Content-Type=application/json --body "{
  \"identifierUris\": [\"api://$app\"],
  \"api\": {
    \"requestedAccessTokenVersion\": 2,
    \"oauth2PermissionScopes\": [{
      \"id\": \"$scope\", \"value\": \"access\", \"type\": \"User\", \"isEnabled\": true,
      \"adminConsentDisplayName\": \"Access the federation\", \"adminConsentDescription\": \"Operate the federation in the name of the signed-in user, within their roles.\",
      \"userConsentDisplayName\": \"Access the federation\", \"userConsentDescription\": \"Operate the federation in your name, within your roles.\"
    }]
  }
}"
az rest --method PATCH --uri "https://graph.microsoft.com/v1.0/applications/$object" --headers Content-Type=application/json --body "{
  \"api\": { \"preAuthorizedApplications\": [{ \"appId\": \"$azure_cli\", \"delegatedPermissionIds\": [\"$scope\"] }] }
}"

principal="$(az ad sp list --filter "appId eq '$app'" --query '[0].id' --output tsv)"
if [ -z "$principal" ]; then
  principal="$(az ad sp create --id "$app" --query id --output tsv)"
fi

# Nobody gets a token without a role: the gateway would refuse it anyway, with a message that is harder to find.
az rest --method PATCH --uri "https://graph.microsoft.com/v1.0/servicePrincipals/$principal" --headers Content-Type=application/json --body '{"appRoleAssignmentRequired": true}'

me="$(az ad signed-in-user show --query id --output tsv)"
role="$(az ad app show --id "$app" --query "appRoles[?value=='Federation.Operator'].id | [0]" --output tsv)"
assigned="$(az rest --method GET --uri "https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignedTo" --query "length(value[?principalId=='$me' && appRoleId=='$role'])" --output tsv)"
if [ "$assigned" = 0 ]; then
  az rest --method POST --uri "https://graph.microsoft.com/v1.0/servicePrincipals/$principal/appRoleAssignedTo" --headers Content-Type=application/json \
    --body "{\"principalId\": \"$me\", \"resourceId\": \"$principal\", \"appRoleId\": \"$role\"}" --output none
fi

azd env set FED_OPERATOR_AUDIENCE "$app"
echo "$name is $app; you are an operator. Give others a role under Enterprise applications, $name, Users and groups."
