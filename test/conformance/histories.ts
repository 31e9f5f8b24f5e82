import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Strategy } from '../../core/secret/secret.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type TargetType } from '../../rotators/registry.ts';
import { type Happening, histories, type InvocationOptions, outcome, play } from '../chaos/histories.ts';
import { crashAt, type Hook, intercept } from '../chaos/intercept.ts';
import { engine, naming } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { layLine } from './cut.ts';
import { describeEach } from './each.ts';
import { startTarget, stopTargets, type Target } from './scene.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/admin-AbCdEf';

/** What JavaScript's numbers and objects would not hold as it is. */
const exactKeys = '"snowflake" : 9007199254740993,\n "ratio":1.0,"7":-0,';

/** A rotator whose calls to the target a hook can end. Where the target issues the credential, propose, discard and retire are among them. */
function interruptible(rotator: Target['rotator'], hook: Hook): Target['rotator'] {
  if (rotator.kind === 'issuing') {
    const { propose, discard, apply, probe, retire } = intercept(rotator, 'rotator', hook);
    return { ...rotator, propose, discard, apply, probe, retire };
  }
  const { apply, probe } = intercept(rotator, 'rotator', hook);
  return { ...rotator, apply, probe };
}

/**
 * A secret in memory whose target is the real server behind a line that can be cut. Every other crash is one of the
 * engine between two calls to Secrets Manager, the others cut the line in the middle of what the rotator says.
 */
async function world(target: Target, strategy: Strategy) {
  const account = await target.createAccount();
  const line = await layLine(target.port ?? Number(account.secret.port));
  const { rotator, secret: through } = target.through?.(line.port) ?? {
    rotator: target.rotator,
    secret: (secret: Record<string, unknown>) => ({ ...secret, port: line.port }),
  };
  /** A secret that goes through the line, as one that goes to the target itself. */
  const direct = (secret: Record<string, unknown>) =>
    Object.hasOwn(account.secret, 'port') ? { ...secret, port: account.secret.port } : secret;
  const store = new MemoryStore();
  // One user repairs itself from the versions at hand; two need the admin.
  const admin = strategy === 'single-user' && target.adminOnly !== true ? {} : { masterarn: adminArn };
  store.create(arn, JSON.stringify({ ...through(account.secret), ...admin }).replace('{', `{${exactKeys}`));
  store.create(adminArn, JSON.stringify(through(account.admin)));
  const text = () => store.peek(arn, 'AWSCURRENT')?.value ?? '{}';
  const current = (): Record<string, unknown> => JSON.parse(text());
  const currentLogsIn = () => target.logsIn(direct(current()));
  const environment = () => {
    const faults = { hook: crashAt(undefined) };
    const hook: Hook = (call, when) => faults.hook(call, when);
    const { triedAtHost }: SecretTypeDescriptor = registry[rotator.type as TargetType];
    const lifecycle = engine({
      // Where an API sets the password, somebody besides the secret says where the target is.
      ...(triedAtHost === true && { definitions: naming(current()) }),
      rotator: interruptible(rotator, hook),
      store: intercept(store, 'store', hook),
      strategy,
      // Nothing here is about time: a line is cut, and never slow.
      target: target.context,
    });
    return { faults, lifecycle };
  };
  let warm = environment();
  return {
    account,
    text,
    current,
    currentLogsIn,
    close: () => line.close(),
    stage: {
      begin: (token: string) => store.begin(arn, token),
      cancel: () => store.removePending(arn),
      settle: async () => sleep(target.settlesAfterMs ?? 0),
      async invoke(
        { step, token }: { step: string; token: string },
        { crash, cold, pace }: InvocationOptions,
      ): Promise<Error | undefined> {
        const { faults, lifecycle } = cold ? environment() : warm;
        const inTarget = crash !== undefined && crash.calls % 2 === 1;
        faults.hook = crashAt(inTarget ? undefined : crash, pace);
        if (inTarget) line.cutAfter(3 + crash.calls * 2, crash.when);
        const failure = await outcome(
          lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token }),
        );
        if (inTarget) line.mend();
        if (crash !== undefined && !cold) warm = environment();
        return failure;
      },
    },
  };
}

/** Of each type, shared among its strategies. */
const historiesPerType = 200;
/** Alone on a machine they take less than a minute a type. */
const limitMs = 30 * 60_000;
/** Histories at once, each with an account and a line of its own: most of their time is waiting. */
const lanes = 4;

/**
 * Plays generated histories for every `of`th type, beginning with the `part`th: in several files, so that types run at
 * the same time. A failure prints the seed of its lane.
 */
export function describeHistories(part: number, of: number): void {
  afterAll(stopTargets);

  describeEach(
    ({ type, strategy }) => {
      const runs = Math.ceil(historiesPerType / registry[type].strategies.length / lanes);
      let target: Target;
      beforeAll(async () => {
        target = await startTarget(type);
      });

      async function survives(history: readonly Happening[]): Promise<void> {
        const { stage, text, current, currentLogsIn, account, close } = await world(target, strategy);
        try {
          await play(history.slice(0, 9), {
            ...stage,
            // With two users, the one in use is never the one that changes: no moment without a working login.
            check: async () => {
              expect(strategy === 'single-user' || (await currentLogsIn())).toBe(true);
            },
          });
          expect(await currentLogsIn()).toBe(true);
          expect(text().startsWith(`{${exactKeys}`)).toBe(true);
          expect(current()).toMatchObject({ team: account.secret.team, nested: account.secret.nested });
        } finally {
          await close();
        }
      }

      test(
        'survives crashes, cut connections, retries, duplicates and late deliveries on the real server',
        async () => {
          const lane = () =>
            fc.assert(fc.asyncProperty(histories, survives), {
              numRuns: runs,
              interruptAfterTimeLimit: limitMs - 10_000,
              markInterruptAsFailure: true,
            });
          await Promise.all(Array.from({ length: lanes }, lane));
        },
        limitMs,
      );
    },
    [part, of],
  );
}
