import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { policyRules } from '../../../core/policy/rules/index.ts';
import { errorOf, FakeCloud, rekey } from '../fixture.ts';

const planted = join(import.meta.dirname, 'planted.config.ts');
/** The rules that the configuration names at the lines that break them. */
const marks = [...readFileSync(planted, 'utf8').matchAll(/\/\/ planted: (\w+)/g)].map(([, rule]) => rule);

const policy = (...argv: string[]) => rekey(new FakeCloud(), ['policy', ...argv]);
const json = async (...argv: string[]) => JSON.parse((await policy(...argv, '--json')).stdout);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekey-policy-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a configuration of production that keeps to every rule, with some changes. */
async function written(name: string, changes: object = {}, secret: object = {}): Promise<string> {
  const file = join(folder, `${name}.mjs`);
  const environment = {
    account: '111122223333',
    region: 'eu-central-1',
    audit: { retentionDays: 365 },
    notifications: { emails: ['platform@example.com'] },
    access: { responders: ['111122223333'], auditors: ['444455556666'] },
    lifecycle: {},
    fingerprints: true,
    policy: { stage: 'production' },
    secrets: {
      orders: {
        type: 'postgresql',
        strategy: 'alternating-users',
        adopt: 'orders/db',
        encryptionKey: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
        adminSecret: { adopt: 'admin' },
        owner: 'team-orders',
        purpose: 'takes orders',
        consumers: ['orders-api'],
        ...secret,
      },
    },
    ...changes,
  };
  await writeFile(file, `export default ${JSON.stringify({ environments: { prod: environment } })}`);
  return file;
}

describe('rekey policy check', () => {
  test('names each planted violation with its fix, and nothing else', async () => {
    const { violations } = await json('check', '--config', planted);
    expect(violations.map(({ rule }: { rule: string }) => rule).toSorted()).toEqual(marks.toSorted());
    expect(new Set(marks)).toEqual(new Set(policyRules.map(({ id }) => id as string)));
    expect(marks.length).toBeGreaterThan(20);
    for (const { subject, message, fix, controls } of violations) {
      expect(subject).toMatch(/^environments\.(?:staging|prod)(?:\.secrets\.\w+)?$/);
      expect(message.length * fix.length * controls.length).toBeGreaterThan(0);
    }
  });

  test('says for people where, what and what to do, and fails', async () => {
    const { stdout, exitCode } = await policy('check', '--config', planted);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/error +PasswordTooWeak +environments\.prod\.secrets\.orders\n/);
    expect(stdout).toContain('Make environments.prod.secrets.orders.passwords longer');
    expect(stdout).toContain(
      'waived until 2026-05-01: DefinitionNotPromoted of environments.prod.secrets.orders: staging has no database',
    );
    expect(stdout).toMatch(/\d+ errors, \d+ warnings\n$/);
  });

  test('looks at one environment alone where it is named', async () => {
    const { violations } = await json('check', '--config', planted, '--environment', 'staging');
    expect(violations).toHaveLength(4);
  });

  test('passes where every rule is met', async () => {
    const { stdout, stderr, exitCode } = await policy('check', '--config', await written('clean'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+ rules are met\n$/);
  });

  test('passes with warnings', async () => {
    const { exitCode, stdout } = await policy(
      'check',
      '--config',
      await written('warned', {}, { consumers: [] }),
    );
    expect([exitCode, stdout.split('\n').at(-2)]).toEqual([0, '0 errors, 1 warning']);
  });

  test('says that no policy is written, and what it was held to', async () => {
    const { stderr } = await policy('check', '--config', await written('none', { policy: undefined }));
    expect(stderr).toContain('no policy is written for prod: it was held to the defaults of production');
  });

  test('a configuration that cannot be used fails with its problems, a line each', async () => {
    const file = await written('invalid', {}, { ownr: 'x', schedule: 'daily' });
    const { exitCode, stderr } = await policy('check', '--config', file);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /ConfigurationInvalid: the configuration has 2 problems:\n {2}environments\.prod\.secrets/,
    );
  });

  test('a waiver of a secret that is not there is a problem of the configuration', async () => {
    const waivers = [{ rule: 'BrakeOff', secret: 'ordres', reason: 'a load test', until: '2026-04-01' }];
    const file = await written('waiver', { policy: { stage: 'production', waivers } });
    expect(errorOf(await policy('check', '--config', file, '--json'))).toMatchObject({
      code: 'ConfigurationInvalid',
      message: expect.stringContaining('waivers.0.secret: "ordres": no such secret; there are: orders'),
    });
  });
});

describe('rekey policy explain', () => {
  test('says what decides for a secret and where it comes from', async () => {
    const { rules } = await json('explain', 'orders', '--config', planted);
    const named = (id: string) => rules.find(({ rule }: { rule: string }) => rule === id);
    expect(named('RotationTooSeldom')).toMatchObject({
      demand: { value: '90 days at most', from: 'default' },
      setting: { value: 'rate(180 days)', from: 'environments.prod.secrets.orders.schedule' },
      outcome: 'broken',
    });
    expect(named('TypeNotAllowed')).toMatchObject({
      demand: { from: 'environments.prod.policy.types' },
      outcome: 'met',
    });
    expect(named('DefinitionNotPromoted')).toMatchObject({ outcome: 'waived' });
  });

  test('what an environment inherits is named where it stands', async () => {
    const { rules } = await json('explain', '-e', 'staging', 'ledger', '--config', planted);
    expect(rules.find(({ rule }: { rule: string }) => rule === 'StrategyNotAllowed').demand).toEqual({
      value: 'single-user, dual-credential, alternating-users',
      from: 'policy.strategies',
    });
  });

  test('shows the rules of an environment, and one rule in full', async () => {
    const environment = await policy('explain', '--config', planted, '-e', 'prod');
    expect(environment.stdout).toMatch(
      /^environments\.prod, of stage production \(environments\.prod\.policy\.stage\)\n/,
    );
    const rule = await policy(
      'explain',
      '/prod/orders/database',
      '--rule',
      'PlaintextAllowed',
      '--config',
      planted,
    );
    expect(rule.stdout).toContain('Whoever listens on the way has the credential');
    expect(rule.stdout).toContain('NIST 800-53 r5 SC-8');
  });

  test.each([
    [['orders', '-e', 'dev'], 'the configuration has no environment dev; there are: staging, prod'],
    [['nothing'], 'no secret nothing; there are: ledger, orders, cache'],
    [['ledger'], 'ledger is in several environments; name one with --environment: staging, prod'],
    [[], 'the configuration has several environments; name one with --environment: staging, prod'],
    [['orders', '--rule', 'X'], 'there is no rule X; there are: RotationTooSeldom'],
    [
      ['orders', '--rule', 'BrakeOff'],
      'the rule BrakeOff does not apply to environments.prod.secrets.orders',
    ],
  ])('%j is wrong usage', async (argv, message) => {
    const ran = await policy('explain', ...argv, '--config', planted, '--json');
    expect(ran.exitCode).toBe(2);
    expect(errorOf(ran).message).toContain(message);
  });
});

describe('rekey policy diff', () => {
  test('compares two environments, and passes', async () => {
    const { stdout, exitCode } = await policy('diff', 'staging', 'prod', '--config', planted);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^staging → prod\n/);
    expect(stdout).toMatch(/tighter +rotateWithinDays +120 +90\n/);
    expect(stdout).toMatch(/tighter +require\.purpose +- +true\n/);
  });

  test('fails where a policy became looser since an earlier file, and says where', async () => {
    const before = await written('before');
    const after = await written('after', {
      policy: {
        stage: 'production',
        rotateWithinDays: 120,
        cadenceReason: 'analysis',
        severity: { BrakeOff: 'off' },
      },
    });
    const { stdout, exitCode } = await policy('diff', '--against', before, '--config', after);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/looser +rotateWithinDays +90 +120\n/);
    expect(stdout).toMatch(/looser +severity\.BrakeOff +warning +off\n/);
  });

  test('fails where more is broken, and passes where less is', async () => {
    const [clean, broken] = [await written('clean-2'), await written('broken', {}, { purpose: undefined })];
    const worse = await policy('diff', '--against', clean, '--config', broken);
    expect([worse.exitCode, worse.stdout]).toEqual([
      1,
      expect.stringContaining('now broken: PurposeMissing of secrets.orders'),
    ]);
    const better = await policy('diff', '--against', broken, '--config', clean);
    expect([better.exitCode, better.stdout]).toEqual([
      0,
      expect.stringContaining('no longer broken: PurposeMissing'),
    ]);
    const same = await policy('diff', '--against', clean, '--config', clean);
    expect([same.exitCode, same.stdout]).toEqual([0, expect.stringContaining('the same policy')]);
  });

  test.each([[[]], [['prod']], [['dev', 'prod', '--against', 'x']]])('%j is wrong usage', async (argv) => {
    expect((await policy('diff', ...argv, '--config', planted)).exitCode).toBe(2);
  });
});
