/**
 * Names that constructs, handlers and the CLI share. Everything deployed for one environment carries its name, so
 * that several environments can live in one account without meeting.
 */

/** The tag that says to which environment a principal or a secret belongs; adopted secrets have none. */
export const environmentTag = 'rekey:environment';

/**
 * The tag that says who answers for a secret, and for whose secrets a principal acts. Created secrets have it where roles go by
 * the owner.
 */
export const ownerTag = 'rekey:owner';

/**
 * Tells whether an owner can be the value of a tag, and part of the source of an event.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
 */
export const canTag = (owner: string): boolean => /^[A-Za-z0-9_.:/=+@-]{1,128}$/.test(owner);

/** Gives the source of a request for the secrets of one owner; `rekey.cli` itself may ask for all. */
export const sourceOfOwner = <Source extends string>(source: Source, owner: string): `${Source}/${string}` =>
  `${source}/${owner}`;

/** Source of the requests that a coordinator sends to its members. */
export const coordinatorSource = 'rekey.coordinator';

/** Names the role by which a coordinator's function reaches members. Roles are of no region, so the name holds it. */
export const coordinatorRole = (environment: string, region: string): string =>
  `rekey-${environment}-coordinator-${region}`;

/** Names the role that a member has for its coordinator. */
export const memberRole = (environment: string, region: string): string =>
  `rekey-${environment}-member-${region}`;

/** The tag that says what a function is for: a name of {@link services}. */
export const serviceTag = 'rekey:service';

/** The tag of a created secret that says which content of its definition its JSON has taken over. */
export const contentTag = 'rekey:content';

/** Tag of a secret whose rotations are paused: until when, as an ISO 8601 time; see `core/deployed/pause.ts`. */
export const pauseTag = 'rekey:paused-until';

/** Gives the SSM path below which the state of each rotation function's brake stands; see `core/brake.ts`. */
export const brakesPath = (environment: string): string => `/rekey/${environment}/brakes`;

/** Names the event bus of an environment. */
export const busName = (environment: string): string => `rekey-${environment}`;

/**
 * Tells whether a name ends like the random suffix of an ARN. Secrets Manager takes an ARN that ends in a hyphen and six
 * characters as a full one. So it finds such a secret by its name or its full ARN alone; an ARN without the suffix leads
 * nowhere.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
 */
export const endsLikeSuffix = (name: string): boolean => /-[A-Za-z0-9]{6}$/.test(name);

/** Tells whether two ARNs, or an ARN and a name, are of one secret. One of two ARNs may lack the suffix. */
export function sameSecret(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  if (!short.startsWith('arn:') && long.startsWith('arn:')) {
    return sameSecret(long.split(':').slice(6).join(':'), short);
  }
  return long === short || (long.startsWith(`${short}-`) && long.length === short.length + 7);
}

/** Gives the beginning of the names of the rules by which rotation functions end overlaps, one per function. */
export const overlapRulePrefix = (environment: string): string => `rekey-${environment}-overlap-`;

/** Gives the SSM path of the facts of a deployment that the CLI needs; see {@link deploymentParameters}. */
export const deploymentPath = (environment: string): string => `/rekey/${environment}/deployment`;

/** Last segment of the SSM parameters below {@link deploymentPath}. */
export const deploymentParameters = {
  auditBucket: 'audit-bucket',
  auditQueueUrl: 'audit-queue-url',
  auditDeadLetterQueueUrl: 'audit-dead-letter-queue-url',
  eventBus: 'event-bus',
  revocationWorkflowArn: 'revocation-workflow-arn',
  planWorkflowArn: 'revocation-plan-workflow-arn',
  planPreviewFunction: 'revocation-preview-function',
  revocationIntakeLogGroup: 'revocation-intake-log-group',
  revocationDeadLetterQueueUrl: 'revocation-dead-letter-queue-url',
  /** Name of the function that looks fingerprints up; missing where the environment keeps none. */
  fingerprintLookupFunction: 'fingerprint-lookup-function',
  /** JSON: what needs a second person, and the functions by which the CLI asks and answers; see `core/approval/deployed.ts`. */
  approvals: 'approvals',
  /**
   * JSON: the ARNs of the roles of people by `operator`, `responder`, `auditor`, `policyAuthor`, `approver`. Those that nobody
   * may assume are missing.
   */
  roles: 'roles',
  /** JSON: the settings of the notifier; see `core/notification/settings.ts`. Missing where nobody is notified by one. */
  notifications: 'notifications',
  /** Address that scanners send their messages to; missing where no sender is configured. */
  signalUrl: 'signal-url',
  /** JSON: the principals that may be quarantined; missing where nobody may be. See `core/quarantine/deployed.ts`. */
  quarantine: 'quarantine',
  /** JSON: the functions of approvals, the notifier, fingerprints and the life cycle; see `core/deployed/parts.ts`. */
  parts: 'parts',
  /** JSON: the places that a coordinator uses; see `core/deployed/coordination.ts`. Missing where there is no coordinator. */
  coordination: 'coordination',
} as const;

/** Gives the SSM path below which the roles stand whose sessions may ask, or answer. One parameter holds one ARN. */
export const approvalRolesPath = (environment: string, what: 'ask' | 'answer'): string =>
  `/rekey/${environment}/approval/${what}`;

/** Last segment of the SSM parameter with the ARN of the audit log's key, for apps that join the environment. */
export const auditKeyParameter = 'audit-key-arn';

/** Names the stack of what Rekey makes for a network; `part` names the network. */
export const networkStackName = (environment: string, part: string): string =>
  `rekey-${environment}-network-${part}`;

/**
 * Names the SSM parameter that holds the security group of a network's functions. The name is the last segment, below
 * {@link deploymentPath}.
 */
export const networkParameter = (part: string): `network-${string}` => `network-${part}`;

/** Gives the SSM path below which each secret's definition stands as one parameter; see `core/secret/definition.ts`. */
export const definitionsPath = (environment: string): string => `/rekey/${environment}/secrets`;

/** Gives the SSM path below which stands what is known of each secret that people replace. */
export const manualSecretsPath = (environment: string): string => `/rekey/${environment}/manual-secrets`;

/**
 * Names the SSM parameter of a secret's definition. Secret names may hold `/ _ + = . @ -`; parameter names may not hold
 * `+ = @`, so every character outside `[A-Za-z0-9-]` is written as `.` and its hexadecimal code.
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
 */
export function definitionParameter(environment: string, secretName: string): string {
  const segment = [...secretName]
    .map((character) =>
      /[A-Za-z0-9-]/.test(character)
        ? character
        : `.${character.codePointAt(0)?.toString(16).padStart(2, '0')}`,
    )
    .join('');
  return `${definitionsPath(environment)}/${segment}`;
}

/**
 * Events on rotations that Secrets Manager sends through CloudTrail. They are recorded for functions that are not Rekey's.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
 */
export const rotationServiceEvents = [
  'RotationStarted',
  'RotationSucceeded',
  'RotationFailed',
  'RotationAbandoned',
  'TestRotationFailed',
] as const;

/** CloudWatch namespace of every metric. */
export const metricNamespace = 'Rekey';

/** Metric names, shared by the functions that emit and the alarms that watch. */
export const metrics = {
  rotationSucceeded: 'RotationSucceeded',
  rotationFailed: 'RotationFailed',
  rotationDuration: 'RotationDuration',
  rotationBraked: 'RotationBraked',
  revocationSucceeded: 'RevocationSucceeded',
  revocationFailed: 'RevocationFailed',
  revocationUnproven: 'RevocationUnproven',
  revocationRejected: 'RevocationRejected',
  timeToRefusal: 'TimeToRefusal',
  approvalBypassed: 'ApprovalBypassed',
  auditRecordsWritten: 'AuditRecordsWritten',
  auditPublishFailed: 'AuditPublishFailed',
  auditLogBroken: 'AuditLogBroken',
  fingerprintLookups: 'FingerprintLookups',
  fingerprintLookupsRefused: 'FingerprintLookupsRefused',
  notificationFailed: 'NotificationFailed',
  signalRejected: 'SignalRejected',
  signalToDecide: 'SignalToDecide',
  quarantineRefused: 'QuarantineRefused',
  honeySecretUsed: 'HoneySecretUsed',
  requestDisputed: 'RequestDisputed',
  trailRecordsUnreadable: 'TrailRecordsUnreadable',
} as const;

/** `POWERTOOLS_SERVICE_NAME` of the functions, and with it the dimension `service` of their metrics. */
export const services = {
  rotation: 'rotation',
  containment: 'containment',
  sessionCutoff: 'session-cutoff',
  revocation: 'revocation',
  observation: 'observation',
  lifecycle: 'lifecycle',
  approval: 'approval',
  audit: 'audit',
  fingerprint: 'fingerprint',
  notification: 'notification',
  signal: 'signal',
  attribution: 'attribution',
  quarantine: 'quarantine',
} as const;
