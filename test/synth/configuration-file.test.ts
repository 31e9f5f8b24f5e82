import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { defineConfig, loadConfiguration, selectEnvironment } from '../../lib/config/config.ts';
import { environment, withSecret } from './support/settings.ts';

describe('what a configuration gets by default', () => {
  test('a month between rotations, every strategy, no network, no roles', () => {
    const { environments } = defineConfig(withSecret({}));
    expect(environments.dev).toMatchObject({
      rotation: { schedule: 'rate(30 days)', maximumAgeDays: 45 },
      strategies: ['single-user', 'alternating-users', 'dual-credential'],
      networks: {},
      access: { operators: [], responders: [], auditors: [] },
      secrets: { orders: { consumers: [], allowPlaintext: false } },
    });
  });

  test('the first environment is chosen unless another is named', () => {
    const configuration = defineConfig({ environments: { dev: environment, prod: environment } });
    expect(selectEnvironment(configuration).name).toBe('dev');
    expect(selectEnvironment(configuration, 'prod').name).toBe('prod');
    expect(() => selectEnvironment(configuration, 'qa')).toThrow(
      'environment "qa" is not configured; there are: dev, prod',
    );
  });

  test('what is accepted is accepted again', () => {
    const once = defineConfig(withSecret({ adminSecret: { adopt: 'admin' } }));
    expect(defineConfig(once)).toEqual(once);
  });
});

test('channels that are accepted are accepted again', () => {
  const notifications = {
    channels: {
      chat: { kind: 'slack', secret: 'notify/chat' },
      mail: { kind: 'sns', emails: ['a@example.com'] },
    },
    quietHours: { timeZone: 'UTC', periods: [{ from: '22:00', to: '24:00' }] },
  } as const;
  const once = defineConfig({ environments: { dev: { ...environment, notifications } } } as never);
  expect(defineConfig(once)).toEqual(once);
});

describe('a configuration file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rekey-config-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  test('whose channel names a file of certificates that there is not is refused at its place', async () => {
    const channels = { chat: { kind: 'slack', secret: 'a', certificateAuthority: 'missing.pem' } };
    const dev = { ...environment, notifications: { channels } };
    const file = write('channels.js', `export default ${JSON.stringify({ environments: { dev } })};`);
    await expect(loadConfiguration(file)).rejects.toThrow(
      /environments.dev.notifications.channels.chat.certificateAuthority: .*no such file/,
    );
  });

  const fileWith = (name: string, certificateAuthority: string) =>
    write(name, `export default ${JSON.stringify(withSecret({ certificateAuthority }))};`);

  test('is named when it is missing or exports nothing', async () => {
    const missing = join(directory, 'missing.js');
    await expect(loadConfiguration(missing)).rejects.toThrow(`${missing}: no such file`);
    const empty = write('empty.mjs', 'export const config = {};');
    await expect(loadConfiguration(empty)).rejects.toThrow(`${empty}: must have a default export`);
  });

  test('finds certificates beside itself, and refuses what is none', async () => {
    write('ca.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
    write('text.pem', 'not a certificate');
    write('key.pem', '-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n');
    await expect(loadConfiguration(fileWith('good.mjs', 'ca.pem'))).resolves.toMatchObject({ directory });
    await expect(loadConfiguration(fileWith('absent.mjs', 'absent.pem'))).rejects.toThrow(
      'environments.dev.secrets.orders.certificateAuthority: ',
    );
    await expect(loadConfiguration(fileWith('text.mjs', 'text.pem'))).rejects.toThrow(
      'holds no PEM certificate',
    );
    await expect(loadConfiguration(fileWith('key.mjs', 'key.pem'))).rejects.toThrow('holds a private key');
  });
});
