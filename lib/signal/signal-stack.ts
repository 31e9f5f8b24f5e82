import { Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { Signals } from './signals.ts';

/** Props of {@link SignalStack}. */
export interface SignalStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
  readonly auditQueue: IQueue;
  readonly fingerprintLookup?: IFunction;
}

/** The functions that listen to the outside, and the honey secrets, where the configuration has any. */
export class SignalStack extends Stack {
  readonly signals: Signals;

  constructor(scope: Construct, id: string, props: SignalStackProps) {
    super(scope, id, props);
    const { bus, auditQueue, topic, configuration, environment, fingerprintLookup } = props;
    const honeySecrets = Object.fromEntries(
      Object.entries(configuration.honeySecrets).map(([key, honey]) => [
        key,
        { ...honey, name: `/${environment}/${honey.name}` },
      ]),
    );
    this.signals = new Signals(this, 'Signals', {
      bus,
      auditQueue,
      signals: configuration.signals,
      honeySecrets,
      alarmTopic: topic,
      ...(fingerprintLookup !== undefined && { fingerprintLookup }),
    });
  }
}
