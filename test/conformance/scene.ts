import { inspect } from 'node:util';
import { systemRandom } from '../../adapters/random.ts';
import { passwordPolicy } from '../../core/password.ts';
import type { Strategy } from '../../core/secret.ts';
import { registry, type SecretType, secretTypes } from '../../rotators/registry.ts';
import type { ApplyContext, ContainResult, Credentials, TargetContext } from '../../rotators/rotator.ts';
import type { Account, TargetUnderTest } from './target.ts';

type Secret = Record<string, unknown>;
export type Target = TargetUnderTest<Secret>;
export type Finding = Parameters<TargetContext['finding']>[0];

/** What a driver exports. */
interface Driver {
  start(): Promise<Target>;
  /** Why its server cannot be started on this machine, and the command that provides it; nothing where it can. */
  missing?(): Promise<string | undefined>;
}
const loadDriver = async (type: SecretType): Promise<Driver> => await import(`./drivers/${type}.ts`);

/** Types whose server is not on this machine, with the reason; see `servers.test.ts`. */
export const missingServers: ReadonlyMap<SecretType, string> = new Map(
  (
    await Promise.all(
      secretTypes.map(async (type) => [type, await (await loadDriver(type)).missing?.()] as const),
    )
  ).flatMap(([type, reason]) => (reason === undefined ? [] : [[type, reason]])),
);

const targets = new Map<SecretType, Promise<Target>>();

/** The real server of a type, started by its driver when it is first asked for, one per test file. */
export function startTarget(type: SecretType): Promise<Target> {
  let target = targets.get(type);
  if (target === undefined) {
    target = loadDriver(type).then(async ({ start, missing }) => {
      const reason = await missing?.();
      if (reason !== undefined) throw new Error(`no server for ${type}: ${reason}`);
      return await start();
    });
    targets.set(type, target);
  }
  return target;
}

/** Stops what {@link startTarget} started; for `afterAll` of the file. */
export async function stopTargets(): Promise<void> {
  await Promise.all([...targets.values()].map(async (target) => (await target).stop()));
  targets.clear();
}

/** Every type whose server is here, with every strategy it has. */
export const combinations = secretTypes
  .filter((type) => !missingServers.has(type))
  .flatMap((type) => registry[type].strategies.map((strategy) => ({ type, strategy })));

const passwords = passwordPolicy({});

/** The versions of one secret, and what the engine would do with them, without the engine. */
export class Scene {
  readonly target: Target;
  readonly strategy: Strategy;
  readonly account: Account<Secret>;
  readonly findings: Finding[] = [];
  /** Newest first; the first is the current one. */
  readonly versions: Secret[];
  hasAdmin = true;

  constructor(target: Target, strategy: Strategy, account: Account<Secret>) {
    this.target = target;
    this.strategy = strategy;
    this.account = account;
    this.versions = [account.secret];
  }

  get current(): Secret {
    return this.versions[0] ?? this.account.secret;
  }

  get previous(): Secret | undefined {
    return this.versions[1];
  }

  get context(): TargetContext {
    return { ...this.target.context, finding: (finding) => this.findings.push(finding) };
  }

  get credentials(): Credentials<Secret> {
    const { versions } = this;
    return {
      current: this.current,
      admin: async () => (this.hasAdmin ? this.account.admin : undefined),
      previous: async () => versions[1],
      async *others() {
        yield* versions.slice(2);
      },
    };
  }

  get applyContext(): ApplyContext<Secret> {
    const { strategy, credentials } = this;
    return { ...this.context, strategy, random: systemRandom, credentials };
  }

  propose(): Secret {
    return this.target.rotator.propose(this.current, {
      strategy: this.strategy,
      random: systemRandom,
      passwords,
    });
  }

  /** Brings `next` to the target and makes it current; returns it. */
  async rotate(next: Secret = this.propose()): Promise<Secret> {
    const { rotator } = this.target;
    rotator.check(next, this.current, { strategy: this.strategy });
    await rotator.apply(next, this.applyContext);
    const result = await rotator.probe(next, this.context);
    if (result.outcome !== 'accepted') throw result.error;
    this.versions.unshift(next);
    return next;
  }

  async contain(leaked: Secret, rotatedAt?: Date): Promise<ContainResult> {
    return await this.target.rotator.contain(leaked, {
      ...this.applyContext,
      ...(rotatedAt !== undefined && { rotatedAt }),
    });
  }

  /** Every password that this scene has ever used, the admin's included. */
  get secrets(): string[] {
    return [...this.versions, this.account.admin].map((secret) => this.target.passwordOf(secret));
  }
}

/** What was thrown, and all that anybody could print of it. */
export async function failure(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; text: string }> {
  try {
    await work;
  } catch (error) {
    const { code = '', message = '' } = error as { code?: string; message?: string };
    return { code, message, text: inspect(error, { depth: 12, showHidden: true }) };
  }
  throw new Error('expected a failure, but it succeeded');
}
