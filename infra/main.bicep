// One federation: everything that `azd up` creates, in a resource group of its own. docs/how-to/deploy-to-azure.md explains it.
targetScope = 'subscription'

@description('Name of the azd environment. It names the resource group and, hashed, everything in it.')
@minLength(1)
@maxLength(50)
param environmentName string

@description('Region of everything. It must offer Flex Consumption and, unless durableBackend is storage, the Durable Task Scheduler.')
@minLength(1)
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Object id of whoever deploys. Gets the right to make the server\'s secret and, with the scheduler, to look at its dashboard. Empty: neither, and the first secret must be made by somebody else.')
param principalId string = ''

@description('What principalId is.')
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param principalType string = 'User'

@description('Client id of the Entra ID app registration whose roles the operators have: infra/hooks/register-operators.sh makes one.')
@minLength(36)
@maxLength(36)
param operatorAudience string

@description('Id of the operators\' Entra ID tenant. Default: the tenant of the subscription.')
@minLength(36)
@maxLength(36)
param operatorTenantId string = tenant().tenantId

@description('Where Durable Functions keeps its state: the Durable Task Scheduler, paid by the action, or queues and tables in the host\'s storage account, polled.')
@allowed([
  'scheduler'
  'storage'
])
param durableBackend string = 'scheduler'

@description('Puts the host, its storage account and its vault on a virtual network. The data account stays reachable by devices.')
param vnetEnabled bool = false

@description('With vnetEnabled: public IPv4 addresses or ranges, in CIDR form, that still reach the vault, so that the deployer can make and rotate the server\'s secret from there.')
param vaultAllowedAddresses array = []

@description('Takes back the vault of an earlier deployment under the same names, which azd down has deleted and 90 days protect. Once; then false again.')
param recoverVault bool = false

@description('Memory of an instance, in MB. A quarter of a core, one core, or two.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Most instances at once: a bound on what a flood of requests can cost.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances that wait for workflows at all times. 0 scales to zero; 1 costs money around the clock, and rounds move on without a cold start.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int = 0

@description('Lets the platform start the .NET worker from a warm placeholder. Off, because workers on .NET 10 were seen to crash there (azure-functions-dotnet-worker issue 3335).')
param usePlaceholders bool = false

@description('The address that devices use, such as https://fed.example.org, where it is not the host\'s own. Empty: the host\'s own. Proofs for any other are refused.')
param publicUrl string = ''

@description('Redundancy of the data account, which holds models, seals and ledgers.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param dataRedundancy string = 'Standard_ZRS'

@description('Days after which updates that no round removed are deleted. Longer than the longest round, and than any run with retainUpdates needs them; 0 keeps them.')
@minValue(0)
@maxValue(3650)
param updatesKeptDays int = 60

@description('Days for which logs and metrics are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most log data a day, in GB, as text since Bicep has no fractions: a bound on what logging can cost.')
param logDailyCapGB string = '1'

@description('Where alerts go. Empty: no alerts are made.')
param alertEmail string = ''

@description('Budget of the resource group, a month, in the currency of the subscription; mail at 80 % and 100 %. 0, or no alertEmail: none.')
@minValue(0)
param monthlyBudget int = 0

@description('Gigabyte-seconds of the host in a day that are worth a mail, sooner than a budget can tell. `fed run status` shows what a round takes. 0, or no alertEmail: none.')
@minValue(0)
param dailyGBSeconds int = 0

@description('First day of the month in which the budget starts. Do not set it.')
param budgetStart string = utcNow('yyyy-MM-01')

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var useScheduler = durableBackend == 'scheduler'
var taskHub = 'fed${token}'

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGB: logDailyCapGB
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    publicAccess: !vnetEnabled
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  name: 'data-storage'
  scope: group
  params: {
    name: 'stdata${token}'
    location: location
    tags: tags
    redundancy: dataRedundancy
    updatesKeptDays: updatesKeptDays
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    publicAccess: !vnetEnabled
    allowedAddresses: vaultAllowedAddresses
    recover: recoverVault
    workspaceId: monitoring.outputs.workspaceId
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (vnetEnabled) {
  name: 'private-endpoints'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    virtualNetworkId: network!.outputs.virtualNetworkId
    subnetId: network!.outputs.endpointSubnetId
    hostStorageId: hostStorage.outputs.id
    vaultId: vault.outputs.id
  }
}

module scheduler 'modules/scheduler.bicep' = if (useScheduler) {
  name: 'scheduler'
  scope: group
  params: {
    name: 'dts-${token}'
    taskHub: taskHub
    location: location
    tags: tags
  }
}

module access 'modules/access.bicep' = {
  name: 'access'
  scope: group
  params: {
    hostPrincipalId: identity.outputs.principalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
    vaultName: vault.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    holdsTaskHub: !useScheduler
  }
}

module schedulerAccess 'modules/scheduler-access.bicep' = if (useScheduler) {
  name: 'scheduler-access'
  scope: group
  params: {
    hostPrincipalId: identity.outputs.principalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
    schedulerName: scheduler!.outputs.name
    taskHub: taskHub
  }
}

module app 'modules/function-app.bicep' = {
  name: 'app'
  scope: group
  params: {
    token: token
    location: location
    tags: union(tags, {
      'azd-service-name': 'api'
    })
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    deploymentContainerUrl: hostStorage.outputs.deploymentContainerUrl
    dataEndpoint: dataStorage.outputs.blobEndpoint
    dataContainer: dataStorage.outputs.container
    vaultUri: vault.outputs.uri
    applicationInsightsConnection: monitoring.outputs.connectionString
    operatorTenantId: operatorTenantId
    operatorAudience: operatorAudience
    publicUrl: publicUrl
    durableBackend: durableBackend
    schedulerEndpoint: useScheduler ? scheduler!.outputs.endpoint : ''
    taskHub: taskHub
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    usePlaceholders: usePlaceholders
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
  }
  // The host starts as soon as it is there; without its roles it would start failing.
  dependsOn: [
    access
    schedulerAccess
  ]
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  name: 'alerts'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    dataStorageId: dataStorage.outputs.id
    monthlyBudget: monthlyBudget
    dailyGBSeconds: dailyGBSeconds
    budgetStart: budgetStart
  }
}

@description('The federation\'s address: what `fed --url` and enrolment codes take.')
output FED_URL string = app.outputs.url

@description('The function app.')
output FUNCTION_APP_NAME string = app.outputs.name

@description('The resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The vault in which the postprovision hook makes the server\'s secret.')
output FED_VAULT_URI string = vault.outputs.uri

@description('Blob endpoint of the data account.')
output FED_STORAGE_URI string = dataStorage.outputs.blobEndpoint

@description('Container of the federation\'s objects.')
output FED_STORAGE_CONTAINER string = dataStorage.outputs.container

@description('Which host.json the package carries: the prepackage hook reads it.')
output DURABLE_BACKEND string = durableBackend

@description('Name of the task hub.')
output TASKHUB_NAME string = taskHub

@description('The operators\' tenant.')
output FED_OPERATOR_TENANT string = operatorTenantId

@description('The operators\' app registration.')
output FED_OPERATOR_AUDIENCE string = operatorAudience
