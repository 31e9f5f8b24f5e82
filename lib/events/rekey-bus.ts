import type { Duration } from 'aws-cdk-lib';
import { CfnEventBusPolicy, EventBus, type OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import { type Grant, Grant as Grants, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { busName } from '../../core/deployed/names.ts';
import type { DetailType } from '../../core/events/catalogue.ts';
import { excludeReplays } from './exclude-replays.ts';

/** Props of {@link RekeyBus}. */
export interface RekeyBusProps {
  /** Name of the environment; the bus is called `rekey-<environment>`. */
  readonly environment: string;
  /**
   * Time for which the bus keeps events for a replay. Events hold no secret values.
   * @default - no archive; the audit log keeps every event anyway
   */
  readonly archiveRetention?: Duration;
}

/**
 * The event bus of one environment: everything that Rekey does is announced here, and a revocation starts here.
 * Only principals that are granted it can put events on it.
 *
 * @example
 * const bus = new RekeyBus(this, 'Bus', { environment: 'prod' });
 * bus.grantPublish(securityTooling, 'acme.scanner', ['Secret Revocation Requested']);
 */
export class RekeyBus extends Construct {
  readonly eventBus: EventBus;

  constructor(scope: Construct, id: string, props: RekeyBusProps) {
    super(scope, id);
    this.eventBus = new EventBus(this, 'Bus', {
      eventBusName: busName(props.environment),
      description: `Rekey's events of the environment ${props.environment}`,
    });
    if (props.archiveRetention !== undefined) {
      this.eventBus.archive('Archive', {
        archiveName: busName(props.environment),
        eventPattern: { account: [this.eventBus.stack.account] },
        retention: props.archiveRetention,
      });
    }
  }

  /**
   * Runs a target for events of the given kinds; a replay of old events runs nothing.
   * @param detail - what the event's `detail` must hold besides
   */
  onEvent(
    scope: Construct,
    id: string,
    options: OnEventOptions & {
      readonly detailTypes: readonly DetailType[];
      readonly detail?: Readonly<Record<string, unknown>>;
    },
  ): Rule {
    const { detailTypes, detail, target, eventPattern, ...rest } = options;
    const rule = new Rule(scope, id, {
      ...rest,
      eventBus: this.eventBus,
      eventPattern: {
        ...eventPattern,
        detailType: [...detailTypes],
        ...(detail === undefined ? {} : { detail }),
      },
      ...(target === undefined ? {} : { targets: [target] }),
    });
    excludeReplays(rule);
    return rule;
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

  /**
   * Lets somebody put events of one source, and of the given kinds only where any are given.
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
   */
  grantPublish(grantee: IGrantable, source: string, detailTypes: readonly DetailType[] = []): Grant {
    return Grants.addToPrincipal({
      grantee,
      actions: ['events:PutEvents'],
      resourceArns: [this.eventBus.eventBusArn],
      conditions: {
        StringEquals: {
          'events:source': source,
          ...(detailTypes.length === 0 ? {} : { 'events:detail-type': detailTypes }),
        },
      },
    });
  }
}
