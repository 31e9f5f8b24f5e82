import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { steps } from '../../lambdas/rotation/event.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry } from '../../rotators/registry.ts';
import { engine, MemoryBus, naming } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { describeEach } from './each.ts';
import { startTarget, stopTargets, type Target, unchanging } from './scene.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:/test/admin-AbCdEf';

afterAll(stopTargets);

describeEach(({ type, strategy, issued }) => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget(type);
  });

  async function world() {
    const { secret, admin } = await target.createAccount();
    const store = new MemoryStore();
    const bus = new MemoryBus();
    store.create(arn, JSON.stringify({ ...secret, masterarn: adminArn }));
    store.create(adminArn, JSON.stringify(admin));
    const current = (): Record<string, unknown> => JSON.parse(store.peek(arn, 'AWSCURRENT')?.value ?? '{}');
    const rotate = async () => {
      const token = randomUUID();
      store.begin(arn, token);
      const { triedAtHost }: SecretTypeDescriptor = registry[type];
      const lifecycle = engine({
        rotator: target.rotator,
        store,
        strategy,
        bus,
        target: target.context,
        // Where an API sets the password, somebody besides the secret says where the target is.
        ...(triedAtHost === true && { definitions: naming(current()) }),
      });
      for (const step of steps) {
        await lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token });
      }
    };
    return { store, bus, current, rotate };
  }

  test('the engine rotates it, and keeps the JSON', async () => {
    const { current, rotate, bus } = await world();
    const before = unchanging(target, current());
    await rotate();
    expect(unchanging(target, current())).toEqual(before);
    expect(await target.logsIn(current())).toBe(true);
    expect(bus.events.map(({ detailType }) => detailType)).toEqual([
      'Secret Rotation Started',
      'Secret Rotation Succeeded',
      ...(issued && strategy === 'single-user'
        ? ['Credential Retirement Started', 'Credential Retired']
        : []),
    ]);
  });

  if (strategy === 'single-user') return;

  test('a client that logs in anew 50 times a second through 50 rotations never fails', async () => {
    const { current, rotate } = await world();
    const logins: Promise<boolean>[] = [];
    let open = 0;
    let rotations = 0;
    let running = true;
    const client = (async () => {
      for (let next = performance.now(); running; next += 20) {
        // On a machine too slow for the pace, more at once would only exhaust the server's connections.
        if (open < 12) {
          open += 1;
          logins.push(target.logsIn(current()).finally(() => (open -= 1)));
        }
        await sleep(Math.max(1, next - performance.now()));
      }
    })();
    try {
      while (rotations < 50 || logins.length <= 100) {
        await rotate();
        rotations += 1;
        // Some targets rotate faster than the client logs in; each rotation must be seen by several logins.
        const enough = logins.length + 3;
        while (logins.length < enough) await sleep(5);
        // A login that began with the version before must be over: a client has until the next rotation but one.
        await Promise.all(logins);
      }
    } finally {
      running = false;
      await client;
    }
    const results = await Promise.all(logins);
    expect(results.length).toBeGreaterThan(100);
    expect(results.filter((succeeded) => !succeeded)).toEqual([]);
  });
});
