// A network for the host to leave through, and a subnet for the private endpoints of what only the host uses.

@description('Hash that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.0.0.0/16'
      ]
    }
  }

  resource appSubnet 'subnets' = {
    name: 'app'
    properties: {
      // An address an instance: room for the platform's largest scale-out of one app.
      addressPrefix: '10.0.0.0/22'
      delegations: [
        {
          name: 'flex'
          properties: {
            serviceName: 'Microsoft.App/environments'
          }
        }
      ]
    }
  }

  resource endpointSubnet 'subnets' = {
    name: 'endpoints'
    properties: {
      addressPrefix: '10.0.4.0/24'
      privateEndpointNetworkPolicies: 'Disabled'
    }
    // Two changes to one network at once are refused.
    dependsOn: [
      appSubnet
    ]
  }
}

@description('Resource id of the network.')
output virtualNetworkId string = virtualNetwork.id

@description('Resource id of the app\'s subnet.')
output appSubnetId string = virtualNetwork::appSubnet.id

@description('Resource id of the endpoints\' subnet.')
output endpointSubnetId string = virtualNetwork::endpointSubnet.id
