import { type Duration, Token } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnEventBusPolicy,
  EventBus,
  type IEventBus,
  type OnEventOptions,
  Rule,
} from 'aws-cdk-lib/aws-events';
import { type Grant, Grant as Grants, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { busName, deploymentParameters, metrics, services } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import { environmentNameSchema } from '../config/schema.ts';
import { writeDeploymentParameters } from '../foundation/deployment-parameters.ts';
import { wholeNumber } from '../foundation/whole-number.ts';
import { rekeyMetric } from '../observation/runbook-alarm.ts';
import { excludeReplays } from './exclude-replays.ts';

/** Options of {@link IRekeyBus.onEvent}. */
export interface RekeyEventOptions extends OnEventOptions {
  /** Kinds of events that run the target. */
  readonly detailTypes: readonly DetailType[];
  /** Content that the event's `detail` must have besides. @default - any */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The event bus of one environment: one of this app, or one that another app deployed. */
export interface IRekeyBus {
  /** Name of the environment, which everything on the bus belongs to. */
  readonly environment: string;
  readonly eventBus: IEventBus;
  /** Runs a target for events of the given kinds; a replay of old events runs nothing. */
  onEvent(scope: Construct, id: string, options: RekeyEventOptions): Rule;
  /**
   * Lets somebody put events of one source, and of the given kinds only where any are given.
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
   */
  grantPublish(grantee: IGrantable, source: string, detailTypes?: readonly DetailType[]): Grant;
  /** Counts the rotations of the environment that succeeded. @default - sum over five minutes */
  metricRotationSucceeded(options?: MetricOptions): Metric;
  /** Counts the steps of rotations that failed for a lasting reason. @default - sum over five minutes */
  metricRotationFailed(options?: MetricOptions): Metric;
  /** Measures how long rotations take, in milliseconds. @default - average over five minutes */
  metricRotationDuration(options?: MetricOptions): Metric;
  /** Counts the rotations that a brake held up. @default - sum over five minutes */
  metricRotationBraked(options?: MetricOptions): Metric;
}

abstract class RekeyBusBase extends Construct implements IRekeyBus {
  abstract readonly environment: string;
  abstract readonly eventBus: IEventBus;

  onEvent(scope: Construct, id: string, options: RekeyEventOptions): Rule {
    const { detailTypes, detail, target, eventPattern, ...rest } = options;
    const rule = new Rule(scope, id, {
      ...rest,
      eventBus: this.eventBus,
      eventPattern: {
        ...eventPattern,
        detailType: [...detailTypes],
        ...(detail !== undefined && { detail }),
      },
      ...(target !== undefined && { targets: [target] }),
    });
    excludeReplays(rule);
    return rule;
  }

  grantPublish(grantee: IGrantable, source: string, detailTypes: readonly DetailType[] = []): Grant {
    return Grants.addToPrincipal({
      grantee,
      actions: ['events:PutEvents'],
      resourceArns: [this.eventBus.eventBusArn],
      conditions: {
        StringEquals: {
          'events:source': source,
          ...(detailTypes.length !== 0 && { 'events:detail-type': detailTypes }),
        },
      },
    });
  }

  metricRotationSucceeded(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.rotation, metrics.rotationSucceeded, options);
  }

  metricRotationFailed(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.rotation, metrics.rotationFailed, options);
  }

  metricRotationDuration(options: MetricOptions = {}): Metric {
    const average = { statistic: 'Average', ...options };
    return rekeyMetric(this.environment, services.rotation, metrics.rotationDuration, average);
  }

  metricRotationBraked(options: MetricOptions = {}): Metric {
    return rekeyMetric(this.environment, services.rotation, metrics.rotationBraked, options);
  }
}

class ImportedBus extends RekeyBusBase {
  readonly environment: string;
  readonly eventBus: IEventBus;

  constructor(scope: Construct, id: string, environment: string) {
    super(scope, id);
    this.environment = environment;
    this.eventBus = EventBus.fromEventBusName(this, 'Bus', busName(environment));
  }
}

/** Props of {@link RekeyBus}. */
export interface RekeyBusProps {
  /** Name of the environment; the bus is called `rekey-<environment>`. */
  readonly environment: string;
  /**
   * Time for which the bus keeps events for a replay, in whole days. Events hold no secret values.
   * @default - no archive; the audit log keeps every event anyway
   */
  readonly archiveRetention?: Duration;
}

/**
 * The event bus of one environment. Everything that Rekey does is announced here, and a revocation starts here. Only
 * principals that are granted it can put events on it.
 *
 * @example
 * const bus = new RekeyBus(this, 'Bus', { environment: 'prod' });
 * bus.grantPublish(securityTooling, 'acme.scanner', ['Secret Revocation Requested']);
 */
export class RekeyBus extends RekeyBusBase {
  /**
   * Takes the bus of an environment that another app has deployed. It lies in this account and region, and this app joins it.
   *
   * @example
   * const bus = RekeyBus.fromEnvironment(this, 'Bus', 'prod');
   * const auditQueue = AuditLog.queueFromEnvironment(this, 'AuditQueue', 'prod');
   * @throws RekeyError `ConstructInvalid` when the name is not one of an environment
   */
  static fromEnvironment(scope: Construct, id: string, environment: string): IRekeyBus {
    requireEnvironmentName(id, environment);
    return new ImportedBus(scope, id, environment);
  }

  readonly eventBus: IEventBus;
  readonly environment: string;

  constructor(scope: Construct, id: string, props: RekeyBusProps) {
    super(scope, id);
    requireEnvironmentName(id, props.environment);
    this.environment = props.environment;
    // For exactOptionalPropertyTypes, which the CDK's own declarations do not keep to.
    this.eventBus = new EventBus(this, 'Bus', {
      eventBusName: busName(props.environment),
      description: `Rekey's events of the environment ${props.environment}`,
    }) as IEventBus;
    writeDeploymentParameters(this, props.environment, {
      [deploymentParameters.eventBus]: this.eventBus.eventBusName,
    });
    if (props.archiveRetention !== undefined) {
      wholeNumber('days', props.archiveRetention, { id, prop: 'archiveRetention' });
      this.eventBus.archive('Archive', {
        archiveName: busName(props.environment),
        eventPattern: { account: [this.eventBus.stack.account] },
        retention: props.archiveRetention,
      });
    }
  }

  /**
   * Lets the principals of another account ask for revocations, and put nothing else on the bus.
   * @param account - 12 digits
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions.html
   */
  permitRequestsFrom(account: string): void {
    const detailType: DetailType = 'Secret Revocation Requested';
    new CfnEventBusPolicy(this, `RequestsFrom${account}`, {
      eventBusName: this.eventBus.eventBusName,
      statementId: `RevocationRequestsFrom${account}`,
      statement: {
        Sid: `RevocationRequestsFrom${account}`,
        Effect: 'Allow',
        Principal: { AWS: `arn:${this.eventBus.stack.partition}:iam::${account}:root` },
        Action: 'events:PutEvents',
        Resource: this.eventBus.eventBusArn,
        Condition: { StringEquals: { 'events:detail-type': detailType } },
      },
    });
  }
}

/** Refuses what fits no name of a resource, such as a name that is known at the deploy alone. */
function requireEnvironmentName(id: string, environment: string): void {
  if (Token.isUnresolved(environment)) {
    throw new RekeyError(
      'ConstructInvalid',
      `${id}: environment must be known at synth, since names of resources are made of it; give it as text`,
    );
  }
  const problem = environmentNameSchema.safeParse(environment).error?.issues[0];
  if (problem !== undefined) {
    throw new RekeyError('ConstructInvalid', `${id}: environment ${environment}: ${problem.message}`);
  }
}
