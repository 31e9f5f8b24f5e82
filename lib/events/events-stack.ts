import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { EnvironmentConfiguration } from '../config/schema.ts';
import { RekeyBus } from './rekey-bus.ts';

/** Props that every stack of an environment gets. */
export interface EnvironmentStackProps extends StackProps {
  readonly environment: string;
  readonly configuration: EnvironmentConfiguration;
}

/** The event bus, and the topic that alarms go to. */
export class EventsStack extends Stack {
  readonly bus: RekeyBus;
  readonly topic: ITopic;

  constructor(scope: Construct, id: string, props: EnvironmentStackProps) {
    super(scope, id, props);
    const { environment, configuration } = props;
    const { eventArchiveDays, notifications } = configuration;
    this.bus = new RekeyBus(this, 'Bus', {
      environment,
      ...(eventArchiveDays !== undefined && { archiveRetention: Duration.days(eventArchiveDays) }),
    });
    for (const account of configuration.revocation.accounts) {
      this.bus.permitRequestsFrom(account);
    }
    if (notifications.topicArn === undefined) {
      const topic = new Topic(this, 'Alarms', { displayName: `Rekey ${environment}`, enforceSSL: true });
      permitAlarms(topic);
      for (const address of notifications.emails) {
        topic.addSubscription(new EmailSubscription(address));
      }
      this.topic = topic;
    } else {
      this.topic = Topic.fromTopicArn(this, 'Alarms', notifications.topicArn);
    }
  }
}

/**
 * Lets the account's alarms publish to a topic. A topic's own policy replaces the default one, which would let them. With TLS
 * enforced the topic has such a policy, so alarms need this statement to be heard.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
 */
function permitAlarms(topic: Topic): void {
  const { account } = Stack.of(topic);
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  );
}
