import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { signatureHeaders, signingKey } from '../../../core/notification/signature.ts';
import { signalPoliciesSchema } from '../../../core/signal/policy.ts';
import { mostBytes, receive } from '../../../lambdas/signal/receive.ts';
import { SenderSecrets } from '../../../lambdas/signal/sender-secrets.ts';
import * as samples from '../../core/signal/samples.ts';
import { now, SignalWorld, secretArn } from './world.ts';

const shared = 'a-shared-secret-of-a-webhook';
const signing = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyId = 'f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d';

const policies = signalPoliciesSchema.parse({
  github: { secret: 'github', answer: 'act' },
  githubPartner: {
    answer: 'act',
    publicKeys: { [keyId]: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
  },
  gitguardian: { secret: 'gitguardian' },
  gitlab: { secret: 'gitlab', answer: 'act', types: [samples.gitLabType] },
  webhook: { secret: 'webhook', answer: 'act' },
});

interface Message {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: string;
}

const hmac = (key: string, body: string): string =>
  `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;

/** Genuine messages of each sender. */
const genuine = {
  github: (body: unknown = samples.gitHub({ secret: samples.sentinel })): Message => ({
    path: '/github',
    body: JSON.stringify(body),
    headers: {
      'X-GitHub-Event': 'secret_scanning_alert',
      'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'X-Hub-Signature-256': hmac(shared, JSON.stringify(body)),
    },
  }),
  githubPartner: (): Message => {
    const body = JSON.stringify(samples.gitHubPartner());
    return {
      path: '/github-partner',
      body,
      headers: {
        'Github-Public-Key-Identifier': keyId,
        'Github-Public-Key-Signature': sign('sha256', Buffer.from(body), privateKey).toString('base64'),
      },
    };
  },
  gitguardian: (at = now): Message => {
    const [body, timestamp] = [JSON.stringify(samples.gitGuardian()), String(at.getTime() / 1_000)];
    return {
      path: '/gitguardian',
      body,
      headers: { Timestamp: timestamp, 'Gitguardian-Signature': hmac(timestamp + shared, body) },
    };
  },
  gitlab: (): Message => ({
    path: '/gitlab/v1/revoke_tokens',
    body: JSON.stringify(samples.gitLab()),
    headers: { Authorization: shared },
  }),
  webhook: (at = now, subjects: unknown = [{ secret: '/dev/orders' }]): Message => {
    const body = JSON.stringify({ subjects });
    const key = signingKey(signing);
    return {
      path: '/webhook',
      body,
      headers: signatureHeaders({ id: 'msg_1', now: at, body }, key === undefined ? [] : [key]),
    };
  },
} as const;

async function opened() {
  const world = await new SignalWorld().fill();
  world.policies = policies;
  const [refused, given]: [string[], string[]] = [[], []];
  const secrets = new SenderSecrets(
    async (id) =>
      JSON.stringify(
        id === 'webhook' ? { secret: signing } : { secret: shared, previous: 'the-former-shared-secret' },
      ),
    { now: () => now },
  );
  let admitted = true;
  const send = (
    { path, body, headers, method = 'POST' }: Message,
    type = 'application/json; charset=utf-8',
  ) =>
    receive(
      {
        rawPath: path,
        headers: { 'content-type': type, ...headers },
        requestContext: { http: { method } },
        body: Buffer.from(body).toString('base64'),
        isBase64Encoded: true,
      },
      {
        ...world.dependencies(),
        secretsOf: (id) => secrets.of(id),
        admit: () => admitted,
        admitRecord: () => refused.length < 3,
        refused: (kind, code) => void refused.push(`${kind} ${code}`),
        giveUp: async (kind, code) => void given.push(`${kind} ${code}`),
      },
    );
  return { world, send, refused, given, close: () => (admitted = false) };
}

describe('a genuine message', () => {
  test.each([
    ['github', genuine.github(), 202],
    ['githubPartner', genuine.githubPartner(), 202],
    ['gitlab', genuine.gitlab(), 204],
    ['webhook', genuine.webhook(), 202],
  ] as const)('of %s ends in a request for the secret', async (_kind, message, status) => {
    const { world, send, refused } = await opened();
    expect(await send(message)).toMatchObject({ statusCode: status, body: '' });
    expect(refused).toEqual([]);
    expect(world.told('Secret Revocation Requested')).toEqual([
      expect.objectContaining({ select: { secret: secretArn }, mode: 'kill' }),
    ]);
  });

  test('of gitguardian is told to people', async () => {
    const { world, send } = await opened();
    expect((await send(genuine.gitguardian())).statusCode).toBe(202);
    expect(world.told('Signal Unresolved')).toHaveLength(1);
  });

  test('delivered twice requests once', async () => {
    const { world, send } = await opened();
    await send(genuine.github());
    await send(genuine.github());
    expect(new Set(world.requested.map(({ detail }) => detail.metadata.id)).size).toBe(1);
  });

  test('is known by the former secret while it is replaced', async () => {
    const { send } = await opened();
    const message = genuine.github();
    const headers = {
      ...message.headers,
      'X-Hub-Signature-256': hmac('the-former-shared-secret', message.body),
    };
    expect((await send({ ...message, headers })).statusCode).toBe(202);
  });

  test('GitLab is told which types it may send, once it is known', async () => {
    const { send } = await opened();
    const ask = { path: '/gitlab/v1/revocable_token_types', body: '', method: 'GET' };
    const answer = await send({ ...ask, headers: { Authorization: shared } });
    expect(JSON.parse(answer.body)).toEqual({ types: [samples.gitLabType] });
    expect((await send({ ...ask, headers: {} })).statusCode).toBe(401);
  });

  test('a ping of GitHub is answered, and does nothing', async () => {
    const { world, send } = await opened();
    const message = genuine.github({ zen: 'Keep it logically awesome.' });
    expect(
      (await send({ ...message, headers: { ...message.headers, 'X-GitHub-Event': 'ping' } })).statusCode,
    ).toBe(202);
    expect([...world.recorded, ...world.requested]).toEqual([]);
  });
});

describe('a forged, old or broken message', () => {
  const kinds = Object.keys(genuine) as (keyof typeof genuine)[];

  test.each(kinds)('of %s with another body is refused, recorded and counted', async (kind) => {
    const { world, send, refused } = await opened();
    const message = genuine[kind]();
    const headers = kind === 'gitlab' ? { Authorization: `${shared}x` } : message.headers;
    const answer = await send({ ...message, headers, body: message.body.replace('{', '{ ') });
    expect(answer.statusCode).toBe(401);
    expect(refused).toEqual([`${kind} SignalForged`]);
    expect(world.requested).toEqual([]);
    expect(world.told('Signal Rejected')).toEqual([
      { kind, error: expect.objectContaining({ code: 'SignalForged', retryable: false }) },
    ]);
  });

  test.each(kinds)('of %s without a signature is refused', async (kind) => {
    const { world, send } = await opened();
    expect((await send({ ...genuine[kind](), headers: {} })).statusCode).toBe(401);
    expect(world.requested).toEqual([]);
  });

  test.each([-6, 6])('signed %d minutes from now is refused as a copy', async (minutes) => {
    const at = new Date(now.getTime() + minutes * 60_000);
    for (const message of [genuine.webhook(at), genuine.gitguardian(at)]) {
      const { send, refused } = await opened();
      expect((await send(message)).statusCode).toBe(401);
      expect(refused).toEqual([expect.stringMatching(/SignalStale$/)]);
    }
  });

  test('an alert of GitHub that is older than any redelivery is refused', async () => {
    const { world, send, refused } = await opened();
    await send(
      genuine.github(samples.gitHub({ created_at: '2026-11-24T12:00:00Z', secret: samples.sentinel })),
    );
    expect(refused).toEqual(['github SignalStale']);
    expect(world.requested).toEqual([]);
  });

  test('a public key that nobody configured is not asked for', async () => {
    const { send, refused } = await opened();
    const message = genuine.githubPartner();
    await send({
      ...message,
      headers: { ...message.headers, 'Github-Public-Key-Identifier': 'constructor' },
    });
    expect(refused).toEqual(['githubPartner SignalKeyUnknown']);
  });

  test('of another form is refused, and nothing of it is recorded', async () => {
    const { world, send } = await opened();
    expect((await send(genuine.github({ action: [samples.sentinel] }))).statusCode).toBe(400);
    expect(JSON.stringify(world.recorded)).not.toContain(samples.sentinel);
    const broken = `{"secret": "${samples.sentinel}"`;
    const headers = { ...genuine.github().headers, 'X-Hub-Signature-256': hmac(shared, broken) };
    expect((await send({ path: '/github', body: broken, headers })).statusCode).toBe(400);
    expect(JSON.stringify(world.recorded)).not.toContain(samples.sentinel);
  });

  test('a flood is counted, and recorded within bounds', async () => {
    const { world, send, refused, close } = await opened();
    for (let sent = 0; sent < 10; sent += 1) await send({ ...genuine.github(), headers: {} });
    expect(refused).toHaveLength(10);
    expect(world.told('Signal Rejected')).toHaveLength(2);
    close();
    expect((await send(genuine.github())).statusCode).toBe(429);
    expect(world.requested).toEqual([]);
  });
});

describe('the door', () => {
  test.each([
    ['another path', { ...genuine.github(), path: '/' }, 404],
    ['a path of Object', { ...genuine.github(), path: '/constructor' }, 404],
    ['another method', { ...genuine.github(), method: 'GET' }, 405],
    ['too many bytes', { ...genuine.github(), body: ' '.repeat(mostBytes + 1) }, 413],
  ])('%s is refused before anything is read', async (_what, message, status) => {
    const { world, send } = await opened();
    expect((await send(message)).statusCode).toBe(status);
    expect(world.recorded).toEqual([]);
  });

  test('another type of content is refused', async () => {
    const { send } = await opened();
    expect((await send(genuine.github(), 'application/x-www-form-urlencoded')).statusCode).toBe(415);
    expect((await send(genuine.github(), 'application/jsonp')).statusCode).toBe(415);
  });

  test('a sender that the configuration leaves out is not listened to', async () => {
    const { world, send } = await opened();
    world.policies = {};
    expect((await send(genuine.github())).statusCode).toBe(404);
  });

  test('what cannot be worked on is kept by its kind alone, and the sender tries again', async () => {
    const { world, send, given } = await opened();
    world.busFails = true;
    await expect(send(genuine.github())).rejects.toThrow();
    expect(given).toEqual(['github Unexpected']);
  });

  test('a shared secret that is too short to be one is refused', async () => {
    const secrets = new SenderSecrets(async () => JSON.stringify({ secret: 'short' }), { now: () => now });
    await expect(secrets.of('github')).rejects.toMatchObject({ code: 'SignalSecretInvalid' });
  });
});
