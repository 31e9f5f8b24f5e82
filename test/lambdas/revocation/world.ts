import { z } from 'zod';
import { systemRandom } from '../../../adapters/system.ts';
import { TargetError } from '../../../core/errors/rekey-error.ts';
import type { EventOrigin } from '../../../core/events/create.ts';
import type { RotationControl } from '../../../core/ports.ts';
import type { Rotator } from '../../../core/rotator.ts';
import type { SecretDefinition } from '../../../core/secret/definition.ts';
import { type Strategy, stages, versionWith } from '../../../core/secret/secret.ts';
import type { ContainmentDependencies } from '../../../lambdas/revocation/contain.ts';
import type { IntakeDependencies } from '../../../lambdas/revocation/intake.ts';
import { engine, MemoryBus, noDatabases } from '../rotation/engine.ts';
import { MemoryStore } from '../rotation/memory-store.ts';
import { StaleStore } from '../rotation/stale-store.ts';

export const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders';
export const requestId = '0195a000-0000-7000-8000-000000000001';

interface Credential {
  username: string;
  password: string;
}

/** Users with a password, a switch for logins, and live sessions. */
class Target {
  readonly users = new Map<string, { password: string; mayLogIn: boolean; sessions: number }>();
  /** The next calls that get no answer. */
  unreachable = 0;
  /** Ignores what it is told about logins, as a target with a bug or without the permission would. */
  stubborn = false;
  /** Nothing that can be reached accepts or refuses its credentials; says who does. */
  nobody: string | undefined;
  readonly contained: string[] = [];

  answer(): void {
    if (this.unreachable > 0) {
      this.unreachable -= 1;
      throw new TargetError('TargetUnreachable', 'no answer from the target');
    }
  }

  accepts({ username, password }: Credential): boolean {
    const user = this.users.get(username);
    return user?.mayLogIn === true && user.password === password;
  }
}

function rotatorFor(target: Target): Rotator<Credential> {
  return {
    type: 'model',
    kind: 'replacing',
    strategies: ['single-user'],
    schema: z.looseObject({ username: z.string(), password: z.string().min(1) }),
    propose: async (current, { random }) => ({
      ...current,
      password: Buffer.from(random.bytes(16)).toString('hex'),
    }),
    check: () => undefined,
    async apply(next) {
      target.answer();
      target.users.set(next.username, { password: next.password, mayLogIn: true, sessions: 0 });
    },
    async probe(credential) {
      if (target.nobody !== undefined) return { outcome: 'unverifiable', note: target.nobody };
      try {
        target.answer();
      } catch (error) {
        return { outcome: 'unreachable', error: error as TargetError };
      }
      return target.accepts(credential)
        ? { outcome: 'accepted' }
        : { outcome: 'rejected', error: new TargetError('AuthenticationRefused', 'refused') };
    },
    async contain(leaked, { credentials }) {
      if (target.nobody !== undefined) {
        return { loginsRefused: false, sessionsEnded: 0, note: target.nobody };
      }
      target.answer();
      target.contained.push(leaked.password);
      const user = target.users.get(leaked.username);
      if (user === undefined || target.stubborn) {
        return { loginsRefused: false, sessionsEnded: 0 };
      }
      const { current } = credentials;
      const older =
        leaked.username === current.username &&
        leaked.password !== current.password &&
        target.accepts(current);
      const sessionsEnded = user.sessions;
      target.users.set(leaked.username, { ...user, sessions: 0, mayLogIn: older });
      return { loginsRefused: true, sessionsEnded };
    },
    identity: ({ username }) => username,
    credentialKeys: () => ['password'],
    boundTo: ({ username }) => ({ username }),
  };
}

/** One secret, its target, the bus and the clock, all in memory. */
export class World {
  readonly store = new MemoryStore();
  /** The store as Rekey sees it: its answers may be old. */
  readonly seen: StaleStore;
  readonly target = new Target();
  readonly rotator = rotatorFor(this.target);
  strategy: Strategy = 'single-user';
  readonly bus = new MemoryBus();
  /** Failures that the rotation function will have. */
  rotationFailures = 0;
  /** Rotations that Secrets Manager began. */
  readonly rotations: string[] = [];
  #now = Date.parse('2026-03-01T12:00:00.000Z');
  readonly clock = { now: () => new Date(this.#now) };

  /**
   * @param lags - how old answers of Secrets Manager are; see {@link StaleStore}
   * @param arn - ARN of the secret; default: the one that requests name
   */
  constructor(password = 'leaked-password', lags: readonly number[] = [0], arn = secretArn) {
    this.store.create(arn, JSON.stringify({ username: 'app', password }));
    this.seen = new StaleStore(this.store, lags);
    this.target.users.set('app', { password, mayLogIn: true, sessions: 2 });
  }

  readonly wait = async (ms: number): Promise<void> => {
    this.#now += ms;
    await this.seen.wait(ms);
  };

  origin(source: EventOrigin['source'] = 'rekey.revocation'): EventOrigin {
    return { source, environment: 'test', actor: 'test', clock: this.clock, random: systemRandom };
  }

  /** Lambda does not have the function that the definition names. */
  containmentGone = false;
  /** As the latest deploy has written it. */
  definition: SecretDefinition = {
    name: 'orders',
    arn: secretArn,
    type: 'model',
    strategy: 'single-user',
    owner: 'team-orders',
    consumers: [],
    schedule: 'rate(30 days)',
    rotationFunction: 'rotation',
    containmentFunction: 'containment',
  };

  intake(change: Partial<IntakeDependencies> = {}): IntakeDependencies {
    return {
      definitions: {
        find: async (secret) => (['orders', secretArn].includes(secret) ? this.definition : undefined),
        list: async () => [this.definition],
      },
      planStarter: { start: async () => 'started' },
      store: this.seen,
      wait: this.wait,
      starter: { start: async () => 'started' },
      bus: this.bus,
      origin: this.origin(),
      policy: { sources: ['rekey.cli'], accounts: ['111122223333'], maximumAgeMs: 86_400_000 },
      ...change,
    };
  }

  containment(): ContainmentDependencies<Credential> {
    return {
      rotator: this.rotator,
      strategy: this.strategy,
      store: this.seen,
      wait: this.wait,
      databases: noDatabases,
      bus: this.bus,
      origin: this.origin('rekey.containment'),
      target: { connectTimeoutMs: 1000, statementTimeoutMs: 1000 },
    };
  }

  /** Secrets Manager: begins a rotation, or tries the leftover of an earlier one again. */
  readonly rotation: RotationControl = {
    rotate: async (arn, token) => {
      const description = await this.store.describe(arn);
      const pending = versionWith(description, stages.pending);
      const unfinished = pending !== undefined && !description.versions[pending]?.includes(stages.current);
      if (!unfinished) {
        this.begin(arn, token);
        this.rotations.push(token);
      }
      await this.runRotation(arn, unfinished ? pending : token);
      return unfinished ? 'unfinished' : 'started';
    },
  };

  begin(arn: string, token: string): void {
    this.store.begin(arn, token);
    this.seen.note();
  }

  async runRotation(arn: string, token: string): Promise<void> {
    if (this.rotationFailures > 0) {
      this.rotationFailures -= 1;
      return;
    }
    const lifecycle = engine({
      rotator: this.rotator,
      strategy: this.strategy,
      store: this.seen,
      wait: this.wait,
    });
    try {
      for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
        await lifecycle.run({ Step, SecretId: arn, ClientRequestToken: token });
      }
    } catch {
      // Secrets Manager does not tell its caller; the version stays pending.
    }
  }

  /** What was published, in short. */
  published(): string[] {
    return this.bus.events.map(({ detailType }) => detailType);
  }
}

/** A request as EventBridge delivers it. */
export function requestEvent(change: Record<string, unknown> = {}, data: Record<string, unknown> = {}) {
  return {
    version: '0',
    id: 'bus-1',
    'detail-type': 'Secret Revocation Requested',
    source: 'rekey.cli',
    account: '111122223333',
    time: '2026-03-01T11:59:59Z',
    region: 'eu-central-1',
    resources: [],
    detail: {
      metadata: {
        id: requestId,
        schemaVersion: 1,
        time: '2026-03-01T11:59:59.500Z',
        environment: 'test',
        actor: 'responder',
        correlationId: 'incident-7',
      },
      data: { select: { secret: 'orders' }, mode: 'kill', reason: 'found in a public repository', ...data },
    },
    ...change,
  };
}
