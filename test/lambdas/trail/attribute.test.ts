import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../../adapters/system.ts';
import { trailFilesPrefix } from '../../../core/deployed/trail.ts';
import { type AnyEvent, detailSchema, type EventData } from '../../../core/events/catalogue.ts';
import { noticeOf } from '../../../core/notification/tellings.ts';
import { attributedTypes } from '../../../core/trail/claim.ts';
import { type AttributionDependencies, attribute, attributeBatch } from '../../../lambdas/trail/attribute.ts';
import {
  account,
  busArn,
  fileOf,
  getSecretValue,
  pieces,
  putEvents,
  rotateSecret,
  session,
} from '../../core/trail/samples.ts';
import { PlainTrailMemory } from './memory.ts';

const bucket = 'audit-bucket';
const keyPrefix = trailFilesPrefix({ account, region: 'eu-central-1' });
const alice = session('responder', 'alice');
const eventId = 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111';
const requestId = '0195a000-0000-7000-8000-000000000001';
const secretArn = `arn:aws:secretsmanager:eu-central-1:${account}:secret:/prod/orders/db-AbCdEf`;
const versionId = '0195a000-0000-7000-8000-00000000000a';

let memory: PlainTrailMemory;
let published: AnyEvent[];
let stored: Map<string, Buffer>;
let busFails: number;

beforeEach(() => {
  [memory, published, stored, busFails] = [new PlainTrailMemory(), [], new Map(), 0];
});

const dependencies = (): AttributionDependencies => ({
  files: {
    open: async (key) => {
      const file = stored.get(key);
      if (file === undefined) throw new Error('no such file');
      return pieces(file, 64);
    },
  },
  bucket,
  keyPrefix,
  busArn,
  memory,
  records: {
    publish: async (events) => {
      busFails -= 1;
      if (busFails >= 0) throw new Error('the bus is away');
      published.push(...events);
    },
  },
  origin: {
    source: 'rekey.trail',
    environment: 'prod',
    actor: 'lambda:attribution',
    clock: { now: () => new Date('2026-03-07T01:00:00.000Z') },
    random: systemRandom,
  },
});

/** Makes S3's word of a file, and the file. */
const delivered = (name: string, ...records: readonly unknown[]) => {
  const key = `${keyPrefix}2026/03/07/${name}.json.gz`;
  stored.set(key, fileOf(...records));
  return created(key);
};
const created = (key: string, name = bucket) => ({
  source: 'aws.s3',
  'detail-type': 'Object Created',
  detail: { bucket: { name }, object: { key, 'version-id': 'v1' } },
});
const bussed = (
  detailType: string,
  data: object,
  of: { id?: string; actor?: string; replay?: string } = {},
) => ({
  id: of.id ?? eventId,
  'detail-type': detailType,
  source: 'rekey.cli',
  ...(of.replay !== undefined && { 'replay-name': of.replay }),
  detail: {
    metadata: {
      id: requestId,
      schemaVersion: 1,
      time: '2026-03-07T00:51:06.000Z',
      environment: 'prod',
      actor: of.actor ?? alice.arn,
      correlationId: 'INC-7',
    },
    data,
  },
});
const request = (of: { actor?: string; replay?: string } = {}) =>
  bussed(
    'Secret Revocation Requested',
    { select: { secret: '/prod/orders/db' }, mode: 'kill', reason: 'leaked' },
    of,
  );
const rotation = () =>
  bussed(
    'Secret Rotation Started',
    { secretArn, secretName: '/prod/orders/db', versionId },
    { actor: 'lambda:rotation' },
  );
const take = async (...messages: readonly unknown[]) => {
  for (const message of messages) await attribute(message, dependencies());
};
const told = () => published.map(({ detail: { data } }) => data as EventData<'Request Attributed'>);

describe('a request and the call behind it', () => {
  test('are told of together, with who really called', async () => {
    await take(request(), delivered('a', putEvents()));
    expect(published).toMatchObject([
      {
        source: 'rekey.trail',
        detailType: 'Request Attributed',
        detail: {
          metadata: { correlationId: 'INC-7', causationId: requestId },
          data: {
            requestId,
            about: 'Secret Revocation Requested',
            subject: '/prod/orders/db',
            claimed: alice.arn,
            proven: {
              principal: alice.arn,
              identity: `arn:aws:iam::${account}:role/people/responder`,
              session: 'alice',
              sourceAddress: '192.0.2.1',
              userAgent: 'aws-cli/2.33.13',
              time: '2026-03-07T00:51:07.000Z',
              trailEventId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE33333',
            },
            agrees: true,
          },
        },
      },
    ]);
  });

  test('are told of by an event of the catalogue, whatever stands in the record', async () => {
    const long = 'x'.repeat(2_048);
    const userIdentity = { ...alice, arn: `arn:aws:sts::${account}:assumed-role/a/${long.slice(100)}` };
    await take(
      request({ actor: 'y'.repeat(512) }),
      delivered('a', putEvents({ userIdentity, userAgent: long, sourceIPAddress: long })),
    );
    expect(published).toHaveLength(1);
    expect(detailSchema('Request Attributed').safeParse(published[0]?.detail).error).toBeUndefined();
  });

  test('are told of once, in whichever order and however often they come', async () => {
    const file = delivered('a', putEvents());
    const again = delivered('b', getSecretValue(), putEvents());
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), async (order) => {
        [memory, published] = [new PlainTrailMemory(), []];
        const messages = [request(), file, again, request(), file];
        await take(...order.map((place) => messages[place]));
        expect(told()).toHaveLength(1);
      }),
      { numRuns: 20 },
    );
  });

  test('are told of after the bus was away, and under the same id where the note of it was lost', async () => {
    busFails = 1;
    await expect(take(request(), delivered('a', putEvents()))).rejects.toThrow('the bus is away');
    memory.forgets = 1;
    await take(delivered('a', putEvents()));
    await take(delivered('a', putEvents()));
    expect(new Set(published.map(({ detail }) => detail.metadata.id)).size).toBe(1);
    expect(published).toHaveLength(2);
    await take(delivered('a', putEvents()));
    expect(published).toHaveLength(2);
  });

  test.each([
    ['somebody else', 'arn:aws:sts::111122223333:assumed-role/responder/bob', false],
    ['the role', `arn:aws:iam::${account}:role/people/responder`, true],
    ['words that could be anybody', 'the on-call', false],
    [
      'a session of the same name under another role',
      'arn:aws:sts::111122223333:assumed-role/other/alice',
      false,
    ],
    ['a function', 'lambda:alice-fn', false],
    ['a function that the session is called like', 'lambda:alice', false],
  ])('disagree or agree where the sender names %s', async (_what, actor, agrees) => {
    await take(request({ actor }), delivered('a', putEvents()));
    expect(told()).toMatchObject([{ claimed: actor, agrees }]);
  });

  test.each([
    ['by the function that AWS gave the credentials to', 'signal', true],
    ['and by no session that is called like it', 'other', false],
  ])('agree for a function %s', async (_what, given, agrees) => {
    const userIdentity = {
      ...session('signal-role', 'signal'),
      inScopeOf: {
        issuerType: 'AWS::Lambda::Function',
        credentialsIssuedTo: `arn:aws:lambda:eu-central-1:${account}:function:${given}`,
      },
    };
    await take(request({ actor: 'lambda:signal' }), delivered('a', putEvents({ userIdentity })));
    expect(told()).toMatchObject([{ agrees }]);
  });

  test('are an emergency for people where they disagree, and nothing to wake anybody with where they agree', async () => {
    await take(request({ actor: 'mallory' }), delivered('a', putEvents()));
    expect(noticeOf(published[0] as AnyEvent)).toMatchObject({
      urgency: 'emergency',
      incident: { act: 'opens' },
      title: expect.stringContaining('Somebody else asked'),
    });
    published = [];
    memory = new PlainTrailMemory();
    await take(request(), delivered('a', putEvents()));
    expect(noticeOf(published[0] as AnyEvent)).toMatchObject({
      urgency: 'information',
      incident: { act: 'tells' },
    });
  });
});

describe('what is no request', () => {
  test.each([
    ['a replay', request({ replay: 'again' })],
    ['another event', bussed('Finding Raised', {})],
    ['an event of another form', { ...request(), detail: {} }],
    ['nothing', null],
  ])('is left aside: %s', async (_what, message) => {
    await take(delivered('a', putEvents()), message);
    expect(published).toEqual([]);
  });

  test('is a call that was refused, on another bus, or that put another event', async () => {
    const entries = (of: object) => ({
      requestParameters: {
        entries: [{ detailType: 'Secret Revocation Requested', eventBusName: 'rekey-prod', ...of }],
      },
    });
    await take(
      request(),
      delivered(
        'a',
        putEvents({ errorCode: 'AccessDenied' }),
        putEvents(entries({ eventBusName: 'rekey-dev' })),
        putEvents(entries({ detailType: 'Finding Raised' })),
      ),
    );
    expect(published).toEqual([]);
  });
});

describe('a rotation', () => {
  test('is told of with who started it, which nobody had claimed', async () => {
    await take(rotation(), delivered('a', rotateSecret()));
    const [event] = told();
    expect(event).toMatchObject({
      requestId: versionId,
      about: 'Secret Rotation Started',
      subject: '/prod/orders/db',
      proven: { principal: alice.arn },
      agrees: true,
    });
    expect(event).not.toHaveProperty('claimed');
  });

  test('is not taken for that of another secret whose version has the same id', async () => {
    const other = rotateSecret({
      requestParameters: { secretId: 'mine', clientRequestToken: versionId },
      responseElements: null,
      eventID: 'other',
    });
    await take(delivered('a', other), rotation());
    expect(published).toEqual([]);
    await take(delivered('b', rotateSecret({ responseElements: null })));
    expect(told()).toHaveLength(1);
  });

  test('is not attributed to the function that tells of it', async () => {
    const put = putEvents({
      requestParameters: { entries: [{ detailType: 'Secret Rotation Started', eventBusName: 'rekey-prod' }] },
    });
    await take(rotation(), delivered('a', put));
    expect(published).toEqual([]);
  });
});

describe('what asks for something', () => {
  test.each(attributedTypes)(
    'is attributed, by its own id where it has no request: %s',
    async (detailType) => {
      await take(bussed(detailType, { versionId, secretName: 'a' }));
      await take(
        delivered(
          'a',
          putEvents({ requestParameters: { entries: [{ detailType, eventBusName: busArn }] } }),
          rotateSecret({ requestParameters: { secretId: 'a', clientRequestToken: versionId } }),
        ),
      );
      expect(told()).toMatchObject([{ about: detailType, subject: 'a' }]);
    },
  );

  test.each(['Principal Quarantine Requested', 'Principal Quarantine Lift Requested'])(
    'is attributed to its caller, and says which principal it is about: %s',
    async (detailType) => {
      const principal = 'arn:aws:iam::111122223333:role/app-worker';
      const quarantineId = '0195a000-0000-7000-8000-00000000000a';
      await take(
        bussed(detailType, { principal, quarantineId, reason: 'host was entered', incident: 'INC-7' }),
        delivered('a', putEvents({ requestParameters: { entries: [{ detailType, eventBusName: busArn }] } })),
      );
      expect(told()).toMatchObject([{ about: detailType, subject: principal }]);
    },
  );
});

describe('reads of secrets', () => {
  const at = (second: number) => `2026-03-07T00:00:${String(second).padStart(2, '0')}Z`;

  test('are kept by role and secret, the last of each, in one write', async () => {
    const records = [5, 9, 7].map((second) => getSecretValue({ eventTime: at(second) }));
    await take(
      delivered('a', ...records, getSecretValue({ userIdentity: { invokedBy: 'backup.amazonaws.com' } })),
    );
    expect([...memory.reads.values()]).toEqual([
      {
        identity: `arn:aws:iam::${account}:role/people/responder`,
        secret: '/prod/orders/db',
        time: '2026-03-07T00:00:09.000Z',
      },
    ]);
    expect(memory.flushes).toBe(1);
    expect([memory.since, memory.until]).toEqual(['2026-03-07T00:00:05.000Z', '2026-03-07T00:51:07.000Z']);
  });

  test('of very many are written in parts', async () => {
    const records = Array.from({ length: 5_001 }, (_, at) =>
      getSecretValue({ requestParameters: { secretId: `s${at}` } }),
    );
    await take(delivered('a', ...records));
    expect(memory.reads.size).toBe(5_001);
    expect(memory.flushes).toBe(2);
  });

  test('before a fault of the file are kept, and the file is refused', async () => {
    const message = delivered(
      'a',
      ...Array.from({ length: 300 }, (_, at) => getSecretValue({ eventID: `${Math.sin(at)}` })),
    );
    const key = message.detail.object.key;
    stored.set(key, (stored.get(key) as Buffer).subarray(0, -30));
    await expect(take(message)).rejects.toMatchObject({ code: 'TrailFileInvalid' });
    expect(memory.reads.size).toBe(1);
    expect(memory.until).toBeUndefined();
  });
});

describe('a message of the queue', () => {
  test.each([
    ['a file of another bucket', () => created(`${keyPrefix}a.json.gz`, 'another')],
    ['a file of another account', () => created('AWSLogs/999999999999/CloudTrail/eu-central-1/a.json.gz')],
    ['a digest', () => created(`AWSLogs/${account}/CloudTrail-Digest/eu-central-1/a.json.gz`)],
    ['another file', () => created(`${keyPrefix}a.txt`)],
  ])('is left aside: %s', async (_what, message) => {
    expect(await attribute(message(), dependencies())).toMatchObject({ calls: 0 });
  });

  test('counts what could not be read, and what was disputed', async () => {
    await take(request({ actor: 'mallory' }));
    expect(await attribute(delivered('a', putEvents(), { no: 1 }, getSecretValue()), dependencies())).toEqual(
      {
        told: 1,
        disputed: 1,
        calls: 2,
        unreadable: 1,
      },
    );
  });

  test('comes again where it failed, or where no time is left, and holds up no other', async () => {
    const body = (message: unknown) => JSON.stringify(message);
    const failed: unknown[] = [];
    let left = 300_000;
    const answer = await attributeBatch(
      [
        { messageId: 'gone', body: body(created(`${keyPrefix}gone.json.gz`)) },
        { messageId: 'garbage', body: '{' },
        { messageId: 'good', body: body(delivered('a', putEvents())) },
        { messageId: 'late', body: body(delivered('b', getSecretValue())) },
      ],
      dependencies(),
      {
        remainingMs: () => left,
        done: () => {
          left = 1_000;
        },
        failed: (error) => failed.push(error),
      },
    );
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual([
      'gone',
      'garbage',
      'late',
    ]);
    expect(failed).toHaveLength(2);
  });
});
