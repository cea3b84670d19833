# After everything is made: the server's secret, if the vault has none, and settings for a host on this machine.
$ErrorActionPreference = 'Stop'
Set-Location (Split-Path -Parent (Split-Path -Parent $PSScriptRoot))

if (-not (Test-Path local.settings.json)) {
    Copy-Item local.settings.sample.json local.settings.json
    Write-Host 'local.settings.json is made from the sample: for a host on this machine, with Azurite.'
}

if (-not $env:FED_VAULT_URI) { throw 'FED_VAULT_URI is not set. Run azd provision first.' }
if (-not $env:AZURE_PRINCIPAL_ID) {
    Write-Host "AZURE_PRINCIPAL_ID is empty, so nobody here may write to the vault. Somebody who may: ./fed secrets rotate --if-missing --vault $env:FED_VAULT_URI"
    exit 0
}

# A new role assignment takes minutes to be known everywhere; until then the vault answers 403.
./fed.cmd secrets rotate --if-missing --wait 10m --vault $env:FED_VAULT_URI
if ($LASTEXITCODE -ne 0) {
    [Console]::Error.WriteLine("The server's secret could not be made; the messages above say why. Run 'azd hooks run postprovision' to try again.")
    exit 1
}
