import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { SsmDefinitionStore } from '../../adapters/definition-store.ts';
import { EventBridgeBus } from '../../adapters/event-bus.ts';
import { DynamoNotificationMemory } from '../../adapters/notification-memory.ts';
import { messageDelay, readNotifierSettings, topicPublisher } from '../../adapters/notifier-ways.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { notifierEnvironmentSchema, readEnvironment } from '../../core/deployed/variables.ts';
import type { NotifierSettings } from '../../core/notification/settings.ts';
import { stages } from '../../core/secret/secret.ts';
import { httpsTransport } from '../../rotators/http/transport.ts';
import type { NotifierContext } from '../notification/context.ts';
import { ChannelCredentials } from '../notification/credentials.ts';
import { notifyBatch, type QueuedEvent } from '../notification/queue.ts';
import { tick } from '../notification/tick.ts';
import type { Tools } from '../tools.ts';
import { originOf } from './origin.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(notifierEnvironmentSchema);
const ssm = new SSMClient({});
const definitions = new SsmDefinitionStore(ssm, environment.REKEY_ENVIRONMENT);
const memory = new DynamoNotificationMemory(new DynamoDBClient({}), environment.REKEY_NOTIFICATION_TABLE);
const secrets = new SecretsManagerStore(new SecretsManagerClient({}));
const publishToTopic = topicPublisher(new SNSClient({}));
const delay = messageDelay(new SQSClient({}), environment.REKEY_NOTIFICATION_QUEUE_URL);
const transport = httpsTransport();
// Not by way of the audit queue: an escalation that the bus does not take is told nobody, and the next minute tries again.
const bus = new EventBridgeBus(new EventBridgeClient({}), environment.REKEY_EVENT_BUS);

const credentials = new ChannelCredentials(
  async (secret) => (await secrets.read(secret, { stage: stages.current }))?.value,
  systemClock,
);

/** Time for which settings are not read again. */
const settingsMs = 60_000;
let settings: { readonly value: NotifierSettings; readonly until: number } | undefined;

async function currentSettings(): Promise<NotifierSettings> {
  if (settings === undefined || settings.until < Date.now()) {
    const value = await readNotifierSettings(ssm, environment.REKEY_NOTIFICATION_SETTINGS);
    settings = { value, until: Date.now() + settingsMs };
  }
  return settings.value;
}

const files = new Map<string, readonly string[]>();

/** Reads certificate authorities that lie beside the bundle. */
function authorities(file: string): readonly string[] {
  const known = files.get(file) ?? [readFileSync(join(import.meta.dirname, file), 'utf8')];
  files.set(file, known);
  return known;
}

/** Limits of one request to a receiver; its answer is a few bytes. */
const limits = { connectTimeoutMs: 5_000, statementTimeoutMs: 10_000 } as const;

async function contextOf(tools: Tools): Promise<NotifierContext> {
  const { logger } = tools;
  return {
    environment: environment.REKEY_ENVIRONMENT,
    settings: await currentSettings(),
    memory,
    credentials,
    publishToTopic,
    authorities,
    definitions,
    bus,
    clock: systemClock,
    actor: originOf('rekey.notification', environment, tools).actor,
    send: (request, to) => transport(request, { ...limits, ...to }),
    note: (message, facts = {}) => {
      const { message: reason, ...rest } = facts;
      logger.warn(message, { ...rest, ...(reason !== undefined && { reason }) });
    },
  };
}

/** An attempt from which on a failure is measured although it may pass by itself: after about half a minute. */
const measuredFrom = 3;

/** Tells people of events that come in the queue. Each minute it sends what was held back, and escalates. */
export const handler = standardHandler<{ readonly Records?: readonly QueuedEvent[] }, unknown>(
  async ({ Records }, tools) => {
    const context = await contextOf(tools);
    const { logger, metrics } = tools;
    if (Records === undefined) {
      const { digests, escalated } = await tick(context);
      if (digests + escalated > 0) logger.info('did what was due', { digests, escalated });
      return undefined;
    }
    return await notifyBatch(Records, context, {
      delay,
      failed: ({ isLasting, attempt }) => {
        if (isLasting || attempt >= measuredFrom) {
          metrics.addMetric(metricNames.notificationFailed, MetricUnit.Count, 1);
        }
      },
    });
  },
);
