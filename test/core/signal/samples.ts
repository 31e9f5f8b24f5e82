/** Messages as the vendors document them, with values of our own. */

/** A value that must be found nowhere. */
export const sentinel = 'sentinel+Zq7/Wm4?value9';
export const gitLabType = 'gitleaks_rule_id_orders_token';

export const health = (detail: object = {}) => ({
  version: '0',
  id: '121345678-1234-1234-1234-123456789012',
  'detail-type': 'AWS Health Event',
  source: 'aws.health',
  account: '111122223333',
  time: '2026-11-28T11:59:00Z',
  region: 'us-east-1',
  resources: [],
  detail: {
    eventArn:
      'arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/AWS_RISK_CREDENTIALS_EXPOSED_0a1b',
    service: 'RISK',
    eventTypeCode: 'AWS_RISK_CREDENTIALS_EXPOSED',
    eventTypeCategory: 'issue',
    startTime: 'Sat, 28 Nov 2026 11:58:00 GMT',
    eventDescription: [{ language: 'en_US', latestDescription: 'A description of the event.' }],
    affectedEntities: [{ entityValue: 'AKIA2EXAMPLEKEY00001' }],
    ...detail,
  },
});

export const guardDuty = (detail: object = {}) => ({
  version: '0',
  id: 'c8c4daa7-a20c-2f03-0070-b7393dd542ad',
  'detail-type': 'GuardDuty Finding',
  source: 'aws.guardduty',
  account: '111122223333',
  time: '2026-11-28T11:31:00Z',
  region: 'eu-central-1',
  resources: [],
  detail: {
    schemaVersion: '2.0',
    accountId: '111122223333',
    region: 'eu-central-1',
    partition: 'aws',
    id: '1ab92989eaf0e742df4a014d5c0a8841',
    arn: 'arn:aws:guardduty:eu-central-1:111122223333:detector/d/finding/1ab92989eaf0e742df4a014d5c0a8841',
    type: 'UnauthorizedAccess:IAMUser/MaliciousIPCaller',
    resource: {
      resourceType: 'AccessKey',
      accessKeyDetails: {
        accessKeyId: 'AKIA2EXAMPLEKEY00002',
        principalId: 'AIDA2EXAMPLE',
        userType: 'IAMUser',
        userName: 'deployer',
      },
    },
    service: { serviceName: 'guardduty', count: 3 },
    severity: 8,
    createdAt: '2026-11-28T11:00:00.000Z',
    updatedAt: '2026-11-28T11:30:00.000Z',
    title: 'API was invoked from a known malicious IP address.',
    ...detail,
  },
});

export const securityHub = (finding: object = {}) => ({
  version: '0',
  id: '8e5622f9-d81c-4d81-612a-9319e7ee2506',
  'detail-type': 'Security Hub Findings - Imported',
  source: 'aws.securityhub',
  account: '111122223333',
  time: '2026-11-28T11:59:00Z',
  region: 'eu-central-1',
  resources: ['arn:aws:securityhub:eu-central-1::product/acme/scanner/finding/7'],
  detail: {
    findings: [
      {
        SchemaVersion: '2018-10-08',
        Id: 'acme/finding/7',
        ProductArn: 'arn:aws:securityhub:eu-central-1::product/acme/scanner',
        GeneratorId: 'acme-1',
        AwsAccountId: '111122223333',
        Types: ['TTPs/Credential Access/Leak'],
        CreatedAt: '2026-11-28T11:50:00Z',
        UpdatedAt: '2026-11-28T11:58:00Z',
        Severity: { Label: 'HIGH' },
        Title: 'Credential in a public image',
        SourceUrl: 'https://scanner.example/findings/7?session=secret',
        RecordState: 'ACTIVE',
        Workflow: { Status: 'NEW' },
        Resources: [
          { Type: 'AwsIamAccessKey', Id: 'AWS::IAM::AccessKey:AKIA2EXAMPLEKEY00003', Partition: 'aws' },
          {
            Type: 'AwsSecretsManagerSecret',
            Id: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/dev/orders-AbCdEf',
          },
        ],
        ...finding,
      },
    ],
  },
});

export const gitHub = (alert: object = {}, action = 'created') => ({
  action,
  alert: {
    number: 42,
    created_at: '2026-11-28T11:55:00Z',
    updated_at: null,
    url: 'https://api.github.com/repos/octo-org/orders/secret-scanning/alerts/42',
    html_url: 'https://github.com/octo-org/orders/security/secret-scanning/42',
    locations_url: 'https://api.github.com/repos/octo-org/orders/secret-scanning/alerts/42/locations',
    resolution: null,
    secret_type: 'orders_api_token',
    secret_type_display_name: 'Orders API Token',
    validity: 'unknown',
    publicly_leaked: false,
    ...alert,
  },
  repository: { id: 1, full_name: 'octo-org/orders', private: true },
  sender: { login: 'octocat' },
});

export const gitHubPartner = (url = 'https://github.com/octocat/Hello-World/blob/123456/foo/bar.txt') => [
  { token: sentinel, type: 'orders_api_token', url, source: 'content' },
  {
    token: 'another-value-42-of-somebody',
    type: 'orders_api_token',
    url: 'https://github.com/o/r/blob/7/x',
    source: 'commit',
  },
];

export const gitLab = (location = 'https://gitlab.example/group/repo/blob/abcdef/file.java') => [
  { type: gitLabType, token: sentinel, location },
  {
    type: gitLabType,
    token: 'another-value-42-of-somebody',
    location: 'https://gitlab.example/group/repo/blob/abcdef/b.java',
  },
];

export const gitGuardian = (action = 'incident_triggered') => ({
  source: 'GitGuardian',
  timestamp: '2026-11-28T11:59:30.000000Z',
  action,
  message: 'A new incident has been detected.',
  target_user: 'GitGuardian',
  incident: {
    id: 3759,
    date: '2026-11-28T11:59:00Z',
    detector: { name: 'generic_password', display_name: 'Generic Password', nature: 'generic' },
    secret_hash: 'Ri9FjVgdOlPnBmujoxP4XPJcbe82BhJXB',
    hmsl_hash: '05975add34ddc9a38a0fb57c7d3e676ffed57080516fc16bf8d8f14308fedb86',
    gitguardian_url: 'https://dashboard.gitguardian.com/workspace/1/incidents/3759',
    status: 'TRIGGERED',
    severity: 'high',
    validity: 'valid',
  },
});

/** A call that CloudTrail has logged, as EventBridge delivers it. */
export const loggedCall = (detail: object = {}) => ({
  version: '0',
  id: '36eb8523-97d0-4518-b33d-ee3579ff19f0',
  'detail-type': 'AWS API Call via CloudTrail',
  source: 'aws.secretsmanager',
  account: '111122223333',
  time: '2026-11-28T11:59:01Z',
  region: 'eu-central-1',
  resources: [],
  detail: {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROA2EXAMPLE:i-0a1b2c3d',
      arn: 'arn:aws:sts::111122223333:assumed-role/web/i-0a1b2c3d',
      accountId: '111122223333',
      accessKeyId: 'ASIA2EXAMPLEKEY00009',
    },
    eventTime: '2026-11-28T11:59:00Z',
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'GetSecretValue',
    awsRegion: 'eu-central-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.31.0',
    requestParameters: { secretId: '/dev/other' },
    responseElements: null,
    eventID: 'f4a1d2c0-1111-2222-3333-444455556666',
    readOnly: true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    ...detail,
  },
});
