import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import {
  CreateSecretCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SecretsManagerRotation } from '../../adapters/rotation-control.ts';
import { SecretsManagerStore } from '../../adapters/secret-store.ts';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { rotationServiceEvents } from '../../core/deployed/names.ts';
import { detailSchema } from '../../core/events/catalogue.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { observe } from '../../lambdas/observation/observe.ts';
import { containLeaks } from '../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../lambdas/revocation/proof.ts';
import { report } from '../../lambdas/revocation/report.ts';
import { rotateForRevocation } from '../../lambdas/revocation/rotate.ts';
import { type LocalCloud, startCloud } from '../../local/emulator/cloud.ts';
import { newFolder } from '../../local/process/folders.ts';
import { eventually } from '../../local/tour/eventually.ts';
import { rotator as external } from '../../rotators/external/rotator.ts';
import { MemoryBus, noDatabases } from '../lambdas/rotation/engine.ts';
import { deployRotationFunction, type RotationFunction } from './support/rotation.ts';
import { deployStack } from './support/stack.ts';

interface ServiceEvent {
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly detail: Readonly<Record<string, unknown>> & { readonly eventName: string };
}

/** The events that the user guide lists, and the rule that it shows. */
const eventPattern = {
  source: ['aws.secretsmanager'],
  'detail-type': ['AWS Service Event via CloudTrail'],
  detail: { eventSource: ['secretsmanager.amazonaws.com'] },
};

describe('Service events about rotations', () => {
  let directory: string;
  let cloud: LocalCloud;
  let client: SecretsManagerClient;
  let sqs: SQSClient;
  let foreign: RotationFunction;
  let QueueUrl: string;
  const received: ServiceEvent[] = [];

  beforeAll(async () => {
    directory = await newFolder('rotation-events');
    cloud = await startCloud({ directory });
    client = new SecretsManagerClient(cloud.clientOptions());
    sqs = new SQSClient(cloud.clientOptions());
    const arn = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
    const [rotation, stack] = await Promise.all([
      deployRotationFunction(cloud, true, 'foreign'),
      deployStack(cloud, 'rotation-events', {
        Queue: { Type: 'AWS::SQS::Queue' },
        Policy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: {
            Queues: [{ Ref: 'Queue' }],
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Effect: 'Allow',
                  Principal: { Service: 'events.amazonaws.com' },
                  Action: 'sqs:SendMessage',
                  Resource: arn('Queue'),
                },
              ],
            },
          },
        },
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: { EventPattern: eventPattern, Targets: [{ Id: 'queue', Arn: arn('Queue') }] },
        },
      }),
    ]);
    foreign = rotation;
    QueueUrl = stack.outputs.QueueRef ?? '';
  });

  afterAll(async () => {
    await cloud?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(async () => {
    await foreign.misbehave({});
  });

  async function createSecret(): Promise<string> {
    const { ARN } = await client.send(
      new CreateSecretCommand({
        Name: `/prod/${randomUUID().slice(0, 8)}`,
        SecretString: JSON.stringify({ engine: 'oracle', username: 'app', password: 'leaked value' }),
      }),
    );
    return ARN ?? '';
  }

  async function rotate(SecretId: string, options: { RotateImmediately?: boolean } = {}): Promise<string> {
    const { VersionId } = await client.send(
      new RotateSecretCommand({
        SecretId,
        RotationLambdaARN: foreign.arn,
        RotationRules: { ScheduleExpression: 'rate(10 days)' },
        ...options,
      }),
    );
    return VersionId ?? '';
  }

  /** The events of one secret, once there are `count`. */
  async function eventsOf(secret: string, count: number): Promise<readonly ServiceEvent[]> {
    return await eventually(`${count} events of ${secret}`, async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body = '', ReceiptHandle } of Messages) {
        received.push(JSON.parse(Body) as ServiceEvent);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      const found = received.filter(({ detail }) => JSON.stringify(detail).includes(secret));
      return found.length >= count ? found : undefined;
    });
  }

  const definitionOf = (arn: string): SecretDefinition => ({
    name: arn,
    arn,
    type: 'external',
    strategy: 'single-user',
    owner: 'dba',
    consumers: ['billing'],
    schedule: 'rate(10 days)',
    rotationFunction: foreign.name,
    containmentFunction: 'containment',
  });

  /** What the observer makes of events. */
  async function observed(secret: string, events: readonly ServiceEvent[]): Promise<MemoryBus> {
    const records = new MemoryBus();
    for (const event of events) {
      await observe(event, {
        definitions: { find: async (arn) => (arn === secret ? definitionOf(secret) : undefined) },
        store: new SecretsManagerStore(client),
        records,
        origin: { source: 'rekey.observation', environment: 'prod', random: systemRandom },
      });
    }
    for (const { detailType, detail } of records.events) {
      expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
    }
    return records;
  }

  test('a rotation is told on the default bus when it starts and when it succeeded', async () => {
    const secret = await createSecret();
    const version = await rotate(secret);
    const events = await eventsOf(secret, 2);
    expect(events.map(({ detail }) => detail.eventName).sort()).toEqual([
      'RotationStarted',
      'RotationSucceeded',
    ]);
    expect(events[0]).toMatchObject({
      account: expect.stringMatching(/^\d{12}$/),
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      detail: {
        eventSource: 'secretsmanager.amazonaws.com',
        eventType: 'AwsServiceEvent',
        userIdentity: { invokedBy: 'secretsmanager.amazonaws.com' },
        additionalEventData: { SecretId: secret },
        requestID: `Rotation-${secret}-${version}`,
        readOnly: false,
        managementEvent: true,
      },
    });
    const { events: recorded } = await observed(secret, events);
    expect(recorded.map(({ detailType }) => detailType).sort()).toEqual([
      'Secret Rotation Started',
      'Secret Rotation Succeeded',
    ]);
    for (const { detail } of recorded) {
      expect(detail.metadata).toMatchObject({ correlationId: version, actor: `lambda:${foreign.name}` });
      expect(detail.data).toMatchObject({ secretArn: secret, secretType: 'external', versionId: version });
    }
  });

  test('a failure names the step, and nothing of what the function said', async () => {
    await foreign.misbehave({ FAIL_AT: 'setSecret' });
    const secret = await createSecret();
    const version = await rotate(secret);
    const events = await eventsOf(secret, 2);
    const failed = events.find(({ detail }) => detail.eventName === 'RotationFailed');
    expect(failed?.detail).toMatchObject({ errorMessage: expect.stringContaining('during setSecret step') });
    expect(JSON.stringify(events)).not.toContain('ORA-01017');
    const { events: recorded } = await observed(secret, failed === undefined ? [] : [failed]);
    expect(recorded).toMatchObject([
      {
        detailType: 'Secret Rotation Failed',
        detail: {
          data: { versionId: version, step: 'setSecret', error: { code: 'ForeignRotationFailed' } },
        },
      },
    ]);
  });

  test('a mere test of the function has events of its own', async () => {
    await foreign.misbehave({ FAIL_AT: 'testSecret' });
    const secret = await createSecret();
    await rotate(secret, { RotateImmediately: false });
    const events = await eventsOf(secret, 2);
    expect(events.map(({ detail }) => detail.eventName).sort()).toEqual([
      'TestRotationFailed',
      'TestRotationStarted',
    ]);
    const known: readonly string[] = rotationServiceEvents;
    const { events: recorded } = await observed(
      secret,
      events.filter(({ detail }) => known.includes(detail.eventName)),
    );
    expect(recorded).toMatchObject([
      { detailType: 'Secret Rotation Failed', detail: { data: { step: 'testSecret' } } },
    ]);
  });

  test('a revocation has the foreign function replace the credential, and ends without proof', async () => {
    const secret = await createSecret();
    const leaked = await rotate(secret);
    await eventsOf(secret, 2);
    const store = new SecretsManagerStore(client);
    const bus = new MemoryBus();
    const origin = {
      source: 'rekey.containment' as const,
      environment: 'prod',
      actor: 'test',
      clock: systemClock,
      random: systemRandom,
    };
    const dependencies = {
      rotator: external,
      strategy: 'single-user' as const,
      store,
      databases: noDatabases,
      bus,
      origin,
      target: { connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
    };
    const request = {
      requestId: randomUUID(),
      correlationId: 'INC-7',
      secretArn: secret,
      secretName: secret,
      versions: [leaked],
      named: true,
    };
    const rotated = await rotateForRevocation(request, {
      store,
      rotation: new SecretsManagerRotation(client),
      clock: systemClock,
    });
    const after = { ...request, ...rotated };
    const swept = await containLeaks({ ...after, action: 'contain' }, dependencies);
    const verified = await verifyLeaks({ ...after, action: 'verify' }, dependencies);
    const state = {
      ...request,
      requestDigest: 'x',
      mode: 'replace',
      containmentFunction: 'containment',
      requestedAt: new Date().toISOString(),
      consumers: ['billing'],
      owner: 'dba',
      rotated,
      swept: { value: swept },
      verified: { value: verified },
    };
    expect(await report(state, { bus, origin: { ...origin, source: 'rekey.revocation' } })).toMatchObject({
      outcome: 'unproven',
      newVersionId: rotated.newVersionId,
      note: expect.stringContaining('consumers: billing; owner: dba'),
    });
    const published = JSON.stringify(bus.events);
    expect(published).toContain('Secret Revocation Unproven');
    expect(published).not.toContain('Secret Revocation Succeeded');
    const old = await store.read(secret, { versionId: leaked });
    const now = await store.read(secret, { stage: 'AWSCURRENT' });
    expect(now?.versionId).toBe(rotated.newVersionId);
    const passwordOf = (text = '{}'): string => (JSON.parse(text) as { password: string }).password;
    expect(passwordOf(now?.value)).not.toBe(passwordOf(old?.value));
    for (const version of [old, now]) expect(published).not.toContain(passwordOf(version?.value));
    expect((await foreign.events(secret)).map(({ Step }) => Step)).toHaveLength(8);
  });
});
