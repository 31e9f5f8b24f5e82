import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { opsgenieContract, pagerdutyContract } from '../../receivers/contracts.ts';
import { NotificationWorld, revocationStarted, revocationSucceeded, rotationFailed } from './world.ts';

let world: NotificationWorld;
beforeEach(() => {
  world = new NotificationWorld();
});
afterEach(() => world.stop());

const kinds = ['slack', 'teams', 'webhook', 'pagerduty', 'opsgenie'] as const;

describe.each(kinds)('a channel of the kind %s', (kind) => {
  test('tells of an emergency in the form that the receiver documents, with the name, the reason and the runbook', async () => {
    const receiver = await world.channel('it', kind);
    expect(
      await world.notify(world.event('Secret Revocation Failed', { ...failed, stage: 'Contain' })),
    ).toEqual({ it: 'sent' });
    expect(receiver.refused).toEqual([]);
    const [message] = receiver.taken;
    expect(message?.body).toContain('/prod/orders');
    expect(message?.body).toContain('TargetUnreachable');
    expect(message?.body).toContain('revocation-failed.md');
  });

  // Each of them is a name or a reason that somebody else may have chosen.
  test.each<readonly [string, string]>([
    ['mentions of Slack', '<!channel> <!here> <@U123> <#C1> <https://evil.example|click>'],
    ['Markdown', '[click](https://evil.example) **bold** ![x](https://evil.example/x.png) <at>all</at>'],
    [
      'functions and formatting',
      '{{DATE(2026-01-01T00:00:00Z)}} $(jndi) `code` *bold* _it_ ~no~ :fire: @channel',
    ],
    ['headers', 'name\r\nX-Injected: yes\r\n\r\n{"routing_key":"other"}'],
    ['unseen characters', '\u202egnp.exe\u200b\u0000\u0007\u001b[31m\u2028\ufeff'],
    ['JSON', '"}],"extra":true,"blocks":[{'],
    ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
    ['half a character', '\ud800 lone surrogate \udfff'],
    ['a long text', 'x'.repeat(2_000)],
    ['a long text of wide characters', '🔥'.repeat(700)],
    ['entities', '&lt;&amp;<<>>&'],
  ])('takes %s as text', async (_what, hostile) => {
    const receiver = await world.channel('it', kind);
    const data = {
      ...revocationStarted(hostile),
      reason: hostile.slice(0, 1_024),
      incident: hostile.slice(0, 256),
    };
    expect(await world.notify(world.event('Secret Revocation Started', data))).toEqual({ it: 'sent' });
    expect(receiver.refused).toEqual([]);
    const [message] = receiver.taken;
    const body = JSON.parse(message?.body ?? '');
    expect(message?.headers['x-injected']).toBeUndefined();
    expect(body.extra).toBeUndefined();
    for (const [place, text] of texts(body)) {
      expect({ place, text }).toEqual({
        place,
        text: expect.not.stringMatching(/[\u202e\u200b\ufeff]|(?!\n)\p{Cc}/u),
      });
      expect(text.isWellFormed()).toBe(true);
      // Where markup is read, none of theirs is left.
      if (kind === 'slack' && (place === 'text' || /blocks.*mrkdwn/.test(place)))
        expect(text).not.toMatch(/<[!@#h]/);
      if (kind === 'teams') expect(text).not.toContain('{{');
      if (kind === 'opsgenie') expect(text).not.toMatch(/[<>]/);
    }
    if (kind === 'slack') expect(new Set(types(body))).toEqual(new Set(['header', 'section', 'plain_text']));
    if (kind === 'teams') expect(types(body)).not.toContain('TextBlock');
  });
});

const failed = {
  requestId: 'r-1',
  secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/prod/orders-AbCdEf',
  secretName: '/prod/orders',
  error: { code: 'TargetUnreachable', message: 'no answer', retryable: true },
};

/** Every text in a document, with its path. */
function texts(value: unknown, path: string[] = []): [string, string][] {
  if (typeof value === 'string') return [[path.join('.'), value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => texts(inner, [...path, key]));
}
const types = (value: unknown): string[] =>
  texts(value)
    .filter(([path]) => path.endsWith('.type'))
    .map(([, type]) => type)
    .filter((type) => type !== 'message');

describe('receivers that keep alerts', () => {
  test('PagerDuty has one alert for a revocation, which is acknowledged and resolved by its key', async () => {
    const contract = pagerdutyContract();
    await world.channel('oncall', 'pagerduty', {}, contract);
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    expect([...contract.alerts.values()]).toEqual(['triggered']);
    const [incident] = world.memory.incidents.keys();
    world.pass(1);
    await world.notify(world.event('Incident Acknowledged', { incidentId: incident ?? '' }));
    expect([...contract.alerts.values()]).toEqual(['acknowledged']);
    world.pass(1);
    await world.notify(world.event('Secret Revocation Succeeded', revocationSucceeded('orders')));
    expect([...contract.alerts]).toEqual([[`rekey-test-${incident}`, 'resolved']]);
  });

  test('Opsgenie the same, by its alias', async () => {
    const contract = opsgenieContract();
    await world.channel('oncall', 'opsgenie', {}, contract);
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    const [incident] = world.memory.incidents.keys();
    await world.notify(world.event('Incident Acknowledged', { incidentId: incident ?? '' }));
    expect([...contract.alerts.values()]).toEqual(['acknowledged']);
    world.pass(1);
    await world.notify(world.event('Secret Revocation Succeeded', revocationSucceeded('orders')));
    expect([...contract.alerts.values()]).toEqual(['closed']);
  });

  test('an alert that comes after what resolves it is not opened', async () => {
    const contract = pagerdutyContract();
    await world.channel('oncall', 'pagerduty', {}, contract);
    const started = world.event('Secret Revocation Started', revocationStarted('orders'));
    world.pass(1);
    await world.notify(world.event('Secret Revocation Succeeded', revocationSucceeded('orders')));
    await world.notify(started);
    expect([...contract.alerts.values()]).toEqual([]);
  });

  test('an alert whose incident is resolved while it is being opened is closed again', async () => {
    const contract = pagerdutyContract();
    const receiver = await world.channel(
      'oncall',
      'pagerduty',
      {},
      {
        secret: (base) => contract.secret(base),
        answer(request) {
          const [id = ''] = world.memory.incidents.keys();
          const kept = world.memory.incidents.get(id);
          if (kept !== undefined && request.body.includes('trigger')) {
            world.memory.incidents.set(id, {
              ...kept,
              incident: { ...kept.incident, resolvedAt: '2026-03-10T12:30:00.000Z' },
            });
          }
          return contract.answer(request);
        },
      },
    );
    await world.notify(world.event('Secret Revocation Started', revocationStarted('orders')));
    expect(receiver.taken).toHaveLength(2);
    expect([...contract.alerts.values()]).toEqual(['resolved']);
  });
});

describe('a credential', () => {
  const event = () => world.event('Secret Revocation Started', revocationStarted('orders'));
  const another = (id: string) => world.event('Secret Revocation Started', revocationStarted('orders', id));

  test('is read once for a while', async () => {
    await world.channel('it', 'slack');
    await world.notify(event());
    await world.notify(another('r-2'));
    expect(world.reads).toBe(1);
    world.pass(2);
    await world.notify(another('r-3'));
    expect(world.reads).toBe(2);
  });

  test('is read again at once where its receiver refuses it, and the message goes out by the new one', async () => {
    const receiver = await world.channel('it', 'opsgenie');
    const good = world.secrets.get('notify/it') ?? '';
    world.secrets.set('notify/it', good.replace('sentinel-opsgenie-api-key', 'replaced-meanwhile'));
    await expect(world.notify(event())).rejects.toThrow('ChannelCredentialRefused');
    // The one at hand is the replaced one; the secret holds the good one by now.
    world.secrets.set('notify/it', good);
    expect(await world.notify(event())).toEqual({ it: 'sent' });
    expect(receiver.taken).toHaveLength(1);
  });

  test('goes to no host but those that the configuration names, and nothing is sent', async () => {
    const receiver = await world.channel('it', 'slack', { hosts: ['hooks.slack.com'] });
    await expect(world.notify(event())).rejects.toThrow('it: ChannelHostRefused');
    expect(receiver.taken.length + receiver.refused.length).toBe(0);
  });

  test('goes to no private address unless the channel allows it', async () => {
    const receiver = await world.channel('it', 'slack', { allowPrivateAddresses: false });
    await expect(world.notify(event())).rejects.toThrow('it: TargetRefused');
    expect(receiver.taken.length + receiver.refused.length).toBe(0);
  });

  test('goes to no server with a certificate of somebody else', async () => {
    await world.channel('other', 'slack', { emergencies: false });
    const receiver = await world.channel('it', 'slack', { caFile: 'other' });
    await expect(world.notify(event())).rejects.toThrow('it: TlsRefused');
    expect(receiver.taken).toEqual([]);
  });

  test.each([
    ['{"url":"http://hooks.slack.com/services/T/B/sentinel-value"}', 'slack'],
    ['{"url":"https://user:sentinel-value@hooks.slack.com/"}', 'slack'],
    ['sentinel-value is no JSON', 'slack'],
    ['{"url":"https://localhost/","signingKey":"sentinel-value"}', 'webhook'],
    ['{"routingKey":"sentinel-value"}', 'pagerduty'],
    ['{"apiKey":"sentinel-value\\r\\nx: y"}', 'opsgenie'],
  ] as const)('of a wrong form is refused without being quoted: %s', async (secret, kind) => {
    await world.channel('it', kind);
    world.secrets.set('notify/it', secret);
    await expect(world.notify(event())).rejects.toThrow('it: ChannelSecretInvalid');
    expect(world.notes.join('\n')).not.toContain('sentinel-value');
  });

  test('is in no note, record or held message, whatever the receiver answers', async () => {
    for (const kind of kinds) {
      const receiver = await world.channel(kind, kind);
      receiver.next(
        { status: 500, body: receiver.secret },
        {
          status: 302,
          headers: { location: `https://evil.example/${encodeURIComponent(receiver.secret)}` },
          body: '',
        },
      );
    }
    await world.notify(event()).catch(() => undefined);
    await world.notify(event()).catch(() => undefined);
    await world.notify(event());
    const seen = JSON.stringify([
      world.notes,
      world.published,
      [...world.memory.messages],
      [...world.memory.held],
    ]);
    expect(seen).not.toMatch(/sentinel|whsec_|0123456789abcdef|MDEyMzQ1Njc4/);
  });
});

describe('a receiver that refuses', () => {
  const event = () => world.event('Secret Revocation Started', revocationStarted('orders'));

  test('is left alone for as long as it says, by every message', async () => {
    const receiver = await world.channel('it', 'slack');
    receiver.next({ status: 429, headers: { 'retry-after': '90' }, body: 'rate_limited' });
    const refusal = await world.notify(event()).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'NotificationsUndelivered', waitMs: 90_000, isLasting: false });
    world.pass(1);
    const other = world.event('Secret Revocation Started', revocationStarted('stock', 'r-2'));
    await expect(world.notify(other)).rejects.toMatchObject({ waitMs: 30_000 });
    expect(receiver.taken.length + receiver.refused.length).toBe(1);
    world.pass(1);
    await world.notify(event());
    await world.notify(other);
    expect(receiver.taken).toHaveLength(2);
  });

  test('by a date is understood, and no longer than a quarter of an hour', async () => {
    const receiver = await world.channel('it', 'slack');
    receiver.next({ status: 503, headers: { 'retry-after': 'Tue, 10 Mar 2026 12:02:30 GMT' }, body: '' });
    await expect(world.notify(event())).rejects.toMatchObject({ waitMs: 120_000 });
    world.pass(2);
    receiver.next({ status: 429, headers: { 'retry-after': '86400' }, body: '' });
    await expect(world.notify(event())).rejects.toMatchObject({ waitMs: 900_000 });
  });

  test('for good is a lasting failure, that is known without waiting', async () => {
    const receiver = await world.channel('it', 'slack');
    receiver.next({ status: 404, body: 'no_service' }, { status: 404, body: 'no_service' });
    await expect(world.notify(event())).rejects.toMatchObject({ isLasting: true });
  });

  test('does not keep other channels from being told, which are not told again', async () => {
    const one = await world.channel('one', 'slack');
    const other = await world.channel('other', 'teams');
    one.next({ status: 500, body: '' });
    await expect(world.notify(event())).rejects.toThrow('one: ChannelUnavailable');
    expect(other.taken).toHaveLength(1);
    expect(await world.notify(event())).toMatchObject({ one: 'sent' });
  });
});

test('a warning is one alert per secret at PagerDuty, in the severity of a warning', async () => {
  const contract = pagerdutyContract();
  const receiver = await world.channel('oncall', 'pagerduty', { owners: ['nobody'] }, contract);
  await world.notify(world.event('Secret Rotation Failed', rotationFailed('orders')));
  expect(JSON.parse(receiver.taken[0]?.body ?? '').payload.severity).toBe('warning');
});
