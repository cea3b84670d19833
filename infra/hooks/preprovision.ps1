# Before anything is made: is there an app registration for the operators?
$ErrorActionPreference = 'Stop'
if (-not $env:FED_OPERATOR_AUDIENCE) {
    [Console]::Error.WriteLine('FED_OPERATOR_AUDIENCE is not set: the client id of the Entra ID app registration whose roles the operators have.')
    [Console]::Error.WriteLine('Make one with   pwsh infra/hooks/register-operators.ps1   or set an existing one: azd env set FED_OPERATOR_AUDIENCE ID')
    exit 1
}
