// Who the host is. One identity of its own, so that its roles outlive the app and are listed in one place, access.bicep.

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id, for whatever carries the identity.')
output id string = identity.id

@description('Client id, for whoever asks for a token.')
output clientId string = identity.properties.clientId

@description('Object id, for role assignments.')
output principalId string = identity.properties.principalId
