import type { SecretContent, SecretDefinition } from '../../../core/secret/definition.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { engine, MemoryBus } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import { loginOf, type ModelSecret, ModelTarget, modelRotator } from './model-target.ts';

const prefix = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';
export const arn = `${prefix}/test/app-AbCdEf`;
export const adminOf = (host: string) => `${prefix}/test/admin-of-${host}-AbCdEf`;
export const hosts = ['one.internal', 'two.internal'] as const;
export const [one, two] = hosts;
export const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

/** A secret that Rekey created, its definition, two hosts and their admins. */
export function world(content: SecretContent, { strategy = 'single-user' as Strategy, created = true } = {}) {
  const target = new ModelTarget();
  const store = new MemoryStore();
  const bus = new MemoryBus();
  const definition = {
    content: content as SecretContent | undefined,
    asked: 0,
    /** True, or the error with which no definition can be read. */
    broken: false as boolean | Error,
    missing: false,
  };
  store.create(arn, JSON.stringify({ password: 'the first value of all' }), {
    tags: created ? { 'rekey:environment': 'test' } : {},
  });
  for (const host of hosts) {
    const admin = { username: 'admin', host, password: `password of the admin of ${host}` };
    store.create(adminOf(host), JSON.stringify(admin));
    target.passwords.set(loginOf(admin), admin.password);
    for (const username of ['app', 'app_clone', 'other']) {
      target.passwords.set(loginOf({ username, host }), `never known ${host} ${username}`);
    }
  }
  let tokens = 0;
  const parsed = (text: string | undefined): ModelSecret & Record<string, unknown> =>
    JSON.parse(text ?? '{}');
  const current = () => parsed(store.peek(arn, 'AWSCURRENT')?.value);
  const start = (wrap: <T extends object>(part: T, label: string) => T = (part) => part) =>
    engine({
      rotator: modelRotator(wrap(target, 'target')),
      store: wrap(store, 'store'),
      bus: wrap(bus, 'bus'),
      strategy,
      definitions: {
        find: async () => {
          definition.asked += 1;
          if (definition.broken instanceof Error) throw definition.broken;
          if (definition.broken) throw Object.assign(new Error('no'), { name: 'TimeoutError' });
          if (definition.missing) return undefined;
          return { content: definition.content } as SecretDefinition;
        },
      },
    });
  return {
    target,
    store,
    bus,
    definition,
    start,
    current,
    begin: () => {
      tokens += 1;
      store.begin(arn, `token-${tokens}`);
      return (step: string, lifecycle = start()) =>
        lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: `token-${tokens}` });
    },
    /** Ends a rotation that was begun and has not ended, as Secrets Manager does before it begins another. */
    async resume() {
      const pending = store.peek(arn, 'AWSPENDING')?.versionId;
      if (pending === undefined || pending === store.peek(arn, 'AWSCURRENT')?.versionId) return;
      const warm = start();
      for (const Step of steps) await warm.run({ Step, SecretId: arn, ClientRequestToken: pending });
    },
    async rotate({ cold = false } = {}) {
      const run = this.begin();
      const warm = start();
      for (const step of steps) await run(step, cold ? start() : warm);
    },
    /** What a person does in the console: a new value that is current at once. */
    async edit(change: Record<string, unknown>) {
      tokens += 1;
      const id = `edit-${tokens}`;
      const from = store.peek(arn, 'AWSCURRENT')?.versionId ?? '';
      await store.putPending(arn, id, JSON.stringify({ ...current(), ...change }));
      await store.moveCurrent(arn, { to: id, from });
      store.removePending(arn);
    },
    logsIn: (secret: ModelSecret = current()) => target.passwords.get(loginOf(secret)) === secret.password,
    findings: () =>
      bus.events.flatMap((event) => (event.detailType === 'Finding Raised' ? [event.detail.data] : [])),
    tag: async () => (await store.describe(arn)).tags['rekey:content'],
    /** Passwords of versions that another host than their own has seen. */
    strayed: () =>
      store
        .values(arn)
        .map(parsed)
        .flatMap(({ host, password }) =>
          host === undefined
            ? []
            : hosts.filter((other) => other !== host && target.seen.has(`${password}@${other}`)),
        ),
  };
}

export const base = { username: 'app', host: one };
export const withAdmin = (fields: SecretContent['fields'] = {}, host: string = one): SecretContent => ({
  fields: { ...base, host, ...fields },
  masterarn: adminOf(host),
});
