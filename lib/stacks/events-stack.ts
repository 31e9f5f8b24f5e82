import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { deploymentParameters } from '../../core/names.ts';
import type { EnvironmentConfiguration } from '../config/schema.ts';
import { RekeyBus } from '../constructs/rekey-bus.ts';
import { writeDeploymentParameters } from './deployment-parameters.ts';

/** What every stack of an environment gets. */
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
      ...(eventArchiveDays === undefined ? {} : { archiveRetention: Duration.days(eventArchiveDays) }),
    });
    for (const account of configuration.revocation.accounts) {
      this.bus.permitRequestsFrom(account);
    }
    if (notifications.topicArn === undefined) {
      const topic = new Topic(this, 'Alarms', { displayName: `Rekey ${environment}`, enforceSSL: true });
      for (const address of notifications.emails) {
        topic.addSubscription(new EmailSubscription(address));
      }
      this.topic = topic;
    } else {
      this.topic = Topic.fromTopicArn(this, 'Alarms', notifications.topicArn);
    }
    writeDeploymentParameters(this, environment, {
      [deploymentParameters.eventBus]: this.bus.eventBus.eventBusName,
    });
  }
}
