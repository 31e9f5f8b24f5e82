import type { Acceptance } from './finding.ts';

const accessLog = /AWS::S3::Bucket AuditLogAccessLog/;
const auditBucket = /AWS::S3::Bucket AuditLogBucket/;

const functionDeadLetters =
  'Secrets Manager, Step Functions and the queue invoke these functions and hold the failure themselves; where the ' +
  'invocation is asynchronous, the function has a destination on failure, which this rule does not look at.';
const functionNetwork =
  'A function is attached to a VPC where its targets are in one. The others call AWS APIs or public hosts only, and a ' +
  'VPC would add a way that can fail.';
const serviceEncryption =
  'Encrypted with a key of the service. No secret value gets there, which tests with a sentinel value assert.';
const signedLinks =
  'Whoever opens a link has no identity of AWS. The page shows and takes only what a link is signed for, for one person and one request.';
const shortMemory =
  'It remembers hours: what was told and counted. The audit log holds what happened, and a table that is lost begins anew.';
const signedMessages =
  'Senders outside have no identity of AWS. Their signature is checked before anything of a message is read.';
const plansThatEnd =
  'It holds plans by digest, each written once and never changed, for the run of a workflow; the audit log keeps what happened.';
const honey = 'It is worth nothing, and made to be found: whoever reads or uses it is told.';
const trailOfTheEnvironment =
  'It is about one bus and the secrets of one region, and its files lie in the locked bucket; a trail of the account is for all of it.';
const takenOutOfTheTrail = 'What it holds was taken out of the files of the trail, which are kept.';
const accessLogItself =
  'This bucket receives the access log of the audit bucket; S3 delivers to buckets with S3-managed encryption, the ' +
  'records expire by themselves, and logging the access to a log would never end.';

/**
 * The rules that do not hold, and why that is right. Each entry must be needed: one that no linter finds any more fails
 * the test.
 */
export const accepted: readonly Acceptance[] = [
  {
    linter: 'checkov',
    rule: 'CKV_AWS_258',
    resources: /^AWS::Lambda::Url SignalsWebhooks/,
    reason: signedMessages,
  },
  {
    linter: 'cfn-guard',
    rule: 'lambda_function_url_auth_check',
    resources: /^AWS::Lambda::Url SignalsWebhooks/,
    reason: signedMessages,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_18',
    resources: /^AWS::S3::Bucket WorkflowPlansBucket/,
    reason: plansThatEnd,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_21',
    resources: /^AWS::S3::Bucket WorkflowPlansBucket/,
    reason: plansThatEnd,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_default_encryption_kms_check',
    resources: /^AWS::S3::Bucket WorkflowPlansBucket/,
    reason: plansThatEnd,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_versioning_enabled_check',
    resources: /^AWS::S3::Bucket WorkflowPlansBucket/,
    reason: plansThatEnd,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_logging_enabled_check',
    resources: /^AWS::S3::Bucket WorkflowPlansBucket/,
    reason: plansThatEnd,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_object_lock_enabled_check',
    resources: /^AWS::S3::Bucket WorkflowPlansBucket/,
    reason: plansThatEnd,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_67',
    resources: /^AWS::CloudTrail::Trail Trail/,
    reason: trailOfTheEnvironment,
  },
  {
    linter: 'cfn-guard',
    rule: 'cloud_trail_cloud_watch_logs_enabled_check',
    resources: /^AWS::CloudTrail::Trail Trail/,
    reason: trailOfTheEnvironment,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_27',
    resources: /^AWS::SQS::Queue AttributionQueue/,
    reason: serviceEncryption,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_28',
    resources: /^AWS::DynamoDB::Table AttributionMemory/,
    reason: takenOutOfTheTrail,
  },
  {
    linter: 'cfn-guard',
    rule: 'dynamodb_table_pitr_enabled_check',
    resources: /^AWS::DynamoDB::Table AttributionMemory/,
    reason: takenOutOfTheTrail,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_149',
    resources: /^AWS::SecretsManager::Secret SignalsHoney/,
    reason: honey,
  },
  { linter: 'checkov', rule: 'CKV_AWS_40', resources: /^AWS::IAM::Policy SignalsHoney/, reason: honey },
  {
    linter: 'cfn-guard',
    rule: 'iam_user_no_policies_check',
    resources: /^AWS::IAM::Policy SignalsHoney/,
    reason: honey,
  },
  {
    linter: 'cfn-lint',
    rule: 'W3005',
    reason: 'The CDK writes dependencies out that a reference implies already; they change nothing.',
  },
  {
    linter: 'cfn-lint',
    rule: 'E1022',
    resources: /^AWS::IAM::(Managed)?Policy ResponderRole/,
    reason:
      "The rule does not know Fn::GetStackOutput inside Fn::Split yet; the CDK writes it so for the workflow's executions.",
  },
  {
    linter: 'cfn-lint',
    rule: 'E3006',
    resources: /^AWS::Lambda::Url (ApprovalsPage|SignalsWebhooks)/,
    reason:
      'Links are made where approvers have addresses, in regions that have function URLs; the CLI answers everywhere.',
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_258',
    resources: /^AWS::Lambda::Url ApprovalsPage/,
    reason: signedLinks,
  },
  {
    linter: 'cfn-guard',
    rule: 'lambda_function_url_auth_check',
    resources: /^AWS::Lambda::Url ApprovalsPage/,
    reason: signedLinks,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_119',
    resources:
      /^AWS::DynamoDB::Table (NotifierMemory|ApprovalsRequests|WorkflowPlansTable|QuarantineTable|AttributionMemory)/,
    reason: serviceEncryption,
  },
  {
    linter: 'cfn-guard',
    rule: 'dynamodb_table_encrypted_kms_check',
    resources:
      /^AWS::DynamoDB::Table (NotifierMemory|ApprovalsRequests|WorkflowPlansTable|QuarantineTable|AttributionMemory)/,
    reason: serviceEncryption,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_28',
    resources: /^AWS::DynamoDB::Table (NotifierMemory|FingerprintsCounts)/,
    reason: shortMemory,
  },
  {
    linter: 'cfn-guard',
    rule: 'dynamodb_table_pitr_enabled_check',
    resources: /^AWS::DynamoDB::Table (NotifierMemory|FingerprintsCounts)/,
    reason: shortMemory,
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_7',
    resources: /^AWS::KMS::Key (FingerprintsKey|ApprovalsLinkKey)/,
    reason:
      'KMS rotates no HMAC keys by itself. A new one would forget every fingerprint, and end links that end within a day.',
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_111',
    resources: /^AWS::IAM::(Managed)?Policy (Rotation|Containment)/,
    reason:
      'Lambda creates network interfaces with the role of the function, and IAM takes no resource for it; a deny keeps ' +
      "the function's own code from using them.",
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_115',
    reason:
      'Reserved concurrency is an option, since it takes from the rest of the account and new accounts cannot reserve.',
  },
  { linter: 'checkov', rule: 'CKV_AWS_116', reason: functionDeadLetters },
  { linter: 'checkov', rule: 'CKV_AWS_117', reason: functionNetwork },
  { linter: 'cfn-guard', rule: 'lambda_inside_vpc_check', reason: functionNetwork },
  { linter: 'checkov', rule: 'CKV_AWS_158', reason: serviceEncryption },
  { linter: 'cfn-guard', rule: 'cloudwatch_log_group_encrypted_check', reason: serviceEncryption },
  { linter: 'checkov', rule: 'CKV_AWS_173', reason: `${serviceEncryption} The variables are names.` },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_26',
    reason:
      'Alarms name secrets and never hold a value. CloudWatch publishes to an encrypted topic only with a key whose ' +
      'policy lets it; name such a topic in notifications.topicArn.',
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_27',
    resources: /AWS::SQS::Queue .*(Undelivered|DeadLetters)/,
    reason:
      'Encrypted with a key of SQS, which this rule does not count: what makes the key of the audit log unusable must ' +
      'not lose the records that it kept from the log.',
  },
  {
    linter: 'checkov',
    rule: 'CKV_AWS_27',
    resources: /AWS::SQS::Queue NotifierQueue/,
    reason:
      'Encrypted with a key of SQS, which this rule does not count. Events hold names and codes, no value.',
  },
  { linter: 'checkov', rule: 'CKV_AWS_18', resources: accessLog, reason: accessLogItself },
  { linter: 'checkov', rule: 'CKV_AWS_21', resources: accessLog, reason: accessLogItself },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_logging_enabled_check',
    resources: accessLog,
    reason: accessLogItself,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_versioning_enabled_check',
    resources: accessLog,
    reason: accessLogItself,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_default_encryption_kms_check',
    resources: accessLog,
    reason: accessLogItself,
  },
  {
    linter: 'cfn-guard',
    rule: 's3_bucket_object_lock_enabled_check',
    resources: accessLog,
    reason: 'The audit bucket itself is locked; its access log expires.',
  },
  {
    linter: 'cfn-guard',
    rule: 's3_event_notifications_enabled_check',
    reason: 'Nothing acts on new objects; what is written is known to who writes it.',
  },
  {
    linter: 'cfn-guard',
    rule: 's3_lifecycle_policy_check',
    resources: auditBucket,
    reason: 'Records stay until a person decides otherwise: Object Lock says how long at least.',
  },
  {
    linter: 'cfn-guard',
    rule: 's3_version_lifecycle_policy_check',
    resources: auditBucket,
    reason: 'Records stay until a person decides otherwise: Object Lock says how long at least.',
  },
  {
    linter: 'cfn-guard',
    rule: 'sqs_dlq_check',
    resources: /AWS::SQS::Queue .*(Undelivered|DeadLetters)/,
    reason: 'These are the dead-letter queues themselves.',
  },
  {
    linter: 'cfn-guard',
    rule: 'kms_create_grant_aws_service_check',
    resources: /^AWS::KMS::Key /,
    reason:
      "The account's administrators hold every right on the key, as AWS advises so that a key cannot be lost; grants of " +
      'others are for Secrets Manager alone.',
  },
  {
    linter: 'cfn-guard',
    rule: 'lambda_function_public_access_prohibited_check',
    resources: /^AWS::Lambda::Permission /,
    reason:
      'The rule asks for SourceArn. Secrets Manager invokes for many secrets, so the permission names the account, as ' +
      'its documentation advises.',
  },
];
