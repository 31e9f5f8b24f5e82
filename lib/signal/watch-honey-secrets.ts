import { ArnFormat, Stack } from 'aws-cdk-lib';
import { type CfnRule, type EventPattern, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { HoneySecret as DeployedHoneySecret } from '../../core/signal/honey.ts';
import { excludeReplays } from '../events/exclude-replays.ts';
import type { HoneySecret } from './honey-secret.ts';

/**
 * State of a rule that gets calls which only read. With `ENABLED` alone, EventBridge leaves them out.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
 */
const withReads = 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS';

/** Has a target told when somebody reads a honey secret, or signs with the access key in one. It needs a trail in the region. */
export function watchHoneySecrets(
  scope: Construct,
  {
    environment,
    honeySecrets,
    known,
    target,
  }: {
    readonly environment: string;
    readonly honeySecrets: Readonly<Record<string, HoneySecret>>;
    readonly known: Readonly<Record<string, DeployedHoneySecret>>;
    readonly target: () => IRuleTarget;
  },
): void {
  const listen = (id: string, what: string, eventPattern: EventPattern) => {
    const rule = new Rule(scope, id, {
      description: `Rekey ${environment}: ${what}`,
      eventPattern,
      targets: [target()],
    });
    excludeReplays(rule);
    // The CDK's construct knows enabled and disabled alone.
    (rule.node.defaultChild as CfnRule).addPropertyOverride('State', withReads);
  };
  const called = { detailType: ['AWS API Call via CloudTrail'] };
  // Whoever reads gives a name, an ARN, or an ARN without its suffix.
  const ids = Object.values(known).flatMap(({ arn, name }) => [
    arn,
    name,
    Stack.of(scope).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: name,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  ]);
  const read = { source: ['aws.secretsmanager'], ...called };
  listen('HoneyRead', 'somebody reads a secret that nobody may use', {
    ...read,
    detail: {
      eventName: ['GetSecretValue', 'BatchGetSecretValue'],
      $or: [{ requestParameters: { secretId: ids } }, { requestParameters: { secretIdList: ids } }],
    },
  });
  const keys = Object.values(honeySecrets).flatMap(({ accessKeyId }) => accessKeyId ?? []);
  if (keys.length > 0) {
    listen('HoneyKeyUsed', 'somebody signs with an access key that nobody may use', {
      ...called,
      detail: { userIdentity: { accessKeyId: keys } },
    });
  }
}
