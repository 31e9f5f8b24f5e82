import { describe, test } from '@jest/globals';
import type { Strategy } from '../../core/secret.ts';
import { registry, type SecretType } from '../../rotators/registry.ts';
import { availableTypes, missing } from './scene.ts';

/** Describes the same tests for every type with every strategy it has, and reports the types that are left out. */
export function describeEach(body: (of: { type: SecretType; strategy: Strategy }) => void): void {
  for (const type of availableTypes) {
    for (const strategy of registry[type].strategies) {
      describe(`${type}, ${strategy}`, () => body({ type, strategy }));
    }
  }
  // biome-ignore lint/suspicious/noSkippedTests: its server is not on this machine; with CI=true that is a failure
  for (const [type, reason] of missing) test.skip(`${type}: ${reason}`, () => {});
}
