import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TrailCall } from '../../../core/trail/call.ts';
import { eventsPut, rotationAsked, secretsRead } from '../../../core/trail/deeds.ts';
import { trailCalls } from '../../../core/trail/file.ts';
import type { TrailFileLimits } from '../../../core/trail/json-records.ts';
import { account, busArn, fileOf, getSecretValue, pieces, putEvents, rotateSecret } from './samples.ts';

async function read(file: Uint8Array, limits: TrailFileLimits = {}, length = 7) {
  const calls: (TrailCall | undefined)[] = [];
  for await (const call of trailCalls(pieces(file, length), limits)) calls.push(call);
  return calls;
}
const only = async (record: unknown): Promise<TrailCall> => {
  const [call] = await read(fileOf(record));
  if (call === undefined) throw new Error('the record was not read');
  return call;
};
const refused = { code: 'TrailFileInvalid' };

describe('a file of a trail', () => {
  test('gives its calls, with who made each', async () => {
    const calls = await read(fileOf(putEvents(), getSecretValue()));
    expect(calls).toMatchObject([
      {
        id: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE33333',
        time: '2026-03-07T00:51:07.000Z',
        service: 'events.amazonaws.com',
        name: 'PutEvents',
        caller: {
          principal: `arn:aws:sts::${account}:assumed-role/responder/alice`,
          identity: `arn:aws:iam::${account}:role/people/responder`,
          session: 'alice',
          account,
        },
        sourceAddress: '192.0.2.1',
        userAgent: 'aws-cli/2.33.13',
        resources: [busArn],
      },
      { name: 'GetSecretValue' },
    ]);
  });

  test('gives the same however it is cut into pieces', async () => {
    const records = [
      putEvents({ userAgent: 'a " quote, {agent] [ü€😀 \\' }),
      getSecretValue(),
      rotateSecret(),
    ];
    const file = fileOf(...records);
    const whole = await read(file, {}, file.length);
    expect(whole).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 64 }), async (length) => {
        expect(await read(file, {}, length)).toEqual(whole);
      }),
      { numRuns: 15 },
    );
  });

  test('takes the members around the records for what they are', async () => {
    const file = gzipSync(
      JSON.stringify({
        note: 'Records',
        other: [{ eventID: 'x' }],
        Records: [getSecretValue()],
        more: { Records: [] },
      }),
    );
    expect(await read(file)).toMatchObject([{ name: 'GetSecretValue' }]);
  });

  test('passes over records of another form, and goes on', async () => {
    const calls = await read(
      fileOf({ hello: 1 }, 'text', 5, null, [putEvents()], getSecretValue({ eventTime: 'now' }), putEvents()),
    );
    expect(calls.map((call) => call?.name)).toEqual([undefined, undefined, 'PutEvents']);
  });

  test('passes over a record that is too long, and holds no more of it than the bound', async () => {
    const calls = await read(fileOf(putEvents({ userAgent: 'x'.repeat(10_000) }), getSecretValue()), {
      longestRecord: 4_000,
    });
    expect(calls.map((call) => call?.name)).toEqual([undefined, 'GetSecretValue']);
  });

  test.each([
    ['is empty', gzipSync('')],
    ['is no gzip', Buffer.from('{"Records":[]}')],
    ['is cut off before it is packed', gzipSync('{"Records":[{"eventID":"1"}')],
    ['closes what it did not open', gzipSync('{"Records":[}]')],
    ['is a list', gzipSync('[]')],
    ['is nested without end', gzipSync(`{"Records":[${'['.repeat(2_000)}`)],
  ])('is refused where it %s', async (_what, file) => {
    await expect(read(file)).rejects.toMatchObject(refused);
  });

  test('is refused where its packed bytes are cut off, after what was whole', async () => {
    const file = fileOf(
      ...Array.from({ length: 200 }, (_, at) => putEvents({ eventID: `id-${at}-${Math.sin(at)}` })),
    );
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const call of trailCalls(pieces(file.subarray(0, file.length - 20)))) seen.push(call);
    })();
    await expect(reading).rejects.toMatchObject(refused);
  });

  test('is refused once it unpacks to more than the bound', async () => {
    const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '));
    await expect(read(bomb, { mostBytes: 1024 * 1024 }, 1_000)).rejects.toMatchObject(refused);
  });

  test('leaves an error of the way to it as it is', async () => {
    const lost = new Error('connection reset');
    async function* broken() {
      yield fileOf(putEvents()).subarray(0, 20);
      throw lost;
    }
    const reading = (async () => {
      for await (const _ of trailCalls(broken())) void _;
    })();
    await expect(reading).rejects.toBe(lost);
  });

  test('ends its stream where the reader stops early', async () => {
    let given = 0;
    async function* counted() {
      for await (const piece of pieces(
        fileOf(...Array.from({ length: 3_000 }, (_, at) => putEvents({ eventID: `${Math.sin(at)}` }))),
        64,
      )) {
        given += 1;
        yield piece;
      }
    }
    for await (const call of trailCalls(counted())) {
      expect(call?.name).toBe('PutEvents');
      break;
    }
    expect(given).toBeGreaterThan(0);
  });

  test('never fails on bytes of anybody but by its own refusal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const outcome = await read(gzipSync(text)).catch((error: { code?: string }) => error.code);
        expect(Array.isArray(outcome) || outcome === 'TrailFileInvalid').toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('events that a call put', () => {
  test('have the ids that EventBridge answered', async () => {
    expect(eventsPut(await only(putEvents()), busArn)).toEqual([
      { eventId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111', detailType: 'Secret Revocation Requested' },
    ]);
  });

  test('are those of this bus, each by its own place', async () => {
    const call = await only(
      putEvents({
        requestParameters: {
          entries: ['default', 'rekey-prod', busArn, 'rekey-prod'].map((eventBusName, place) => ({
            detailType: `Type ${place}`,
            eventBusName,
          })),
        },
        responseElements: {
          entries: [{ eventId: '0' }, { eventId: '1' }, { errorCode: 'InternalFailure' }, { eventId: '3' }],
        },
      }),
    );
    expect(eventsPut(call, busArn).map(({ eventId, detailType }) => [eventId, detailType])).toEqual([
      ['1', 'Type 1'],
      ['3', 'Type 3'],
    ]);
  });

  test.each([
    ['was refused', putEvents({ errorCode: 'AccessDenied' })],
    ['has no answer', putEvents({ responseElements: null })],
    ['is of another service', putEvents({ eventSource: 'iot.amazonaws.com' })],
    ['has another form', putEvents({ requestParameters: { entries: 'many' } })],
  ])('are none where the call %s', async (_what, record) => {
    expect(eventsPut(await only(record), busArn)).toEqual([]);
  });
});

describe('secrets that a call read', () => {
  test.each([
    ['one', getSecretValue(), ['/prod/orders/db']],
    [
      'several, each once',
      getSecretValue({
        eventName: 'BatchGetSecretValue',
        requestParameters: { secretIdList: ['a', 'b', 'a'] },
      }),
      ['a', 'b'],
    ],
    [
      'none by a filter',
      getSecretValue({ eventName: 'BatchGetSecretValue', requestParameters: { filters: [] } }),
      [],
    ],
    ['none where it was refused', getSecretValue({ errorCode: 'AccessDeniedException' }), []],
    ['none of another call', getSecretValue({ eventName: 'DescribeSecret' }), []],
  ])('are %s', async (_what, record, expected) => {
    expect(secretsRead(await only(record))).toEqual(expected);
  });
});

describe('a rotation that a call asked for', () => {
  const versionId = '0195a000-0000-7000-8000-00000000000a';

  test('is known by the ARN of the answer and the version', async () => {
    expect(rotationAsked(await only(rotateSecret()))).toEqual({
      secret: `arn:aws:secretsmanager:eu-central-1:${account}:secret:/prod/orders/db-AbCdEf`,
      versionId,
    });
  });

  test('is known by the request alone', async () => {
    expect(rotationAsked(await only(rotateSecret({ responseElements: null })))).toEqual({
      secret: '/prod/orders/db',
      versionId,
    });
  });

  test.each([
    ['that was refused', rotateSecret({ errorCode: 'InvalidRequestException' })],
    ['without a version', rotateSecret({ requestParameters: { secretId: 'a' }, responseElements: null })],
    ['of another kind', rotateSecret({ eventName: 'PutSecretValue' })],
  ])('is none in a call %s', async (_what, record) => {
    expect(rotationAsked(await only(record))).toBeUndefined();
  });
});

describe('who called', () => {
  test.each([
    [
      'a user',
      { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/team/bob`, accountId: account },
      {
        principal: `arn:aws:iam::${account}:user/team/bob`,
        identity: `arn:aws:iam::${account}:user/team/bob`,
        account,
      },
    ],
    [
      'a service',
      { type: 'AWSService', invokedBy: 'events.amazonaws.com' },
      { principal: 'events.amazonaws.com' },
    ],
    [
      'a function',
      {
        arn: `arn:aws:sts::${account}:assumed-role/fn-role/intake`,
        inScopeOf: {
          issuerType: 'AWS::Lambda::Function',
          credentialsIssuedTo: `arn:aws:lambda:eu-central-1:${account}:function:intake`,
        },
      },
      {
        principal: `arn:aws:sts::${account}:assumed-role/fn-role/intake`,
        session: 'intake',
        function: `arn:aws:lambda:eu-central-1:${account}:function:intake`,
      },
    ],
    ['nobody that is named', {}, { principal: 'unknown' }],
  ])('is %s', async (_what, userIdentity, expected) => {
    expect((await only(putEvents({ userIdentity }))).caller).toEqual(expected);
  });
});
