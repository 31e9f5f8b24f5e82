import { Stack } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { EnvironmentStackProps } from '../events/events-stack.ts';
import type { IRekeyBus } from '../events/rekey-bus.ts';
import { Notifier } from './notifier.ts';

/** Props of {@link NotificationStack}. */
export interface NotificationStackProps extends EnvironmentStackProps {
  readonly bus: IRekeyBus;
  readonly topic: ITopic;
  /** Folder that names of certificate files are relative to. */
  readonly directory: string;
}

/** The notifier, where the configuration names channels. */
export class NotificationStack extends Stack {
  readonly notifier: Notifier;

  constructor(scope: Construct, id: string, props: NotificationStackProps) {
    super(scope, id, props);
    const { bus, topic, directory, configuration } = props;
    // What alarms go to stays where it is.
    const { emails: _emails, topicArn: _topicArn, ...notifications } = configuration.notifications;
    this.notifier = new Notifier(this, 'Notifier', { bus, directory, alarmTopic: topic, notifications });
  }
}
