import { Duration, Stack } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { Approvals, type ApprovalsProps } from '../approval/approvals.ts';
import { addressesOf, approvedModes } from '../config/approvals.ts';
import { hasLifecycle } from '../config/lifecycle.ts';
import type { EnvironmentConfiguration } from '../config/schema.ts';
import { actsOnSignals } from '../config/signals.ts';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import type { ManualSecretProps } from '../lifecycle/manual-secrets.ts';
import { SecretLifecycle } from '../lifecycle/secret-lifecycle.ts';
import { Quarantine } from '../quarantine/quarantine.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import type { Attribution } from '../trail/attribution.ts';
import { RevocationWorkflow, type RevocationWorkflowProps } from './revocation-workflow.ts';

/** Props of {@link RevocationStack}. */
export interface RevocationStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
  readonly auditQueue: IQueue;
  readonly secrets: readonly RotatedSecret[];
  /** Memory of who read what. @default - the configuration has no trail */
  readonly attribution?: Attribution;
}

/** The revocation workflow, and what ends secrets that expire. */
export class RevocationStack extends Stack {
  readonly workflow: RevocationWorkflow;
  /** Absent where the configuration has no `lifecycle`, and each secret rotates for good. */
  readonly lifecycle: SecretLifecycle | undefined;
  /** The second person that operations wait for, where the configuration has any wait for one. */
  readonly approvals: Approvals | undefined;

  /** Cuts off principals; absent where the configuration names none that may be. */
  readonly quarantine: Quarantine | undefined;

  constructor(scope: Construct, id: string, props: RevocationStackProps) {
    super(scope, id, props);
    const { configuration, bus, auditQueue, secrets } = props;
    const { approvals } = configuration;
    const modes = approvedModes(approvals);
    this.approvals =
      modes.length === 0
        ? undefined
        : new Approvals(this, 'Approvals', {
            bus,
            auditQueue,
            revocation: modes,
            limit: Duration.minutes(approvals.minutes),
            ...(approvals.escalateAfterMinutes !== 0 && {
              escalateAfter: Duration.minutes(approvals.escalateAfterMinutes),
            }),
            onExpiry: approvals.onExpiry,
            breakGlass: approvals.breakGlass,
            approvers: Object.keys(approvals.approvers),
            ...linksOf(approvals),
            alarmTopic: props.topic,
          });
    this.workflow = new RevocationWorkflow(this, 'Workflow', {
      bus,
      auditQueue,
      secrets,
      allowedSources: [
        ...configuration.revocation.sources,
        ...(actsOnSignals(configuration) ? ['rekey.signal'] : []),
      ],
      allowedAccounts: configuration.revocation.accounts,
      maximumRequestAge: Duration.hours(configuration.revocation.maximumAgeHours),
      ...(configuration.revocation.rotationsPerSecond !== undefined && {
        rotationsPerSecond: configuration.revocation.rotationsPerSecond,
      }),
      ...membersOf(configuration),
      alarmTopic: props.topic,
      reservedConcurrency: configuration.reservedConcurrency,
      ...(this.approvals !== undefined && { approvals: this.approvals }),
      ...(props.attribution !== undefined && { attribution: props.attribution }),
    });
    this.lifecycle = hasLifecycle(configuration)
      ? new SecretLifecycle(this, 'Lifecycle', {
          bus,
          auditQueue,
          secrets,
          alarmTopic: props.topic,
          manualSecrets: manualSecretsOf(configuration),
          ...configuration.lifecycle,
        })
      : undefined;
    const [first, ...others] = configuration.quarantine.principals;
    this.quarantine =
      first === undefined
        ? undefined
        : new Quarantine(this, 'Quarantine', {
            bus,
            auditQueue,
            principals: [first, ...others],
            alarmTopic: props.topic,
          });
  }
}

/** Hands the environments elsewhere to the construct, in both directions. */
const membersOf = ({
  revocation: { members, coordinator },
}: EnvironmentConfiguration): Pick<RevocationWorkflowProps, 'members' | 'coordinator'> => ({
  members: Object.fromEntries(
    Object.entries(members).map(([name, { role, ...member }]) => [
      name,
      { ...member, ...(role !== undefined && { role }) },
    ]),
  ),
  ...(coordinator !== undefined && { coordinator }),
});

/** Hands the addresses of those who may answer by a link to the construct. */
function linksOf({
  mailFrom,
  approvers,
}: EnvironmentConfiguration['approvals']): Pick<ApprovalsProps, 'links'> {
  const addresses = addressesOf(approvers);
  return mailFrom === undefined || Object.keys(addresses).length === 0
    ? {}
    : { links: { from: mailFrom, addresses } };
}

/** Hands the secrets that people replace to the construct. */
const manualSecretsOf = ({ manualSecrets }: EnvironmentConfiguration): Record<string, ManualSecretProps> =>
  Object.fromEntries(
    Object.entries(manualSecrets).map(([name, { adopt, replaceEveryDays, expires, ...rest }]) => [
      name,
      {
        ...rest,
        secret: adopt,
        replaceEvery: Duration.days(replaceEveryDays),
        ...(expires !== undefined && { expires }),
      },
    ]),
  );
