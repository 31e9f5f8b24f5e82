import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Strategy } from '../../core/secret/secret.ts';
import { shellWord } from '../../core/shell-word.ts';
import { stepsByHand } from '../../rotators/by-hand.ts';
import { recipes } from '../../rotators/http/recipes/index.ts';
import { secretTypes } from '../../rotators/registry.ts';
import { errorOf, FakeCloud, rekey } from './fixture.ts';

const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-AbCdEf';

/** A cloud with a created secret and its admin. */
function cloudWithOrders({
  strategy = 'single-user',
  host = 'db.example.com',
}: {
  strategy?: Strategy;
  host?: string;
} = {}): FakeCloud {
  const cloud = new FakeCloud();
  cloud.add('orders', undefined, {
    strategy,
    content: {
      fields: { engine: 'postgres', username: 'orders', host, port: 5433 },
      masterarn: adminArn,
    },
  });
  cloud.add('admin', undefined, {
    content: { fields: { engine: 'postgres', username: 'postgres', host: 'db.example.com', port: 5433 } },
  });
  return cloud;
}

interface Printed {
  readonly source: string;
  readonly admin: string | null;
  readonly steps: readonly { aim: string; in: string; lines: readonly string[] }[];
  readonly notes: readonly string[];
}

const printed = async (cloud: FakeCloud, ...more: string[]): Promise<Printed> =>
  JSON.parse((await rekey(cloud, ['revoke', 'orders', '--by-hand', '--json', ...more])).stdout);
const linesOf = ({ steps }: Printed, aim: string) =>
  steps.flatMap((step) => (step.aim === aim ? step.lines : []));

describe('from the definition', () => {
  test('the user, the place and the admin are filled in, and nothing is sent', async () => {
    const cloud = cloudWithOrders();
    const answer = await printed(cloud);
    expect(answer).toMatchObject({ source: 'definition', admin: 'admin' });
    expect(linesOf(answer, 'log in')).toEqual([
      'PGSSLMODE=require psql --host=db.example.com --port=5433 --username=postgres --dbname=postgres',
    ]);
    expect(linesOf(answer, 'refuse logins')).toEqual(['ALTER ROLE "orders" NOLOGIN;']);
    expect(linesOf(answer, 'set a new credential')).toContain(
      `ALTER ROLE "orders" LOGIN PASSWORD '<new password>';`,
    );
    expect(cloud.published).toEqual([]);
  });

  test('what is given goes before it', async () => {
    const answer = await printed(cloudWithOrders(), '--user', 'orders_clone', '--host', 'other.example.com');
    expect(linesOf(answer, 'refuse logins')).toEqual(['ALTER ROLE "orders_clone" NOLOGIN;']);
  });

  test('of a pair that takes turns both are cut off, and the one that people grant to lives on', async () => {
    const answer = await printed(cloudWithOrders({ strategy: 'alternating-users' }));
    expect(linesOf(answer, 'refuse logins')).toEqual([
      'ALTER ROLE "orders" NOLOGIN;',
      'ALTER ROLE "orders_clone" NOLOGIN;',
    ]);
    expect(linesOf(answer, 'store it')[0]).toContain('.username = "orders" | .password = env.NEW');
  });

  test('at a replica, users are changed at the primary and sessions end at both', async () => {
    const answer = await printed(cloudWithOrders({ host: 'replica.example.com' }));
    const hosts = linesOf(answer, 'log in').map((line) => /--host=(\S+)/.exec(line)?.[1]);
    expect(hosts).toEqual(['db.example.com', 'replica.example.com']);
    expect(linesOf(answer, 'end sessions')).toHaveLength(2);
  });

  test('of an adopted secret whose user nobody names there are placeholders', async () => {
    const cloud = new FakeCloud();
    cloud.add('orders');
    expect(linesOf(await printed(cloud), 'refuse logins')).toEqual(['ALTER ROLE "<user>" NOLOGIN;']);
  });

  test('that cannot be read, it says how to go on without', async () => {
    const cloud = cloudWithOrders();
    cloud.failures.deployments = Object.assign(new Error('down'), { name: 'TimeoutError' });
    const { exitCode, stderr } = await rekey(cloud, ['revoke', 'orders', '--by-hand', '-e', 'dev']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('--type postgresql --user <name> --host <host>');
  });
});

describe('without AWS', () => {
  test('nothing is asked, and it says so', async () => {
    const cloud = new FakeCloud();
    for (const port of ['identity', 'deployments', 'definitions', 'secrets'] as const) {
      cloud.failures[port] = new Error('down');
    }
    const argv = ['revoke', '/prod/orders/db', '--by-hand', '--type', 'mysql', '--user', "o'brien"];
    const { exitCode, stdout, stderr } = await rekey(cloud, argv);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('The definition of the secret was not read');
    expect(stdout).toContain("WHERE User = 'o''brien'");
  });

  test('a type that there is not is near to one that there is', async () => {
    const answer = await rekey(new FakeCloud(), ['revoke', 'x', '--by-hand', '--type', 'postgres', '--json']);
    expect(answer.exitCode).toBe(2);
    expect(errorOf(answer).message).toContain('did you mean postgresql?');
  });

  test('names that a terminal would not show are told of where the target has no escapes for them', async () => {
    const argv = (type: string) => ['revoke', 'x', '--by-hand', '--type', type, '--user', 'two\nlines'];
    expect((await rekey(new FakeCloud(), argv('redshift'))).stderr).toContain('take the lines from --json');
    const { stdout, stderr } = await rekey(new FakeCloud(), argv('postgresql'));
    expect(stderr).not.toContain('--json');
    expect(stdout).toContain('ALTER ROLE U&"two\\+00000alines" NOLOGIN;');
    expect(stdout).not.toContain('\ufffd');
  });
});

describe('wrong usage', () => {
  test.each([
    [['orders', '--mode', 'kill', '--reason', 'x', '--user', 'app'], /--user.* needs --by-hand/],
    [['orders', '--by-hand', '--mode', 'kill'], /cannot be used with option/],
    [['orders', 'stock', '--by-hand'], /one secret/],
    [['--by-hand'], /one secret/],
    [['--everything', '--by-hand'], /one secret/],
  ])('%j', async (more, message) => {
    const { exitCode, stderr } = await rekey(new FakeCloud(), ['revoke', ...more]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

/** Runs lines in bash with every program in them in the place of one that shows its arguments. */
const argumentsOf = (line: string): readonly (readonly string[])[] =>
  execFileSync('bash', [
    '-c',
    `show() { printf '%s\\0' "$@"; printf '\\1'; cat >/dev/null <&0; }
     for one in aws jq psql mysql mariadb redis-cli openssl cut; do eval "$one() { show $one \\"\\$@\\" >&3; }"; done
     exec 3>&1 1>/dev/null </dev/null
     ${line}`,
  ])
    .toString()
    .split('\u0001')
    .filter((call) => call !== '')
    .map((call) => call.split('\0').slice(0, -1));

describe.each(secretTypes)('%s', (type) => {
  const name = `'; touch x; "$(touch y)" \`touch z\` \\ $HOME`;
  const { steps, notes } = stepsByHand[type]({
    secret: name,
    fields: {
      username: name,
      host: name,
      userId: name,
      dbInstanceIdentifier: name,
      recipe: 'gitlab-project-access-token',
    },
    admin: { secret: name, fields: { username: name } },
  });

  test('has steps and notes', () => expect([...steps, ...notes].length).toBeGreaterThan(1));

  test('each line of the shell gives programs what it holds, and runs nothing of it', () => {
    for (const line of steps.flatMap((step) => (step.in === 'shell' ? step.lines : []))) {
      const calls = argumentsOf(line);
      expect(calls.flat()).not.toContain('touch');
      const words = calls.flat().map((word) => word.replace(/^--[a-z-]+=/, ''));
      if (line.includes('touch x')) expect(words.some((word) => word.includes(name))).toBe(true);
    }
  });

  test('no line holds a value: a new one is made by the shell, or has a placeholder', () => {
    for (const line of steps.flatMap(({ lines }) => lines)) {
      expect(line).not.toMatch(/PASSWORD '(?!<)|Passwords: \["|MasterUserPassword: "/);
    }
  });
});

test.each(recipes.names)('the recipe %s is written with placeholders', (recipe) => {
  const { steps } = stepsByHand.http({ secret: '/prod/api', fields: { recipe, host: 'api.example.com' } });
  const aims = steps.map(({ aim }) => aim);
  expect(aims).toEqual(expect.arrayContaining(['refuse logins', 'set a new credential', 'see it refused']));
  expect(JSON.stringify(steps)).not.toContain('{{');
});

test('a word stays one word in bash, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
      const word = text.replaceAll('\0', '');
      expect(execFileSync('bash', ['-c', `printf %s ${shellWord(word)}`]).toString()).toBe(word);
    }),
    { numRuns: 60, examples: [['two\nlines'], ['\u202e'], ["$'x'"], ['é\u0007f']] },
  );
});
