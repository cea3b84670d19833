// Rights on the task hub, where it is in the Durable Task Scheduler. Whoever can write to a task hub can run code in the host.
// Ids of roles: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles

@description('Object id of the host\'s identity.')
param hostPrincipalId string

@description('Object id of whoever deploys; empty for nobody.')
param deployerPrincipalId string

@description('What deployerPrincipalId is.')
param deployerPrincipalType string

@description('The scheduler.')
param schedulerName string

@description('The task hub.')
param taskHub string

var roles = {
  durableTaskDataContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = {
  name: schedulerName
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' existing = {
  parent: scheduler
  name: taskHub
}

resource hostOnHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, hostPrincipalId, roles.durableTaskDataContributor)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableTaskDataContributor)
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// For the dashboard.
resource deployerOnHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(hub.id, deployerPrincipalId, roles.durableTaskDataContributor)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableTaskDataContributor)
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
  }
}
