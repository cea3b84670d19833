// Durable Functions' state in the Durable Task Scheduler, paid by the action: nothing while nothing runs.

@description('Name of the scheduler.')
param name string

@description('Name of the task hub.')
param taskHub string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'Consumption'
    }
    // Who comes still needs a token and a role; an empty list would let nobody come.
    ipAllowlist: [
      '0.0.0.0/0'
    ]
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: taskHub
}

// Purging by the app's own upkeep comes first; this is for instances that it never saw.
resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2025-11-01' = {
  parent: scheduler
  name: 'default'
  properties: {
    retentionPolicies: [
      {
        retentionPeriodInDays: 30
      }
    ]
  }
}

@description('Name of the scheduler.')
output name string = scheduler.name

@description('Its endpoint, which holds a hash and cannot be made up from the name.')
output endpoint string = scheduler.properties.endpoint
