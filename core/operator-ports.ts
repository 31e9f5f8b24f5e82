import type { ApprovalFacts } from './approval/deployed.ts';
import type { ApprovalSummary } from './approval/store.ts';
import type { AuditLogSource } from './audit/verify.ts';
import type { BrakeState, BrakeStore } from './brake.ts';
import type { deploymentParameters } from './deployed/names.ts';
import type { PlanPreview, PreviewRequest } from './deployed/plan-preview.ts';
import type { LookupAnswer, LookupRequest } from './fingerprint/lookup.ts';
import type { ManualSecret } from './lifecycle/manual-secret.ts';
import type { DefinitionStore, EventBus, RotationControl, SecretStore } from './ports.ts';
import type { PreflightCloud, Prober } from './preflight/ports.ts';

/** Ports that the operator CLI needs besides `core/ports.ts`. Only {@link SecretValues} can read a secret's value. */

/** The function that shows what a revocation would do. */
export interface PlanPreviews {
  /** Shows the plan of a request. @throws RekeyError with the code that the planner would reject the request with */
  preview(functionName: string, request: PreviewRequest): Promise<PlanPreview>;
}

/** The account and the region that a command works in. */
export interface CloudChoice {
  readonly region?: string;
  readonly profile?: string;
}

/** The facts that a deployment wrote down; one that is missing was not deployed. */
export type DeploymentFacts = Readonly<Partial<Record<keyof typeof deploymentParameters, string>>>;

/** A stack that Rekey made for a network. */
export interface DeployedNetwork {
  readonly stack: string;
  /** Id of the security group that functions in it have. */
  readonly securityGroup: string;
}

/** The caller of a command, as STS answers. */
export interface Identity {
  readonly account: string;
  /** The caller as STS names it: a user, or a role's session. */
  readonly arn: string;
}

/** The environments that are deployed in the account and region, by the facts that they wrote down. */
export interface Deployments {
  /** Names the environments that are deployed in this account and region, sorted. */
  environments(): Promise<readonly string[]>;
  /** Reads the facts of an environment; empty when it does not exist. */
  facts(environment: string): Promise<DeploymentFacts>;
  /** Lists what Rekey made for networks, also for those that are no longer configured. */
  networks(environment: string): Promise<readonly DeployedNetwork[]>;
}

/** Secrets Manager without the ability to read a value. */
export type SecretReader = Pick<SecretStore, 'describe' | 'listVersions'>;

/** Secrets Manager as `rekey exec` uses it: values for a process, by the caller's own permissions. */
export type SecretValues = Pick<SecretStore, 'describe' | 'read'>;

/** Numbers of the messages in a queue, as SQS estimates them. */
export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** The queues of an environment, without the ability to read a message. */
export interface Queues {
  depth(queueUrl: string): Promise<QueueDepth>;
}

/** A rule of an event bus. */
export interface BusRule {
  readonly name: string;
  readonly enabled: boolean;
}

/** The rules of event buses, and a try of the permission to publish. */
export interface Rules {
  /** Lists the rules of a bus, except those that AWS services manage; `undefined` when there is no such bus. */
  list(bus: string): Promise<readonly BusRule[] | undefined>;
  /**
   * Tries whether the caller may publish events of this kind. It sends one that EventBridge refuses for its form and hands to
   * nobody. It tells nothing of whether the bus exists.
   */
  tryPublish(bus: string, source: string, detailType: string): Promise<void>;
}

/** The state of a Lambda function, and where it runs and logs. */
export interface FunctionState {
  readonly name: string;
  /** Lambda's `State`: `Active`, `Inactive`, `Pending`, `Failed`. */
  readonly state: string;
  readonly reason?: string;
  readonly lastUpdateStatus?: string;
  readonly logGroup: string;
  /** Ids of security groups; empty for a function outside of networks. */
  readonly securityGroups: readonly string[];
}

/** The Lambda functions of an environment, without the ability to call one. */
export interface Functions {
  /** Reads the state of a function; `undefined` when there is none. */
  inspect(functionArn: string): Promise<FunctionState | undefined>;
}

/** The log groups of functions. */
export interface Logs {
  /**
   * Finds messages of a log group since a time that contain the text, oldest first.
   * @param text - letters, digits and hyphens
   */
  find(logGroup: string, text: string, since: Date): Promise<readonly string[]>;
}

/** One execution of a workflow. */
export interface Execution {
  readonly status: 'running' | 'succeeded' | 'failed' | 'timed out' | 'aborted';
  readonly started: Date;
  readonly stopped?: Date;
  /** The execution's output, parsed; absent unless it succeeded. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A state that an execution was in. */
export interface ExecutionStage {
  readonly name: string;
  readonly entered: Date;
  readonly left?: Date;
}

/** The workflows of an environment, and how their executions stand. */
export interface Workflows {
  /** Reads an execution; `undefined` while there is none of this name. */
  execution(workflowArn: string, name: string): Promise<Execution | undefined>;
  /** Lists the states so far, in the order in which they were entered. */
  stages(workflowArn: string, name: string): Promise<readonly ExecutionStage[]>;
  /** Tells whether the workflow is there and takes executions. */
  active(workflowArn: string): Promise<boolean>;
}

/** The objects of an audit log, in order. */
export interface AuditObjects {
  /** Lists objects whose key sorts behind `after`, ascending. */
  list(after: string, limit: number): Promise<readonly { readonly key: string; readonly written: Date }[]>;
  read(key: string): Promise<Uint8Array>;
}

/** The legal holds on the objects of an audit log. */
export interface LegalHolds {
  /** Keeps an object from being deleted until the hold is taken off; again is the same as once. */
  place(key: string, versionId?: string): Promise<void>;
}

/** Starts rotations, and gives up one that cannot be finished. */
export interface OperatorRotations extends RotationControl {
  /**
   * Takes AWSPENDING off a version; does nothing where it has lost the label already.
   * @throws SecretError `SecretMissing` | `SecretAccessDenied`
   */
  abandon(secretId: string, versionId: string): Promise<void>;
  /**
   * Pauses the rotations of a secret, or with `undefined` ends the pause.
   * @throws SecretError `SecretMissing` | `SecretAccessDenied`
   */
  pause(secretId: string, until: Date | undefined): Promise<void>;
}

/** The brake of one rotation function. */
export interface KnownBrake {
  readonly name: string;
  readonly state: BrakeState;
}

/** The brakes of an environment's rotation functions. */
export interface Brakes {
  /** Lists the brakes whose state can be read. */
  list(): Promise<readonly KnownBrake[]>;
  open(name: string): BrakeStore;
}

/** The lookup function of an environment. */
export interface FingerprintService {
  /**
   * Looks hashes up.
   * @throws RekeyError by the code that the function ended with; `FunctionFailed` where it ended with none
   */
  lookUp(functionName: string, request: LookupRequest): Promise<LookupAnswer>;
}

/** The user of an access key. */
export interface AccessKeyOwner {
  readonly user: string;
  readonly lastUsed?: Date;
}

/** The access keys of the account, by their ids. */
export interface AccessKeys {
  /** Finds the user of a key; `undefined` when no user of the account has it. */
  owner(accessKeyId: string): Promise<AccessKeyOwner | undefined>;
}

/** Requests that wait for a second person. Whoever asks or answers proves who they are to STS. */
export interface OperatorApprovals {
  /** Notes the caller as the author of a request, before it is sent. */
  ask(requestId: string, digest: string): Promise<{ readonly name: string; readonly arn: string }>;
  list(): Promise<readonly ApprovalSummary[]>;
  /** Reads one request. @throws RekeyError `ApprovalUnknown` */
  show(requestId: string): Promise<ApprovalSummary>;
  /** Answers as the caller. @throws RekeyError with a code of the group `approval` where the answer does not count */
  answer(requestId: string, outcome: 'granted' | 'refused', reason?: string): Promise<ApprovalSummary>;
}

/** The secrets of an environment that people replace. */
export interface ManualSecrets {
  list(): Promise<readonly ManualSecret[]>;
}

/** The account as a preflight asks it, and the region that is meant where a reference names none. */
export interface OpenPreflight {
  readonly cloud: PreflightCloud;
  readonly region: string;
}

/** The services outside that commands reach. Each part is opened when it is first asked for. */
export interface Cloud {
  identity(): Promise<Identity>;
  deployments(): Promise<Deployments>;
  definitions(environment: string): Promise<DefinitionStore>;
  secrets(): Promise<SecretReader>;
  secretValues(): Promise<SecretValues>;
  rotations(): Promise<OperatorRotations>;
  brakes(environment: string): Promise<Brakes>;
  approvals(environment: string, facts: ApprovalFacts): Promise<OperatorApprovals>;
  bus(name: string): Promise<EventBus>;
  rules(): Promise<Rules>;
  queues(): Promise<Queues>;
  functions(): Promise<Functions>;
  logs(): Promise<Logs>;
  workflows(): Promise<Workflows>;
  fingerprints(): Promise<FingerprintService>;
  plans(): Promise<PlanPreviews>;
  accessKeys(): Promise<AccessKeys>;
  auditObjects(bucket: string): Promise<AuditObjects>;
  auditSource(bucket: string): Promise<AuditLogSource>;
  legalHolds(bucket: string): Promise<LegalHolds>;
  manualSecrets(environment: string): Promise<ManualSecrets>;
  /**
   * Opens the account for a preflight.
   * @param prober - tries credentials; without one, none is tried
   */
  preflight(prober?: Prober): Promise<OpenPreflight>;
}
