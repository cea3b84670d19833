// The federation's objects: plans, receipts, seals, updates, models, ledgers. Devices reach it with pre-signed URLs for one object
// each, which the host signs with a user delegation key, so it is on the public network even where nothing else is.

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Redundancy: the name of the account\'s SKU.')
param redundancy string

@description('Days after which updates that no round removed are deleted; 0 keeps them.')
@minValue(0)
param updatesKeptDays int

var containerName = 'fed'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    // Listings of a hierarchical namespace come in another order: the store refuses such an account.
    isHnsEnabled: false
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Allow'
    }
    // No pre-signed URL lives longer than a day.
    sasPolicy: {
      expirationAction: 'Block'
      sasExpirationPeriod: '1.00:30:00'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // Raw updates go when their round closes. Soft delete and versions would keep them after that.
    deleteRetentionPolicy: {
      enabled: false
    }
    isVersioningEnabled: false
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: containerName
  properties: {
    publicAccess: 'None'
  }
}

// Rounds remove their updates when they close, and a sweep removes what late clients leave. This is for what both missed. Nothing but
// updates ages: everything else under other names is wanted for as long as its run or model is.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = if (updatesKeptDays > 0) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'orphaned-updates'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${containerName}/updates/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterCreationGreaterThan: updatesKeptDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Its blob endpoint.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('The container of the objects.')
output container string = container.name
