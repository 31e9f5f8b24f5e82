import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { metrics, services } from '../../core/deployed/names.ts';
import { isRotated } from '../../rotators/registry.ts';
import { OnceDocument } from '../access/once-document.ts';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { RotationObserver } from '../observation/rotation-observer.ts';
import { RunbookAlarm, rekeyMetric } from '../observation/runbook-alarm.ts';
import { adoptedArnPattern } from '../secret/secret-entry.ts';

/** Props of {@link FoundationStack}. */
export interface FoundationStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly auditQueue: IQueue;
  readonly topic: ITopic;
}

/** Holds what all rotation stacks of an environment stand on: the secrets' key, and what watches them all. */
export class FoundationStack extends Stack {
  /** Encrypts the secrets that Rekey creates; it stays when the stack goes, as they do. */
  readonly secretsKey: Key;
  /** Policy of that key, to which every created secret adds. */
  readonly secretsKeyPolicy = new OnceDocument(this);
  /** Observer of foreign rotations; missing where every rotation function is Rekey's own. */
  readonly observer: RotationObserver | undefined;

  constructor(scope: Construct, id: string, props: FoundationStackProps) {
    super(scope, id, props);
    const { environment } = props;
    // What the CDK gives a key that has no policy: IAM decides about it.
    this.secretsKeyPolicy.addStatements(
      new PolicyStatement({ actions: ['kms:*'], resources: ['*'], principals: [new AccountRootPrincipal()] }),
    );
    this.secretsKey = new Key(this, 'SecretsKey', {
      policy: this.secretsKeyPolicy,
      description: `Rekey ${environment}: secrets`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.observer = this.observeOthers(props);
    this.watch(props);
  }

  /** Sees the rotations by functions that are not Rekey's, from before the first one. */
  private observeOthers({
    configuration,
    bus,
    auditQueue,
    topic,
  }: FoundationStackProps): RotationObserver | undefined {
    const secrets = Object.values(configuration.secrets).flatMap(({ type, adopt }) =>
      isRotated(type) || adopt === undefined
        ? []
        : [{ identity: { arnPattern: adoptedArnPattern(this, adopt) } }],
    );
    return secrets.length === 0
      ? undefined
      : new RotationObserver(this, 'Observer', { bus, auditQueue, secrets, alarmTopic: topic });
  }

  /** Alarms on metrics that the functions of all rotation stacks share. */
  private watch({ environment, configuration, topic }: FoundationStackProps): void {
    if (configuration.rotation.brakeAfter !== 0) {
      new RunbookAlarm(this, 'RotationBraked', {
        environment,
        runbook: 'rotation-braked',
        metric: rekeyMetric(environment, services.rotation, metrics.rotationBraked),
        topic,
      });
    }
    new RunbookAlarm(this, 'RotationFailed', {
      environment,
      runbook: 'rotation-failed',
      metric: rekeyMetric(environment, services.rotation, metrics.rotationFailed),
      topic,
    });
    for (const service of [services.rotation, services.containment]) {
      new RunbookAlarm(this, `AuditPublishFailed-${service}`, {
        environment,
        runbook: 'audit-publish-failed',
        instance: service,
        metric: rekeyMetric(environment, service, metrics.auditPublishFailed),
        topic,
      });
    }
  }
}
