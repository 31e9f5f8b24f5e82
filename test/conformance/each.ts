import { describe, test } from '@jest/globals';
import type { Rotator } from '../../core/rotator.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type TargetType } from '../../rotators/registry.ts';
import { loadRotator } from '../load-rotator.ts';
import { availableTypes, missing, notRun } from './scene.ts';

/** One type with one strategy, as the suite describes it. */
export interface Case {
  readonly type: TargetType;
  readonly strategy: Strategy;
  /** True where the target issues the credential; false where Rekey chooses a password and tells it. */
  readonly issued: boolean;
}

const cases: readonly Case[] = (
  await Promise.all(
    availableTypes.map(async (type) => {
      const { kind }: Partial<Rotator<object>> = await loadRotator(type);
      return registry[type].strategies.map((strategy) => ({ type, strategy, issued: kind === 'issuing' }));
    }),
  )
).flat();

/**
 * Describes the same tests for every type with every strategy it has, and reports the types that are left out.
 * @param share - of every so many types one, to spread them over files: `[1, 2]` is the first of every two
 */
export function describeEach(body: (of: Case) => void, [part, of]: readonly [number, number] = [1, 1]): void {
  const types = availableTypes.filter((_type, index) => index % of === part - 1);
  for (const one of cases.filter(({ type }) => types.includes(type))) {
    const name = `${one.type}, ${one.strategy}`;
    const reason = notRun.get(name);
    if (reason === undefined) describe(name, () => body(one));
    // biome-ignore lint/suspicious/noSkippedTests: the driver says why no server with this strategy can be had
    else test.skip(`${name}: ${reason}`, () => {});
  }
  for (const type of types) {
    const { title, verifiedOn }: SecretTypeDescriptor = registry[type];
    if (verifiedOn.length > 0) continue;
    // biome-ignore lint/suspicious/noSkippedTests: nobody can start one outside of AWS, so no machine runs this
    test.skip(`${type}: on ${title} itself; what runs here stands in its place`, () => {});
  }
  // biome-ignore lint/suspicious/noSkippedTests: its server is not on this machine; with CI=true that is a failure
  for (const [type, reason] of missing) test.skip(`${type}: ${reason}`, () => {});
}
