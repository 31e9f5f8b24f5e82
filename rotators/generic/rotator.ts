import type { Random } from '../../core/ports.ts';
import type { ReplacingRotator } from '../../core/rotator.ts';
import { generatePassword, type PasswordPolicy } from '../../core/secret/password.ts';
import { carriedName } from '../../core/secret/secret.ts';
import { check } from './check.ts';
import { descriptor } from './descriptor.ts';
import { type GenericSecret, genericSecretSchema, keysOf, textOf } from './schema.ts';

const note =
  'the workloads that share this value decide whether they accept it; Rekey can reach none of them';

/**
 * Rotator for random values that workloads share among themselves. Such are tokens between services, keys of signatures,
 * passwords of systems that Rekey does not know. There is no target, so a rotation replaces the value and does no more. A trial
 * can prove nothing, and what leaked must be refused by those who share it. See `docs/secret-types/generic.md`.
 */
export const rotator: ReplacingRotator<GenericSecret> = {
  type: 'generic',
  kind: 'replacing',
  strategies: descriptor.strategies,
  schema: genericSecretSchema,
  identity: (secret) => carriedName(keysOf(secret).join(', ')),
  credentialKeys: keysOf,
  boundTo: () => ({}),
  propose: async (current, { random, passwords }) => ({
    ...current,
    ...Object.fromEntries(
      keysOf(current).map((key) => [key, anotherValue(textOf(current, key), passwords, random)]),
    ),
  }),
  check,
  apply: async () => undefined,
  probe: async () => ({ outcome: 'unverifiable', note }),
  contain: async () => ({
    loginsRefused: false,
    sessionsEnded: 0,
    note: `${note}; make each of them refuse the value that leaked`,
  }),
};

/**
 * Makes a value that differs from the current one. Short values of few characters may repeat, and the same value again would be
 * no rotation.
 */
function anotherValue(current: string, passwords: PasswordPolicy, random: Random): string {
  for (;;) {
    const value = generatePassword(passwords, random);
    if (value !== current) return value;
  }
}
