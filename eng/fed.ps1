# What ./fed does, for Windows; keep the two alike.
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot
$builds = Join-Path $root '.fed\builds'
$env:FED_ROOT = $root
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'
$env:DOTNET_NOLOGO = '1'

function Fail([string] $message) {
    [Console]::Error.WriteLine("fed: $message")
    exit 1
}

# What a program writes to its error output is text here; under 'Stop', Windows PowerShell would end the script at the first line of it.
function Invoke-Program([scriptblock] $program) {
    $ErrorActionPreference = 'Continue'
    & $program 2>&1 | ForEach-Object { "$_" }
}

function Test-UpToDate {
    $stamp = Join-Path $builds 'stamp'
    $current = Join-Path $builds 'current'
    if (-not ((Test-Path $stamp) -and (Test-Path $current))) { return $false }
    $name = (Get-Content $current -TotalCount 1)
    if (-not (Test-Path (Join-Path $builds "$name\cli\fed.dll"))) { return $false }
    $built = (Get-Item $stamp).LastWriteTimeUtc
    $paths = 'core', 'client-sdk', 'cli', 'storage', 'orchestrations', 'gateway', 'local', 'dashboard', 'eng\fed.slnf', 'eng\fed.ps1', 'fed.cmd',
        'global.json', 'FedServerless.sln', 'Directory.Build.props', 'Directory.Build.targets', 'Directory.Packages.props'
    foreach ($path in $paths) {
        $full = Join-Path $root $path
        if (-not (Test-Path $full)) { continue }
        $newer = @(Get-Item $full) + @(Get-ChildItem $full -Recurse -Force -ErrorAction SilentlyContinue) |
            Where-Object { $_.LastWriteTimeUtc -gt $built } | Select-Object -First 1
        if ($newer) { return $false }
    }
    return $true
}

function Build {
    $sdks = @(Invoke-Program { dotnet --list-sdks })
    if (-not ($sdks -match '^10\.')) {
        Fail "the .NET 10 SDK is needed; dotnet has: $($sdks -join ', '). Install it from https://dotnet.microsoft.com/download and try again."
    }
    [Console]::Error.WriteLine('fed: building the tool and the local host ...')
    try { New-Item -ItemType Directory -Force $builds | Out-Null }
    catch { Fail "$builds cannot be written; the tool is built there. Make the clone writable, or clone it to a folder of your own." }
    $started = [DateTime]::UtcNow
    Push-Location $root
    try { $log = Invoke-Program { dotnet build eng/fed.slnf -c Release -nologo -v:q -clp:NoSummary -nodeReuse:false }; $code = $LASTEXITCODE }
    finally { Pop-Location }
    if ($code -ne 0) {
        $log | ForEach-Object { [Console]::Error.WriteLine($_) }
        Fail 'the build failed; the messages above say why.'
    }
    $name = '{0:yyyyMMddHHmmss}-{1}' -f $started, $PID
    $target = Join-Path $builds $name
    New-Item -ItemType Directory -Force $target | Out-Null
    Copy-Item -Recurse (Join-Path $root 'artifacts\bin\FedServerless.Cli\release') (Join-Path $target 'cli')
    Copy-Item -Recurse (Join-Path $root 'artifacts\bin\FedServerless.Local\release') (Join-Path $target 'host')
    Set-Content (Join-Path $builds 'current') $name
    Set-Content (Join-Path $builds 'stamp') ''
    (Get-Item (Join-Path $builds 'stamp')).LastWriteTimeUtc = $started
    # A host still running from an older build holds its files; what cannot go now goes next time.
    Get-ChildItem $builds -Directory | Sort-Object Name -Descending | Select-Object -Skip 3 |
        Remove-Item -Recurse -Force -ErrorAction SilentlyContinue
}

if (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) {
    Fail 'the .NET 10 SDK is needed and no dotnet was found. Install it from https://dotnet.microsoft.com/download and try again.'
}
if (-not (Test-UpToDate)) { Build }

$folder = Join-Path $builds (Get-Content (Join-Path $builds 'current') -TotalCount 1)
if (-not $env:FED_HOST) { $env:FED_HOST = Join-Path $folder 'host\FedServerless.Local.dll' }
& dotnet (Join-Path $folder 'cli\fed.dll') @args
exit $LASTEXITCODE
