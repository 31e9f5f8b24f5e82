import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { systemRandom } from '../../adapters/system.ts';
import {
  type ApplyContext,
  type ContainResult,
  type Credentials,
  isFailed,
  type TargetContext,
} from '../../core/rotator.ts';
import { passwordPolicy } from '../../core/secret/password.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import { type TargetType, targetTypes } from '../../rotators/registry.ts';
import type { Account, TargetUnderTest } from './target.ts';

type Secret = Record<string, unknown>;
export type Target = TargetUnderTest<Secret>;
export type Finding = Parameters<TargetContext['finding']>[0];

const targets = new Map<TargetType, Promise<Target>>();

/** The real server of a type, started by its driver when it is first asked for, one per test file. */
export function startTarget(type: TargetType): Promise<Target> {
  let target = targets.get(type);
  if (target === undefined) {
    target = driver(type).then(({ start }) => start());
    targets.set(type, target);
  }
  return target;
}

/** Stops what {@link startTarget} started; for `afterAll` of the file. */
export async function stopTargets(): Promise<void> {
  await Promise.all([...targets.values()].map(async (target) => (await target).stop()));
  targets.clear();
}

export interface Driver {
  start(): Promise<Target>;
  /** Why its server cannot be started here, and the command that helps; undefined when it can. */
  missing?(): Promise<string | undefined>;
  /**
   * Strategies that this server does not have, and why no other one is run: reported as skipped, in CI too, where it
   * cannot be provided.
   */
  readonly notRun?: Partial<Record<Strategy, string>>;
}

const driver = (type: TargetType): Promise<Driver> => import(`./drivers/${type}.ts`);

/** Why the server of a type cannot be started on this machine, and the command that helps. */
export const missing = new Map<TargetType, string>();
for (const type of targetTypes) {
  const reason = await (await driver(type)).missing?.();
  if (reason === undefined) continue;
  if (process.env.CI === 'true') throw new Error(`${type}: ${reason}`);
  missing.set(type, reason);
}

/** Type and strategy that are not run, and why. */
export const notRun = new Map<string, string>();
for (const type of targetTypes) {
  for (const [strategy, reason] of Object.entries((await driver(type)).notRun ?? {})) {
    notRun.set(`${type}, ${strategy}`, reason);
  }
}

/** The types whose server can be started on this machine. In CI that must be all. */
export const availableTypes = targetTypes.filter((type) => !missing.has(type));

const passwords = passwordPolicy({});

/** What is left of a secret when all that a rotation may change is taken away. */
export function unchanging(target: Target, secret: Secret): Secret {
  const changing = target.changing ?? ['username', 'password'];
  return Object.fromEntries(Object.entries(secret).filter(([key]) => !changing.includes(key)));
}

/** The versions of one secret, and what the engine would do with them, without the engine. */
export class Scene {
  target: Target;
  readonly strategy: Strategy;
  readonly account: Account<Secret>;
  readonly findings: Finding[] = [];
  /** Newest first; the first is the current one. */
  readonly versions: Secret[];
  hasAdmin = true;
  /** Whether the deployment names the user and the place of the secret. */
  isAssigned = true;

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
      async *others(which) {
        // All of them were current before.
        if (which !== 'newer') yield* versions.slice(2);
      },
      isAssigned: async () => this.isAssigned,
    };
  }

  get applyContext(): ApplyContext<Secret> {
    const { strategy, credentials } = this;
    return { ...this.context, strategy, random: systemRandom, credentials };
  }

  /** @param token - the version id that the proposal would have */
  async propose(token: string = randomUUID()): Promise<Secret> {
    const { rotator } = this.target;
    if (rotator.kind === 'issuing') await this.retire('remove');
    return await rotator.propose(this.current, { ...this.applyContext, passwords, token });
  }

  /** Ends the overlap of the previous credential. */
  async retire(
    act: 'disable' | 'remove',
    announce: () => Promise<void> = async () => undefined,
  ): Promise<string> {
    const { previous } = this;
    const { rotator } = this.target;
    if (previous === undefined || rotator.kind === 'replacing') return 'nothing';
    return (await rotator.retire(previous, { ...this.applyContext, act, announce })).done;
  }

  /** Brings `next` to the target and makes it current; returns it. */
  async rotate(proposed?: Secret): Promise<Secret> {
    const { rotator } = this.target;
    const next = proposed ?? (await this.propose());
    rotator.check(next, this.current, { strategy: this.strategy });
    await rotator.apply(next, this.applyContext);
    const result = await rotator.probe(next, this.context);
    if (isFailed(result)) throw result.error;
    this.versions.unshift(next);
    // As the engine does: a target that issues credentials accepts two only while the rotation needs them.
    if (rotator.kind === 'issuing' && this.strategy === 'single-user') await this.retire('remove');
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
