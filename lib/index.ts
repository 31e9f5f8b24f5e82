/**
 * Rekey's constructs for your own CDK app.
 *
 * `RekeyEnvironment` deploys everything of one environment from a typed configuration, as Rekey's own app does. The
 * constructs below it can also be put together one by one, as in the example: beside a cluster whose admin's password and
 * whose user's password rotate. The user is created by you, as the admin (`CREATE ROLE orders LOGIN`), before its first rotation.
 *
 * @example
 * const bus = new RekeyBus(this, 'Bus', { environment: 'prod' });
 * const log = new AuditLog(this, 'AuditLog', { bus, retention: Duration.days(1) });
 * const postgresql = { type: 'postgresql', strategy: 'single-user', bus, auditQueue: log.queue, network: { vpc } } as const;
 * const rotation = new RotationFunction(this, 'Rotation', postgresql);
 * const containment = new ContainmentFunction(this, 'Containment', postgresql);
 * const functions = { rotation, containment };
 * const admin = RotatedSecret.ofDatabase(this, 'Admin', { database: cluster, ...functions, owner: 'team-data' });
 * const encryptionKey = new Key(this, 'SecretsKey', { enableKeyRotation: true });
 * const fields = { engine: 'postgres', host: cluster.clusterEndpoint.hostname, dbname: 'orders', username: 'orders' };
 * const orders = new RotatedSecret(this, 'Orders', {
 *   secret: { create: { name: '/prod/orders/db', fields, encryptionKey } },
 *   adminSecret: admin, rotateOnDeploy: false, ...functions, owner: 'team-orders',
 * });
 * new RevocationWorkflow(this, 'Revocation', { bus, auditQueue: log.queue, secrets: [admin, orders] });
 *
 * @packageDocumentation
 */

export type { FunctionEnvironment } from '../core/deployed/variables.ts';
export type { SessionName } from '../core/iam/session-name.ts';
export type { AwsApi } from '../rotators/descriptor.ts';
export type { RotatedType, SecretType } from '../rotators/registry.ts';
export type { AccessRoleProps, OwnedAccessRoleProps } from './access/access-role.ts';
export {
  AuditorRole,
  type AuditorRoleProps,
  OperatorRole,
  type OperatorRoleProps,
  ResponderRole,
  type ResponderRoleProps,
} from './access/access-roles.ts';
export { type AnsweredApprovals, ApproverRole, type ApproverRoleProps } from './access/approver-role.ts';
export {
  type GitHubJob,
  type GitHubRepository,
  type GitLabRef,
  Pipeline,
  type PipelineService,
  type PipelineTokens,
} from './access/pipeline.ts';
export { PipelineRole, type PipelineRoleProps } from './access/pipeline-role.ts';
export { PolicyAuthorRole, type PolicyAuthorRoleProps } from './access/policy-author-role.ts';
export { type ApprovalLinks, Approvals, type ApprovalsProps, type WaitPaths } from './approval/approvals.ts';
export { AuditLog, type AuditLogProps } from './audit/audit-log.ts';
export {
  ConfigurationError,
  defineConfig,
  type LoadedConfiguration,
  loadConfiguration,
  selectEnvironment,
} from './config/config.ts';
export { passwordEnvironment } from './config/passwords.ts';
export type { Configuration, ConfigurationInput, EnvironmentConfiguration } from './config/schema.ts';
export type { ShardAssignment } from './config/shards/assignment.ts';
export { type Demand, demandsOf } from './config/shards/capacity.ts';
export { type RecordOptions, recordedShards, shardFileName } from './config/shards/record.ts';
export { type IRekeyBus, RekeyBus, type RekeyBusProps, type RekeyEventOptions } from './events/rekey-bus.ts';
export { Fingerprints, type FingerprintsProps } from './fingerprint/fingerprints.ts';
export {
  type NetworkAttachment,
  StandardFunction,
  type StandardFunctionProps,
} from './function/standard-function.ts';
export type { TargetFunctionProps } from './function/target-function.ts';
export type { ManualSecretProps } from './lifecycle/manual-secrets.ts';
export { SecretLifecycle, type SecretLifecycleProps } from './lifecycle/secret-lifecycle.ts';
export { Network, type NetworkProps } from './network/network.ts';
export { Notifier, type NotifierInput, type NotifierProps } from './notification/notifier.ts';
export {
  type ObservedSecret,
  RotationObserver,
  type RotationObserverProps,
} from './observation/rotation-observer.ts';
export { RunbookAlarm, type RunbookAlarmProps } from './observation/runbook-alarm.ts';
export { type Runbook, type RunbookName, runbooks } from './observation/runbooks.ts';
export { Quarantine, type QuarantineProps } from './quarantine/quarantine.ts';
export { RekeyEnvironment, type RekeyEnvironmentProps } from './rekey-environment.ts';
export { ContainmentFunction } from './revocation/containment-function.ts';
export type { CoordinatorEnvironment } from './revocation/coordination-role.ts';
export type { MemberEnvironment } from './revocation/plan-members.ts';
export { RevocationWorkflow, type RevocationWorkflowProps } from './revocation/revocation-workflow.ts';
export {
  ForeignRotationFunction,
  type ForeignRotationFunctionProps,
} from './rotation/foreign-rotation-function.ts';
export { RotationFunction, type RotationFunctionProps } from './rotation/rotation-function.ts';
export {
  type AdminSecret,
  type DatabaseSecretProps,
  type DatabaseWithSecret,
  RotatedSecret,
  type RotatedSecretProps,
} from './secret/rotated-secret.ts';
export type { SecretIdentity } from './secret/secret-access.ts';
export type { AdoptedSecret, CreatedSecret } from './secret/secret-entry.ts';
export { HoneySecret, type HoneySecretProps } from './signal/honey-secret.ts';
export { Signals, type SignalsProps } from './signal/signals.ts';
export { Attribution, type AttributionProps } from './trail/attribution.ts';
export { Trail, type TrailFilesPlace, type TrailProps } from './trail/trail.ts';
export {
  RekeyPolicyValidation,
  type RekeyPolicyValidationProps,
} from './validation/rekey-policy-validation.ts';
