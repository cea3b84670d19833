// The host: Flex Consumption, scaled to zero between rounds. It holds no secret; every right comes with its identity.

@description('Hash that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource; azd finds the app by its azd-service-name.')
param tags object

@description('Resource id of the host\'s identity.')
param identityId string

@description('Client id of the host\'s identity.')
param identityClientId string

@description('The host\'s storage account.')
param hostStorageName string

@description('Container of the deployed package.')
param deploymentContainerUrl string

@description('Blob endpoint of the data account.')
param dataEndpoint string

@description('Container of the federation\'s objects.')
param dataContainer string

@description('Address of the vault.')
param vaultUri string

@description('Where telemetry goes.')
param applicationInsightsConnection string

@description('The operators\' tenant.')
param operatorTenantId string

@description('Client id of the operators\' app registration.')
param operatorAudience string

@description('The address that devices use; empty for the app\'s own.')
param publicUrl string

@description('scheduler or storage.')
@allowed([
  'scheduler'
  'storage'
])
param durableBackend string

@description('Endpoint of the scheduler; empty with the storage backend.')
param schedulerEndpoint string

@description('Name of the task hub.')
param taskHub string

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('Most instances at once.')
param maximumInstanceCount int

@description('Instances that wait for workflows at all times.')
param alwaysReadyInstances int

@description('Whether the platform may start the worker from a warm placeholder.')
param usePlaceholders bool

@description('Subnet of the app; empty for none.')
param subnetId string

var commonSettings = {
  // The account's name and not its three addresses: with those the host now and then starts without a connection
  // (azure-functions-host issue 11787).
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  TASKHUB_NAME: taskHub
  Fed__StorageUri: dataEndpoint
  Fed__StorageContainer: dataContainer
  Fed__IdentityClientId: identityClientId
  Fed__VaultUri: vaultUri
  Fed__OperatorTenantId: operatorTenantId
  Fed__OperatorAudience: operatorAudience

  // What a second of the app costs is in GB-seconds: rounds are priced by it.
  Fed__InstanceMemoryMb: '${instanceMemoryMB}'
}

var schedulerSettings = {
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
}

var storageSettings = {
  DurableStorage__accountName: hostStorageName
  DurableStorage__credential: 'managedidentity'
  DurableStorage__clientId: identityClientId
}

var placeholderSettings = {
  WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED: '0'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'dotnet-isolated'
        version: '10.0'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : [
          {
            name: 'durable'
            instanceCount: alwaysReadyInstances
          }
        ]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(
      commonSettings,
      durableBackend == 'scheduler' ? schedulerSettings : storageSettings,
      // Never left out: without it the host goes by the name in the request, which whoever sends it can forge (X-Forwarded-Host).
      {
        Fed__PublicUrl: empty(publicUrl) ? 'https://${site.properties.defaultHostName}' : publicUrl
      },
      usePlaceholders ? {} : placeholderSettings
    )
  }

  // Deployment takes tokens only, no user names and passwords. One after the other: two changes to one app at once are refused.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
    dependsOn: [
      settings
    ]
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
    dependsOn: [
      ftp
    ]
  }
}

@description('Name of the app.')
output name string = site.name

@description('Address of the app.')
output url string = 'https://${site.properties.defaultHostName}'
