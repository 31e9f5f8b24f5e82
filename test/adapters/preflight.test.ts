import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openPreflight } from '../../adapters/operator/preflight-cloud.ts';

/** The account as a preflight asks it, on a server that answers as Secrets Manager and counts. */

const region = 'eu-central-1';
const value = (text: string) => ({ SecretString: text });
const arnOf = (name: string) => `arn:aws:secretsmanager:${region}:111122223333:secret:${name}-AbCdEf`;
const place = (name: string, more: object = {}) => ({ id: arnOf(name), region, ...more });

let server: Server | undefined;
afterEach(() => {
  server?.close();
});

type Answer = { readonly status?: number; readonly body: object };

/** Starts a server whose answers are given by action, and opens the account on it. */
async function account(answers: Record<string, (input: Record<string, never>, count: number) => Answer>) {
  const calls: Record<string, number> = {};
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const action = String(request.headers['x-amz-target']).split('.')[1] ?? '';
      calls[action] = (calls[action] ?? 0) + 1;
      const { status = 200, body } = answers[action]?.(JSON.parse(text), calls[action]) ?? {
        status: 400,
        body: { __type: 'AccessDeniedException' },
      };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const options = {
    region,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000 },
  };
  const { cloud } = await openPreflight(options);
  return { cloud, calls };
}

describe('shapes', () => {
  test('current values come together, others by one call each, and only names of keys come out', async () => {
    const { cloud, calls } = await account({
      BatchGetSecretValue: ({ SecretIdList: ids }: { SecretIdList?: string[] }) => ({
        body: {
          SecretValues: (ids ?? [])
            .slice(0, 2)
            .map((ARN) => ({ ARN, ...value('{"a":"sentinel","b":{"c":1}}') })),
          Errors: (ids ?? [])
            .slice(2)
            .map((SecretId) => ({ SecretId, ErrorCode: 'AccessDeniedException', Message: 'no' })),
        },
      }),
      GetSecretValue: () => ({ body: value('text') }),
    });
    const shapes = await cloud.shapes([
      place('one'),
      place('two', { versionStage: 'AWSCURRENT' }),
      place('three'),
      place('four', { versionStage: 'AWSPREVIOUS' }),
    ]);
    expect(calls).toEqual({ BatchGetSecretValue: 1, GetSecretValue: 1 });
    const json = { kind: 'json', paths: [['a'], ['b'], ['b', 'c']], cut: false };
    expect(shapes).toEqual([
      json,
      json,
      expect.objectContaining({ code: 'SecretAccessDenied' }),
      { kind: 'text', paths: [], cut: false },
    ]);
    expect(JSON.stringify(shapes)).not.toContain('sentinel');
  });

  test('whoever may not read together reads one by one', async () => {
    const { cloud, calls } = await account({ GetSecretValue: () => ({ body: value('{"a":1}') }) });
    expect(await cloud.shapes([place('one'), place('two')])).toMatchObject([
      { kind: 'json' },
      { kind: 'json' },
    ]);
    expect(calls).toEqual({ BatchGetSecretValue: 1, GetSecretValue: 2 });
  });

  test('what a call of many leaves out is asked for alone', async () => {
    const { cloud, calls } = await account({
      BatchGetSecretValue: () => ({ body: { SecretValues: [], Errors: [] } }),
      GetSecretValue: () => ({ body: { SecretBinary: 'AAAA' } }),
    });
    expect(await cloud.shapes([place('one'), place('two')])).toMatchObject([
      { kind: 'binary' },
      { kind: 'binary' },
    ]);
    expect(calls.GetSecretValue).toBe(2);
  });
});

test('a throttled call is tried again until it is answered', async () => {
  const { cloud, calls } = await account({
    DescribeSecret: (_input, count) =>
      count < 4
        ? { status: 400, body: { __type: 'ThrottlingException' } }
        : { body: { ARN: arnOf('one'), Name: 'one' } },
  });
  expect(await cloud.secret({ id: 'one', region })).toMatchObject({ name: 'one' });
  expect(calls.DescribeSecret).toBe(4);
});

test('a secret that is not there is none; one that may not be seen is an error that names the action', async () => {
  const { cloud } = await account({
    DescribeSecret: () => ({ status: 400, body: { __type: 'ResourceNotFoundException' } }),
  });
  expect(await cloud.secret({ id: 'one', region })).toBeUndefined();
  await expect(cloud.resourcePolicy({ id: 'one', region })).rejects.toMatchObject({
    code: 'SecretAccessDenied',
    message: expect.stringContaining('secretsmanager:GetResourcePolicy on one is denied'),
  });
});

test('names are listed to the end, and no further than suggestions need', async () => {
  const { cloud, calls } = await account({
    ListSecrets: () => ({
      body: {
        SecretList: Array.from({ length: 100 }, (_, index) => ({ Name: `s${index}` })),
        NextToken: 'more',
      },
    }),
  });
  expect(await cloud.names(region)).toHaveLength(5_000);
  expect(calls.ListSecrets).toBe(50);
});

test('a policy whose form is not known concludes nothing', async () => {
  const { cloud } = await account({
    GetResourcePolicy: () => ({ body: { ResourcePolicy: '{"Statement":[{"Effect":"Perhaps"}]}' } }),
  });
  await expect(cloud.resourcePolicy({ id: 'one', region })).rejects.toMatchObject({ code: 'CallRefused' });
});
