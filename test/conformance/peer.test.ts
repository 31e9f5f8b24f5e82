import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Rotator } from '../../core/rotator.ts';
import { steps } from '../../lambdas/rotation/event.ts';
import { engine } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { notRun as notRunMysql } from './drivers/mysql.ts';
import { type AwsFunction, startAwsFunction } from './peer/aws-function.ts';
import { serveSecretsManager } from './peer/secrets-manager.ts';
import { availableTypes, startTarget, stopTargets, type Target } from './scene.ts';
import type { Account } from './target.ts';

/** A checkout of aws-samples/aws-secrets-manager-rotation-lambdas, which `npm run peer` names. */
const checkout = process.env.REKEY_AWS_FUNCTIONS;
const recordFile = join(import.meta.dirname, 'peer', 'recorded.json');
const isRecording = checkout !== undefined && process.env.REKEY_RECORD === '1';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/admin-AbCdEf';

/** Which of AWS's functions has the same work as which type and strategy. */
const peers = [
  ['postgresql', 'single-user', 'SecretsManagerRDSPostgreSQLRotationSingleUser'],
  ['postgresql', 'alternating-users', 'SecretsManagerRDSPostgreSQLRotationMultiUser'],
  ['mysql', 'single-user', 'SecretsManagerRDSMariaDBRotationSingleUser'],
  ['mysql', 'alternating-users', 'SecretsManagerRDSMariaDBRotationMultiUser'],
] as const;
type Peer = (typeof peers)[number];

/** What stood in Secrets Manager after one of their steps, and what the target had been told. */
interface Recorded {
  readonly peer: string;
  readonly after: string;
  readonly versions: readonly {
    readonly id: string;
    readonly labels: readonly string[];
    readonly value: string;
  }[];
}

if (checkout === undefined) console.log("peer: not run; npm run peer -- <checkout of AWS's functions>");

const described = notRunMysql['dual-credential'] === undefined ? describe.skip : describe;
let rotators: Record<string, Target>;
beforeAll(async () => {
  const types = availableTypes.filter((type) => type === 'postgresql' || type === 'mysql');
  rotators = Object.fromEntries(
    await Promise.all(types.map(async (type) => [type, await startTarget(type)])),
  );
});
afterAll(stopTargets);

const superuserOf = (type: Peer[0], sql: readonly string[]): Promise<unknown> =>
  (rotators[type] as unknown as { superuser(sql: readonly string[]): Promise<unknown> }).superuser(sql);

/** One secret with its admin, as both sides get it. */
async function world([type, strategy]: Peer) {
  const target = rotators[type] as Target;
  const account = await target.createAccount();
  if (type === 'mysql') {
    // As the master user of RDS, which AWS's functions are made for.
    const admin = `\`${String(Reflect.get(account.admin, 'username'))}\``;
    await superuserOf(type, [`GRANT ALL ON *.* TO ${admin} REQUIRE NONE WITH GRANT OPTION`]);
  }
  const store = new MemoryStore();
  const masterarn = strategy === 'single-user' ? {} : { masterarn: adminArn };
  // AWS's functions have no authority of the server here; both sides do without TLS.
  const plain = { ssl: false };
  store.create(arn, JSON.stringify({ ...account.secret, ...plain, ...masterarn }));
  store.create(adminArn, JSON.stringify({ ...account.admin, ...plain }));
  const current = (): Record<string, unknown> => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}');
  const rekey = () =>
    engine({ rotator: target.rotator as Rotator<object>, store, strategy, target: target.context });
  return {
    account,
    store,
    current,
    logsIn: () => target.logsIn(current() as never),
    /** A step by Rekey, in an environment of its own. */
    run: (Step: string, token: string) => rekey().run({ Step, SecretId: arn, ClientRequestToken: token }),
    rotate: async (token: string) => {
      store.begin(arn, token);
      for (const Step of steps) await rekey().run({ Step, SecretId: arn, ClientRequestToken: token });
    },
  };
}

/** The statements of their set step. */
async function tell(
  [type, strategy]: Peer,
  next: { readonly username: string; readonly password: string },
  account: Account<object>,
): Promise<void> {
  const { username } = account.secret as { username: string };
  const { username: admin } = account.admin as { username: string };
  const text = `'${next.password.replaceAll("'", "''")}'`;
  const statements = {
    postgresql: {
      'single-user': [`ALTER USER "${next.username}" WITH PASSWORD ${text}`],
      'alternating-users': [
        `SET ROLE "${admin}"`,
        `CREATE ROLE "${next.username}" WITH LOGIN PASSWORD ${text}`,
        `GRANT "${username}" TO "${next.username}"`,
      ],
    },
    mysql: {
      'single-user': [`ALTER USER \`${next.username}\`@'%' IDENTIFIED BY ${text}`],
      'alternating-users': [
        `CREATE USER \`${next.username}\`@'%' IDENTIFIED BY ${text}`,
        `GRANT SELECT, INSERT ON shop.* TO \`${next.username}\`@'%'`,
      ],
    },
  } as const;
  await superuserOf(type, statements[type][strategy]);
}

described.each(peers)('%s %s beside %s', (...peer) => {
  const [, strategy, name] = peer;

  if (checkout !== undefined) {
    test(
      'both take turns on one secret, step by step, with what the other has left',
      async () => {
        const turns = fc.array(
          fc.record({
            by: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
            upTo: fc.integer({ min: 1, max: 4 }),
          }),
          { minLength: 3, maxLength: 8 },
        );
        await fc.assert(
          fc.asyncProperty(turns, async (rotations) => {
            const { store, account, current, logsIn, run } = await world(peer);
            const manager = await serveSecretsManager(store);
            const theirs: AwsFunction = startAwsFunction(checkout, name, manager.url);
            try {
              for (const [index, { by, upTo }] of [
                ...rotations,
                { by: [true, false, true, false], upTo: 4 },
              ].entries()) {
                const leftover = store.peek(arn, 'AWSPENDING')?.versionId;
                const isLeft =
                  leftover !== undefined && leftover !== store.peek(arn, 'AWSCURRENT')?.versionId;
                const token = isLeft ? leftover : `token-${index}`;
                if (!isLeft) store.begin(arn, token);
                for (const [at, step] of steps.slice(0, upTo).entries()) {
                  const failure =
                    by[at] === true
                      ? await theirs.run(step, arn, token.padEnd(32, '~'))
                      : await run(step, token);
                  if (by[at] === true) expect([step, failure]).toEqual([step, undefined]);
                }
                if (strategy === 'alternating-users') expect(await logsIn()).toBe(true);
              }
              expect(await logsIn()).toBe(true);
              const { team, nested } = account.secret as Record<string, unknown>;
              expect(current()).toMatchObject({ team, nested });
            } finally {
              theirs.end();
              manager.close();
            }
          }),
          { numRuns: Number(process.env.REKEY_PEER_RUNS ?? 12) },
        );
      },
      30 * 60_000,
    );
  }

  if (isRecording) {
    test('what they leave is recorded', async () => {
      const recorded: Recorded[] = [];
      const { store } = await world(peer);
      const manager = await serveSecretsManager(store);
      const theirs = startAwsFunction(checkout, name, manager.url);
      store.begin(arn, 'theirs');
      for (const step of steps) {
        expect(await theirs.run(step, arn, 'theirs'.padEnd(32, '~'))).toBeUndefined();
        const versions = await Promise.all(
          store.ids(arn).map(async (versionId) => {
            const version = await store.read(arn, { versionId });
            return { id: versionId, labels: version?.stages ?? [], value: version?.value ?? '' };
          }),
        );
        recorded.push({ peer: name, after: step, versions });
      }
      theirs.end();
      manager.close();
      const all: Recorded[] = JSON.parse(readFileSync(recordFile, 'utf8'));
      const others = all.filter((one) => one.peer !== name);
      writeFileSync(recordFile, `${JSON.stringify([...others, ...recorded], undefined, 2)}\n`);
    });
  }

  const recordings: Recorded[] = JSON.parse(readFileSync(recordFile, 'utf8'));
  test.each(recordings.filter((one) => one.peer === name).map((one) => [one.after, one] as const))(
    'Rekey goes on from what they left after %s',
    async (after, { versions }) => {
      const { account, store, current, logsIn, run, rotate } = await world(peer);
      const { host, port, username, password } = account.secret as Record<string, unknown>;
      const [first, theirs] = versions;
      const recordedLogin = JSON.parse(first?.value ?? '{}') as Record<string, unknown>;
      /** Their text with the names and the place of this run. */
      const here = (text: string) =>
        text
          .replaceAll(`"${recordedLogin.username}`, `"${username}`)
          .replaceAll(`"port": ${recordedLogin.port}`, `"port": ${port}`)
          .replaceAll(`"port":${recordedLogin.port}`, `"port":${port}`)
          .replaceAll(JSON.stringify(recordedLogin.host), JSON.stringify(host))
          .replaceAll(JSON.stringify(recordedLogin.password), JSON.stringify(password));
      store.create(arn, here(first?.value ?? '{}'));
      store.begin(arn, 'theirs');
      const pending = here(theirs?.value ?? '{}');
      await store.putPending(arn, 'theirs', pending);
      if (after !== 'createSecret') await tell(peer, JSON.parse(pending), account);
      if (after === 'finishSecret') await store.moveCurrent(arn, { to: 'theirs', from: 'v1' });
      else for (const step of steps) await run(step, 'theirs');
      expect(await logsIn()).toBe(true);
      expect(current().password).toBe(JSON.parse(pending).password);
      await rotate('ours');
      await rotate('ours-2');
      expect(await logsIn()).toBe(true);
    },
  );
});
