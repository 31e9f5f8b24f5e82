import { systemRandom } from '../../../adapters/system.ts';
import type { AnyEvent } from '../../../core/events/catalogue.ts';
import type { DatabaseDirectory, DefinitionStore, EventBus, SecretStore } from '../../../core/ports.ts';
import type { Rotator, TargetContext } from '../../../core/rotator.ts';
import { passwordPolicy } from '../../../core/secret/password.ts';
import type { Strategy } from '../../../core/secret/secret.ts';
import { assignedTo } from '../../../lambdas/rotation/apply-definition.ts';
import { RotationLifecycle } from '../../../lambdas/rotation/lifecycle.ts';
import type { MayBeginDependencies } from '../../../lambdas/rotation/may-begin.ts';
import { VersionCache } from '../../../lambdas/rotation/version-cache.ts';

/** A bus that keeps what it was given. */
export class MemoryBus implements EventBus {
  readonly events: AnyEvent[] = [];

  async publish(events: readonly AnyEvent[]): Promise<void> {
    this.events.push(...events);
  }
}

export const noDatabases: DatabaseDirectory = {
  locate: async () => undefined,
  sharesUsers: async () => false,
};

/** A deployment that names the user and the place of a secret, as its JSON has them. */
export const naming = (secret: object): Pick<DefinitionStore, 'find'> => {
  const { username, host, port, ssl, masterarn } = secret as Record<string, unknown>;
  const fields = { username, host, ...(port != null && { port }), ...(ssl != null && { ssl }) };
  const identity = { fields, ...(masterarn != null && { masterarn }) };
  return { find: async () => ({ identity }) as never };
};

const clock = { now: () => new Date() };

/** An engine over any rotator with everything outside in memory; a new one is a cold start. */
export function engine<S extends object>(options: {
  rotator: Rotator<S>;
  store: SecretStore;
  strategy?: Strategy;
  /** Takes the records. @default a bus of its own */
  bus?: EventBus;
  databases?: DatabaseDirectory;
  definitions?: Pick<DefinitionStore, 'find'>;
  target?: Partial<Omit<TargetContext, 'finding'>>;
  environment?: Record<string, string>;
  /** Asks the brake. @default there is none */
  mayBegin?: MayBeginDependencies['mayBegin'];
  /** @default takes no time */
  wait?: (ms: number) => Promise<unknown>;
}): RotationLifecycle<S> {
  const definitions = options.definitions ?? { find: async () => undefined };
  const origin = {
    source: 'rekey.rotation',
    environment: 'test',
    actor: 'engine-test',
    clock,
    random: systemRandom,
  } as const;
  return new RotationLifecycle({
    rotator: options.rotator,
    strategy: options.strategy ?? 'single-user',
    store: new VersionCache(options.store, clock),
    databases: options.databases ?? noDatabases,
    definitions,
    assigned: (secret) => assignedTo(secret, { definitions, origin }),
    records: options.bus ?? new MemoryBus(),
    origin,
    passwords: passwordPolicy(options.environment ?? {}),
    target: { connectTimeoutMs: 5_000, statementTimeoutMs: 5_000, ...options.target },
    wait: options.wait ?? (async () => undefined),
    ...(options.mayBegin !== undefined && { mayBegin: options.mayBegin }),
  });
}
