// Logs, metrics and traces: one workspace, one Application Insights on it that takes nothing without an Entra ID token.

@description('Hash that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Days for which everything is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Most data a day, in GB, as text since Bicep has no fractions.')
param dailyCapGB string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: json(dailyCapGB)
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Name of the Application Insights.')
output applicationInsightsName string = applicationInsights.name

@description('Where telemetry goes. It says where, not who: with local authentication off it lets nobody in.')
output connectionString string = applicationInsights.properties.ConnectionString
