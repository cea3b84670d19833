# Makes the Entra ID app registration whose roles the operators have, gives you its operator role, and tells azd. Once per federation.
# Needs the Azure CLI, signed in as somebody who may register applications. Running it again changes nothing that is there.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-Location $PSScriptRoot
$environmentName = if ($env:AZURE_ENV_NAME) { $env:AZURE_ENV_NAME } else { azd env get-value AZURE_ENV_NAME }
$name = "FedServerless $environmentName"
$azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
$scope = '5f0f1f52-6b5c-4d0e-9a43-0f3c5a5d2b10'
$graph = 'https://graph.microsoft.com/v1.0'

# A body goes through a file: Windows' command lines do not keep quotes.
function Invoke-Graph([string] $method, [string] $path, [hashtable] $body) {
    $file = New-TemporaryFile
    try {
        Set-Content $file ($body | ConvertTo-Json -Depth 10)
        az rest --method $method --uri "$graph/$path" --headers Content-Type=application/json --body "@$file" --output none
    }
    finally { Remove-Item $file }
}

$app = az ad app list --display-name $name --query '[0].appId' --output tsv
if (-not $app) {
    $app = az ad app create --display-name $name --sign-in-audience AzureADMyOrg --app-roles '@operator-roles.json' --query appId --output tsv
}
$object = az ad app show --id $app --query id --output tsv

# Tokens of version 2, whose audience is the client id; a scope, so that the Azure CLI may ask for tokens in an operator's name.
Invoke-Graph PATCH "applications/$object" @{
    identifierUris = @("api://$app")
    api = @{
        requestedAccessTokenVersion = 2
        oauth2PermissionScopes = @(@{
            id = $scope; value = 'access'; type = 'User'; isEnabled = $true
            adminConsentDisplayName = 'Access the federation'; adminConsentDescription = 'Operate the federation in the name of the signed-in user, within their roles.'
            userConsentDisplayName = 'Access the federation'; userConsentDescription = 'Operate the federation in your name, within your roles.'
        })
    }
}
Invoke-Graph PATCH "applications/$object" @{ api = @{ preAuthorizedApplications = @(@{ appId = $azureCli; delegatedPermissionIds = @($scope) }) } }

$principal = az ad sp list --filter "appId eq '$app'" --query '[0].id' --output tsv
if (-not $principal) { $principal = az ad sp create --id $app --query id --output tsv }

# Nobody gets a token without a role: the gateway would refuse it anyway, with a message that is harder to find.
Invoke-Graph PATCH "servicePrincipals/$principal" @{ appRoleAssignmentRequired = $true }

$me = az ad signed-in-user show --query id --output tsv
$role = (az ad app show --id $app | ConvertFrom-Json).appRoles | Where-Object value -EQ 'Federation.Operator' | Select-Object -ExpandProperty id
$assigned = (az rest --method GET --uri "$graph/servicePrincipals/$principal/appRoleAssignedTo" | ConvertFrom-Json).value |
    Where-Object { $_.principalId -eq $me -and $_.appRoleId -eq $role }
if (-not $assigned) {
    Invoke-Graph POST "servicePrincipals/$principal/appRoleAssignedTo" @{ principalId = $me; resourceId = $principal; appRoleId = $role }
}

azd env set FED_OPERATOR_AUDIENCE $app
Write-Host "$name is $app; you are an operator. Give others a role under Enterprise applications, $name, Users and groups."
