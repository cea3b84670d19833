# Chooses the host.json of the package: the platform scales by what stands in it, whatever the app's settings say.
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$backend = if ($env:DURABLE_BACKEND) { $env:DURABLE_BACKEND } else { 'scheduler' }
if ($backend -notin 'scheduler', 'storage') {
    [Console]::Error.WriteLine("DURABLE_BACKEND is '$backend'; expected scheduler or storage.")
    exit 1
}
New-Item -ItemType Directory -Force (Join-Path $root '.fed') | Out-Null
Set-Content (Join-Path $root '.fed/backend.props') @"
<Project>
  <PropertyGroup>
    <FedDurableBackend>$backend</FedDurableBackend>
  </PropertyGroup>
</Project>
"@
