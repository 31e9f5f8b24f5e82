import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callFunction } from '../../adapters/function-call.ts';

describe('a function that is invoked', () => {
  let server: Server;
  let client: LambdaClient;
  let asked = '';
  /** What Lambda's interface answers: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
  let reply: { readonly error?: string; readonly payload: string };

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        asked += part;
      });
      request.on('end', () => {
        if (reply.error !== undefined) response.setHeader('x-amz-function-error', reply.error);
        response.end(reply.payload);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new LambdaClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'none' },
    });
  });

  afterAll(async () => {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const call = () => callFunction(client, 'rekey-desk', { action: 'list' });
  const failing = (errorType: string, errorMessage: string) => {
    reply = { error: 'Unhandled', payload: JSON.stringify({ errorType, errorMessage }) };
    return call();
  };

  test('gives its answer', async () => {
    reply = { payload: '{"requests":[]}' };
    expect(await call()).toEqual({ requests: [] });
    expect(JSON.parse(asked)).toEqual({ action: 'list' });
  });

  test('gives nothing where its answer is no JSON', async () => {
    reply = { payload: '<html>' };
    expect(await call()).toBeUndefined();
  });

  test("fails with Rekey's code and text, and with no text that is another's", async () => {
    await expect(failing('ApprovalUnknown', 'no such request')).rejects.toMatchObject({
      code: 'ApprovalUnknown',
      message: 'no such request',
    });
    await expect(failing('Sandbox.Timedout', 'hunter2')).rejects.toMatchObject({
      code: 'FunctionFailed',
      message: 'the function rekey-desk failed (Sandbox.Timedout); its log says more',
    });
    await expect(failing('hunter2 is bad', 'hunter2')).rejects.toThrow('(no answer that can be read)');
    reply = { error: 'Unhandled', payload: '' };
    await expect(call()).rejects.toMatchObject({ code: 'FunctionFailed' });
  });
});
