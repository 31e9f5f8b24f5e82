import { Duration, Stack } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import type { RotatedSecret } from '../secret/rotated-secret.ts';
import { RevocationWorkflow } from './revocation-workflow.ts';

/** Props of {@link RevocationStack}. */
export interface RevocationStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
  readonly auditQueue: IQueue;
  readonly secrets: readonly RotatedSecret[];
}

/** The revocation workflow. */
export class RevocationStack extends Stack {
  readonly workflow: RevocationWorkflow;

  constructor(scope: Construct, id: string, props: RevocationStackProps) {
    super(scope, id, props);
    const { configuration, bus, auditQueue, secrets } = props;
    this.workflow = new RevocationWorkflow(this, 'Workflow', {
      bus,
      auditQueue,
      secrets,
      allowedSources: configuration.revocation.sources,
      allowedAccounts: configuration.revocation.accounts,
      maximumRequestAge: Duration.hours(configuration.revocation.maximumAgeHours),
      alarmTopic: props.topic,
      reservedConcurrency: configuration.reservedConcurrency,
    });
  }
}
