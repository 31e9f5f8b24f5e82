import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../../adapters/system.ts';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import { detailSchema } from '../../../core/events/catalogue.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import { observe } from '../../../lambdas/observation/observe.ts';
import { MemoryBus } from '../rotation/engine.ts';
import { MemoryStore } from '../rotation/memory-store.ts';

const secretArn = 'arn:aws:secretsmanager:us-west-2:111122223333:secret:Appuser-WoDpmU';
const token = '7ac47c8c-f328-423b-9698-6926dd1f293e';

/** As events of this kind were published by AWS and by users; account and names replaced. */
const event = (eventName: string, detail: object = {}): Record<string, unknown> => ({
  version: '0',
  id: 'dd5fd657-7361-f5d2-0c0f-0fe27390611b',
  'detail-type': 'AWS Service Event via CloudTrail',
  source: 'aws.secretsmanager',
  account: '111122223333',
  time: '2021-08-13T19:17:17Z',
  region: 'us-west-2',
  resources: [],
  detail: {
    eventVersion: '1.08',
    userIdentity: { accountId: '111122223333', invokedBy: 'secretsmanager.amazonaws.com' },
    eventTime: '2021-08-13T19:17:16Z',
    eventSource: 'secretsmanager.amazonaws.com',
    eventName,
    awsRegion: 'us-west-2',
    sourceIPAddress: 'secretsmanager.amazonaws.com',
    userAgent: 'secretsmanager.amazonaws.com',
    requestParameters: null,
    responseElements: null,
    additionalEventData: { SecretId: secretArn },
    requestID: `Rotation-${secretArn}-${token}`,
    eventID: '638c6d2d-e098-4100-a3e0-a4b7b87e5b92',
    readOnly: false,
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: '111122223333',
    eventCategory: 'Management',
    ...detail,
  },
});
const failed = (detail: object = {}) =>
  event('RotationFailed', {
    errorMessage: `Error when executing lambda arn:aws:lambda:us-west-2:111122223333:function:oracle during setSecret step`,
    eventID: 'e3b69cfe-b70e-4c94-baa9-9decc3c150b9',
    ...detail,
  });

class World {
  readonly store = new MemoryStore();
  readonly bus = new MemoryBus();
  readonly definition: SecretDefinition = {
    name: 'Appuser',
    arn: secretArn,
    type: 'external',
    strategy: 'alternating-users',
    owner: 'dba',
    consumers: [],
    schedule: 'rate(30 days)',
    rotationFunction: 'oracle',
    containmentFunction: 'containment',
  };

  constructor() {
    this.store.create(secretArn, '{"username":"app","password":"s3ntinel"}');
    this.store.begin(secretArn, token);
  }

  async finish(): Promise<void> {
    await this.store.putPending(secretArn, token, '{"username":"app","password":"another s3ntinel"}');
    await this.store.moveCurrent(secretArn, { to: token, from: 'v1' });
  }

  observe(input: unknown, definition: SecretDefinition | undefined = this.definition) {
    return observe(input, {
      definitions: { find: async (secret) => (secret === secretArn ? definition : undefined) },
      store: this.store,
      wait: async () => undefined,
      records: this.bus,
      origin: { source: 'rekey.observation', environment: 'prod', random: systemRandom },
    });
  }

  get recorded() {
    for (const { detailType, detail } of this.bus.events) {
      expect(detailSchema(detailType).safeParse(detail).error).toBeUndefined();
    }
    expect(JSON.stringify(this.bus.events)).not.toContain('s3ntinel');
    return this.bus.events;
  }
}

describe('rotations of functions that are not Rekey’s', () => {
  test('are recorded as its own are: same facts, their time, who did it', async () => {
    const world = new World();
    expect(await world.observe(event('RotationStarted'))).toBe('started');
    await world.finish();
    expect(await world.observe(event('RotationSucceeded'))).toBe('succeeded');
    const subject = {
      secretArn,
      secretType: 'external',
      strategy: 'alternating-users',
      versionId: token,
      secretName: 'Appuser-WoDpmU',
      previousVersionId: 'v1',
    };
    expect(world.recorded).toMatchObject([
      { source: 'rekey.observation', detailType: 'Secret Rotation Started', detail: { data: subject } },
      { source: 'rekey.observation', detailType: 'Secret Rotation Succeeded', detail: { data: subject } },
    ]);
    for (const { detail } of world.recorded) {
      expect(detail.metadata).toMatchObject({
        time: '2021-08-13T19:17:16.000Z',
        actor: 'lambda:oracle',
        environment: 'prod',
        correlationId: token,
      });
    }
  });

  test('the same event again is the same record; another failure is another one', async () => {
    const world = new World();
    for (const input of [event('RotationStarted'), failed(), failed(), failed({ eventID: 'another' })]) {
      await world.observe(input);
    }
    await world.observe(event('RotationStarted', { eventID: 'of the retry' }));
    const ids = world.recorded.map(({ detailType, detail }) => `${detailType} ${detail.metadata.id}`);
    expect(new Set(ids).size).toBe(3);
  });

  test('a failure names the step, and quotes nothing', async () => {
    const world = new World();
    const errorMessage = 'Error during testSecret step: s3ntinel';
    expect(await world.observe(failed())).toBe('failed');
    expect(await world.observe(failed({ errorMessage }))).toBe('failed');
    expect(await world.observe(failed({ errorMessage: undefined }))).toBe('failed');
    expect(world.recorded.map(({ detail }) => detail.data)).toMatchObject([
      {
        versionId: token,
        step: 'setSecret',
        error: {
          code: 'ForeignRotationFailed',
          message: expect.stringContaining('/aws/lambda/oracle'),
          retryable: true,
        },
      },
      { step: 'testSecret' },
      { step: 'unknown' },
    ]);
  });

  test('one that was given up, and a test that failed, are failures', async () => {
    const world = new World();
    await world.observe(event('RotationAbandoned'));
    await world.observe(event('TestRotationFailed'));
    expect(world.recorded.map(({ detail }) => detail.data)).toMatchObject([
      { error: { code: 'RotationAbandoned', retryable: false } },
      { step: 'testSecret', error: { code: 'ForeignRotationFailed' } },
    ]);
  });

  test('the labels say which version it is where the event does not', async () => {
    const world = new World();
    const silent = { requestID: 'a1b2c3' };
    const lying = { requestID: `Rotation-${secretArn}-not-a-version` };
    await world.observe(event('RotationStarted', silent));
    await world.observe(failed(lying));
    await world.finish();
    await world.observe(event('RotationSucceeded', silent));
    await world.observe(event('RotationStarted', lying));
    // After a success nothing is pending that could have failed.
    await world.observe(failed(silent));
    const versions = world.recorded.map(({ detail }) => (detail.data as { versionId: string }).versionId);
    expect(versions).toEqual([token, token, token, token, 'unknown']);
  });

  test('the ARN may stand where some of these events have it', async () => {
    const world = new World();
    const input = event('RotationStarted', {
      additionalEventData: null,
      serviceEventDetails: { secretId: secretArn },
    });
    expect(await world.observe(input)).toBe('started');
  });

  test('secrets of other types and of nobody are left to whom they belong', async () => {
    const world = new World();
    expect(await world.observe(event('RotationStarted'), { ...world.definition, type: 'postgresql' })).toBe(
      'ignored',
    );
    const other = { additionalEventData: { SecretId: `${secretArn.slice(0, -6)}AbCdEf` } };
    expect(await world.observe(event('RotationSucceeded', other))).toBe('ignored');
    expect(world.recorded).toEqual([]);
  });

  test.each([
    ['nothing', {}, 'detail-type'],
    [
      'a call of the API',
      { ...event('RotateSecret'), 'detail-type': 'AWS API Call via CloudTrail' },
      'detail-type',
    ],
    ['another event', event('EndSecretVersionDelete'), 'detail.eventName'],
    [
      'an event without a secret',
      event('RotationFailed', { additionalEventData: {} }),
      'additionalEventData',
    ],
  ])('%s is refused by name, so that it ends where it is seen', async (_, input, place) => {
    await expect(new World().observe(input)).rejects.toMatchObject({
      code: 'ObservationMalformed',
      message: expect.stringContaining(place),
    });
  });

  test('a secret that cannot be described keeps the event for another try', async () => {
    const world = new World();
    const gone = { additionalEventData: { SecretId: `${secretArn}2` } };
    await expect(
      observe(event('RotationStarted', gone), {
        definitions: { find: async () => world.definition },
        store: world.store,
        records: world.bus,
        origin: { source: 'rekey.observation', environment: 'prod', random: systemRandom },
      }),
    ).rejects.toThrow(SecretError);
    expect(world.recorded).toEqual([]);
  });
});
