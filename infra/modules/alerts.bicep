// What somebody should be told of, by mail. Each alert is a query over what the host reports; docs/how-to/deploy-to-azure.md says what
// to do about each.

@description('Hash that makes names unique.')
param token string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Who is told.')
@minLength(3)
param email string

@description('Resource id of the workspace.')
param workspaceId string

@description('Resource id of the data account.')
param dataStorageId string

@description('Budget of the resource group, a month; 0 for none.')
@minValue(0)
param monthlyBudget int

@description('Gigabyte-seconds of the host in a day that are worth a mail; 0 for none.')
@minValue(0)
param dailyGBSeconds int

@description('First day of the budget\'s first month.')
param budgetStart string

// Severity: 1 error, 2 warning. Frequency and window are ISO 8601 durations. An alert fires for every row of its query.
var always = [
  {
    name: 'round-failed'
    title: 'A round was abandoned'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    query: 'AppMetrics | where Name == "fed.rounds" | extend outcome = tostring(Properties.outcome) | where outcome != "published" | summarize rounds = sum(Sum) by outcome | where rounds > 0'
  }
  {
    name: 'budget-nearly-spent'
    title: 'A privacy budget is spent to nine tenths'
    severity: 2
    frequency: 'PT1H'
    window: 'PT2H'
    query: 'AppMetrics | where Name == "fed.privacy.spent_ratio" | summarize spent = max(Max) by population = tostring(Properties.population) | where spent >= 0.9'
  }
  {
    name: 'run-stuck'
    title: 'The watchdog recovers a run, or gave it up'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    query: 'AppTraces | where toint(Properties.EventId) in (3102, 3103) | project TimeGenerated, Message'
  }
  {
    name: 'workflow-failed'
    title: 'A workflow ended with an error'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    query: 'AppTraces | where toint(Properties.EventId) == 2111 | project TimeGenerated, Message'
  }
  {
    name: 'error-rate'
    title: 'More than one request in twenty fails'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    query: 'AppRequests | summarize requests = sum(ItemCount), failures = sumif(ItemCount, toint(ResultCode) >= 500) | where requests >= 20 and failures * 20 > requests'
  }
  {
    name: 'host-cannot-start'
    title: 'The host cannot read its secrets or use its store'
    severity: 1
    frequency: 'PT15M'
    window: 'PT30M'
    query: 'AppTraces | where toint(Properties.EventId) in (5002, 5101) | project TimeGenerated, Message'
  }
]

// Sooner than a budget, which sees what was billed: hours, at times a day, later.
var cost = {
  name: 'cost'
  title: 'The host works more than it should in a day'
  severity: 2
  frequency: 'PT1H'
  window: 'P1D'
  query: 'AppMetrics | where Name == "fed.gb_seconds" | summarize used = sum(Sum) | where used > ${dailyGBSeconds}'
}

var queries = dailyGBSeconds == 0 ? always : concat(always, [
  cost
])

resource actions 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'fed'
    enabled: true
    emailReceivers: [
      {
        name: 'mail'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in queries: {
    name: 'alert-${rule.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      severity: rule.severity
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      // Tables and columns appear with the first record: a new federation has none yet.
      skipQueryValidation: true
      actions: {
        actionGroups: [
          actions.id
        ]
      }
    }
  }
]

// Devices that cannot read or write are seen by the account, not by the host.
resource availability 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-data-availability-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Less than 99 % of the requests to the data account succeed'
    severity: 1
    enabled: true
    scopes: [
      dataStorageId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'availability'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'Availability'
          timeAggregation: 'Average'
          operator: 'LessThan'
          threshold: 99
        }
      ]
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actions.id
      }
    ]
  }
}

// A budget tells; it stops nothing.
resource budget 'Microsoft.Consumption/budgets@2024-08-01' = if (monthlyBudget > 0) {
  name: 'budget-${token}'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: budgetStart
    }
    notifications: {
      nearly: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [
          email
        ]
      }
      spent: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [
          email
        ]
      }
    }
  }
}
