import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { deadLetters } from '../../adapters/dead-letters.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { metrics as metricNames } from '../../core/deployed/names.ts';
import { signalWebhookEnvironmentSchema } from '../../core/deployed/signal-variables.ts';
import { readEnvironment } from '../../core/deployed/variables.ts';
import { limiter } from '../../core/pace/limiter.ts';
import { stages } from '../../core/secret/secret.ts';
import { receive, type SignalResponse } from '../signal/receive.ts';
import { SenderSecrets } from '../signal/sender-secrets.ts';
import { signalling } from './signals.ts';
import { standardHandler } from './standard-handler.ts';

const environment = readEnvironment(signalWebhookEnvironmentSchema);
const answering = signalling(environment);
const secrets = new SecretsManagerStore(new SecretsManagerClient({}));
const senders = new SenderSecrets(
  async (secret) => (await secrets.read(secret, { stage: stages.current }))?.value,
  systemClock,
);
const note = deadLetters(new SQSClient({}), environment.REKEY_SIGNAL_DEAD_LETTERS_URL);
const admit = limiter(300, Date.now);
const admitRecord = limiter(6, Date.now);

/** Takes messages of scanners. */
export const handler = standardHandler<unknown, SignalResponse>((event, tools) =>
  receive(event, {
    ...answering(tools, 5_000),
    secretsOf: (secretId) => senders.of(secretId),
    admit,
    admitRecord,
    refused: (kind, code, reason) => {
      tools.logger.warn('message refused', { kind, code, reason });
      tools.metrics.addMetric(metricNames.signalRejected, MetricUnit.Count, 1);
    },
    giveUp: (kind, code) => note({ kind, code, at: systemClock.now().toISOString() }),
  }),
);
