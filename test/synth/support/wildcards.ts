/** A permission on more than what it names one by one, and why it is not narrower. */
export interface WideGrant {
  /** Logical ids of the roles. */
  readonly roles: RegExp;
  readonly actions: readonly string[];
  /** The resource, with `*`; references to other resources of the template as their JSON. */
  readonly resource: RegExp;
  /** Tags that the resource must have all the same, by their key. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly reason: string;
}

const secret = /:secret:\/prod\/\*$/;
const tagged = { 'rekey:environment': 'prod' };
const thousand =
  'it acts on all secrets of the environment, and no role has room for the ARNs of a thousand: 100,000 characters, of which IAM takes 71,680';

/** Everything in an environment that is granted by a pattern. Whatever is not here is named one by one. */
export const wideGrants: readonly WideGrant[] = [
  {
    roles: /Role[0-9A-F]{8}$/,
    actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    resource: /^\*$/,
    reason: 'X-Ray has no resources that a trace could be written to',
  },
  {
    roles: /^(Rotation|Containment)(mysql|postgresql)/,
    actions: ['rds:DescribeDBClusterEndpoints', 'rds:DescribeDBClusters', 'rds:DescribeDBInstances'],
    resource: /^\*$/,
    reason: 'a database is looked for by its host name, and RDS filters a list by ids alone',
  },
  {
    roles: /^AuditLogWriterRole/,
    actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'],
    resource: /AuditLogBucket.*\/entries\/\*/,
    reason: 'an entry is named by what is in it and when it is written',
  },
  {
    roles: /^(OperatorRole|WorkflowRotateRole)/,
    actions: ['secretsmanager:RotateSecret'],
    resource: secret,
    tags: tagged,
    reason: thousand,
  },
  {
    roles: /^(OperatorRole|WorkflowRotateRole|WorkflowIntakeRole)/,
    actions: ['secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds'],
    resource: secret,
    tags: tagged,
    reason: thousand,
  },
  {
    roles: /^FingerprintsIndexRole/,
    actions: [
      ...['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
      'secretsmanager:ListSecretVersionIds',
    ],
    resource: secret,
    tags: tagged,
    reason: `${thousand}; it hands no value on, and looks at no secret without a definition`,
  },
  {
    roles: /^OperatorRole/,
    actions: [
      'secretsmanager:UpdateSecretVersionStage',
      // Of the tag of a pause, and no other.
      'secretsmanager:TagResource',
      'secretsmanager:UntagResource',
    ],
    resource: secret,
    tags: tagged,
    reason: thousand,
  },
  {
    roles: /^(OperatorRole|WorkflowRotateRole)/,
    actions: ['lambda:InvokeFunction'],
    resource: /:function:\*$/,
    tags: { ...tagged, 'rekey:service': 'rotation' },
    reason: 'a deploy gives a secret another function before it could change this role',
  },
  {
    roles: /^Workflow(PlanWorkflow)?Role/,
    actions: ['lambda:InvokeFunction'],
    resource: /:function:\*$/,
    tags: { ...tagged, 'rekey:service': 'containment' },
    reason: 'a deploy gives a secret another function before it could change this role',
  },
  {
    roles: /^Workflow(PlanWorkflow)?Role/,
    actions: ['lambda:InvokeFunction'],
    resource: /Workflow(Report|Rotate|PlanWorkflow(Plan|Conclude)).*:\*/,
    reason: 'the versions of one function, which the CDK adds to its name',
  },
  {
    roles: /^Workflow(PlanWorkflow)?Role/,
    actions: [
      ...[
        'logs:CreateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:DescribeLogGroups',
        'logs:GetLogDelivery',
      ],
      ...['logs:DescribeResourcePolicies', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy'],
      ...['logs:UpdateLogDelivery', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
      ...['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    ],
    resource: /^\*$/,
    reason: 'Step Functions asks for these to log and to trace, and they have no resources',
  },
  {
    roles: /^WorkflowPlanWorkflow(Plan|Preview)Role/,
    actions: ['ssm:GetParametersByPath'],
    resource: /:parameter\/rekey\/prod\/secrets\/\*$/,
    reason: 'the definitions of the environment, under a path that is its own; they hold no value',
  },
  {
    roles: /^WorkflowPlanWorkflow(Plan|Preview)Role/,
    actions: ['secretsmanager:ListSecrets'],
    resource: /^\*$/,
    reason: 'secrets are listed by their tags; the action takes no resource',
  },
  {
    roles: /^WorkflowPlanWorkflow(Plan|Preview)Role/,
    actions: ['iam:SimulatePrincipalPolicy'],
    resource: /:iam::111122223333:(role|user)\/\*$/,
    reason: 'any role or user of the account may be the one whose credentials leaked',
  },
  {
    roles: /^WorkflowPlanWorkflow(Plan|Conclude)?Role/,
    actions: ['s3:GetObject', 's3:PutObject'],
    resource: /WorkflowPlansBucket.*\*/,
    reason: 'the plans of one bucket, which are named by the requests',
  },
  {
    roles: /^WorkflowPlanWorkflowRole/,
    actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'],
    resource: /:execution:.*:\*/,
    reason: 'the executions of one state machine, as a Distributed Map needs them',
  },
  {
    roles: /^WorkflowIntakeRole/,
    actions: ['states:DescribeExecution'],
    resource: /:execution:.*:\*/,
    reason: 'the executions of one state machine, which are named by the requests',
  },
  {
    roles: /^(Workflow(Intake|Rotate)|FingerprintsIndex|Signals(Events|Webhooks))Role/,
    actions: ['ssm:GetParameter'],
    resource: /:parameter\/rekey\/prod\/secrets\/\*$/,
    reason: 'the definitions of the environment, under a path that is its own; they hold no value',
  },
  {
    roles: /^OperatorRole/,
    actions: ['ssm:GetParameter', 'ssm:GetParametersByPath'],
    resource: /:parameter\/rekey\/prod\/(secrets|deployment)\/\*$/,
    reason:
      'the definitions of the environment and what it has deployed, under paths that are its own; they hold no value',
  },
  {
    roles: /^Rotation[a-z]/,
    actions: ['ssm:GetParametersByPath', 'ssm:PutParameter', 'ssm:DeleteParameter'],
    resource: /:parameter\/rekey\/prod\/brakes\/rekey-prod-rotation[^/*]*\/\*$/,
    reason: 'the states of its own brake, which are numbered; they hold no value',
  },
  {
    roles: /^OperatorRole/,
    actions: ['ssm:GetParametersByPath', 'ssm:PutParameter'],
    resource: /:parameter\/rekey\/prod\/brakes\/\*$/,
    reason:
      'the brakes of all rotation functions of the environment, under a path that is its own; a deploy replaces functions before it could change this role',
  },
  {
    roles: /^OperatorRole/,
    actions: ['events:ListRules'],
    resource: /^\*$/,
    reason: 'rules are listed by their bus, and IAM knows no resource for that',
  },
];
