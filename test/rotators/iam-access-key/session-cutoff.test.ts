import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseCutoff } from '../../../rotators/iam-access-key/session-cutoff.ts';
import { cutoffBy } from '../../../rotators/iam-access-key/session-cutoff-call.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const request = {
  username: 'orders',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  before: '2026-03-01T12:00:01.000Z',
  unlessKnown: false,
};

describe('what the function that ends sessions takes', () => {
  test('is a user, a key, a time and whether to leave an earlier one', () => {
    expect(parseCutoff(request, now)).toEqual({ ...request, before: new Date(request.before) });
  });

  test('may lie a minute ahead, since clocks differ, and no more', () => {
    const at = (before: string) => () => parseCutoff({ ...request, before }, now);
    expect(at('2026-03-01T12:01:00.000Z')).not.toThrow();
    expect(at('2026-03-01T12:01:00.001Z')).toThrow(
      'IAM user "orders": no session was ended: 2026-03-01T12:01:00.001Z is more than 60 s ahead',
    );
  });

  test.each([
    ['username', { username: '../admin' }],
    ['accessKeyId', { accessKeyId: 'AKIA", "Effect": "Allow' }],
    ['before', { before: 'yesterday' }],
    ['unlessKnown', { unlessKnown: 'no' }],
    ['the event', { document: '{}' }],
  ])('is nothing else: %s', (field, wrong) => {
    expect(() => parseCutoff({ ...request, ...wrong }, now)).toThrow(
      expect.objectContaining({
        code: 'SessionCutoffInvalid',
        message: expect.stringContaining(`: ${field} is missing or has not the form`),
      }) as never,
    );
  });
});

describe('what the containment function makes of its answer', () => {
  let server: Server | undefined;
  afterEach(() => new Promise((resolve) => server?.close(resolve)));

  /** Lambda's side of an invocation, as its API reference has it. */
  async function answering(status: number, headers: Record<string, string>, body: unknown) {
    const asked: { url: string | undefined; body: unknown }[] = [];
    server = createServer((incoming, outgoing) => {
      let text = '';
      incoming.on('data', (part) => {
        text += part;
      });
      incoming.on('end', () => {
        asked.push({ url: incoming.url, body: JSON.parse(text) });
        outgoing.writeHead(status, { ...headers, connection: 'close' });
        outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const cutoff = cutoffBy('cutoff', {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const context = { connectTimeoutMs: 10_000, statementTimeoutMs: 10_000, finding: () => undefined };
    const call = () => cutoff({ ...request, before: new Date(request.before) }, context);
    return { asked, call };
  }
  const failed = { 'x-amz-function-error': 'Unhandled' };

  test('is since when sessions are let in', async () => {
    const { asked, call } = await answering(200, {}, { before: '2026-03-01T12:00:05.000Z' });
    expect(await call()).toEqual(new Date('2026-03-01T12:00:05.000Z'));
    expect(asked).toEqual([{ url: '/2015-03-31/functions/cutoff/invocations', body: request }]);
  });

  test('is nothing where there is no such user', async () => {
    expect(await (await answering(200, {}, { before: null })).call()).toBeUndefined();
  });

  test.each([
    ['an error of its own keeps its code', 'TargetUnreachable', true],
    ['one that may pass is tried again', 'TargetTimeout', true],
    ['a missing permission is named', 'PermissionMissing', false],
  ])('%s', async (_, errorType, retryable) => {
    const { call } = await answering(200, failed, { errorType, errorMessage: 'IAM user "orders": …' });
    await expect(call()).rejects.toMatchObject({
      code: errorType,
      message: 'IAM user "orders": …',
      retryable,
    });
  });

  test.each([
    ['TargetTimeout', 'Sandbox.Timedout'],
    ['TargetTimeout', 'Runtime.ExitError'],
    ['TargetRefused', 'Unexpected'],
    ['TargetRefused', 'a "value"'],
  ])('%s: what Lambda itself says of %s is not passed on', async (code, errorType) => {
    const { call } = await answering(200, failed, { errorType, errorMessage: 'quotes a value' });
    const error = await call().then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining('IAM user "orders": its sessions go on: the function cutoff failed ('),
    });
    expect(error?.message).not.toContain('value');
  });

  test.each([[{ before: 'soon' }], ['no JSON'], ['']])('%j is no answer', async (body) => {
    const { call } = await answering(200, {}, body);
    await expect(call()).rejects.toMatchObject({ code: 'TargetRefused' });
  });

  test('is a permission that is missing where Lambda refuses the call', async () => {
    const { call } = await answering(
      403,
      { 'x-amzn-errortype': 'AccessDeniedException' },
      { Message: 'User is not authorized' },
    );
    await expect(call()).rejects.toMatchObject({
      code: 'PermissionMissing',
      message: expect.stringContaining('needs lambda:InvokeFunction on the function cutoff'),
    });
  });
});
