import * as z from 'zod';
import { SecretError, TargetError } from '../../../core/errors/rekey-error.ts';
import type { IssuingRotator } from '../../../core/rotator.ts';

export interface IssuedSecret {
  readonly id: string;
  readonly key: string;
  readonly [other: string]: unknown;
}

/** The smallest target that issues credentials itself: keys with an id, enabled or not. */
export class IssuingTarget {
  readonly keys = new Map<string, { key: string; enabled: boolean; madeFor: string }>();
  #made = 0;
  /** How many keys it keeps at the most. */
  places = 2;
  /** Refuses to remove anything. */
  stuck = false;

  issue(madeFor: string): IssuedSecret {
    this.#made += 1;
    const issued = { id: `id-${this.#made}`, key: `key ${this.#made} of the target` };
    this.keys.set(issued.id, { key: issued.key, enabled: true, madeFor });
    return issued;
  }

  accepts({ id, key }: IssuedSecret): boolean {
    const known = this.keys.get(id);
    return known?.enabled === true && known.key === key;
  }
}

/** A rotator for the {@link IssuingTarget}, on the same contract as the real ones. */
export function issuingRotator(target: IssuingTarget): IssuingRotator<IssuedSecret> {
  return {
    type: 'issuing',
    kind: 'issuing',
    strategies: ['single-user', 'dual-credential'],
    schema: z.looseObject({ id: z.string(), key: z.string() }),
    identity: ({ id }) => id,
    credentialKeys: () => ['id', 'key'],
    boundTo: () => ({}),
    async propose(current, { token }) {
      for (const [id, { madeFor }] of target.keys) if (madeFor === token) target.keys.delete(id);
      if (target.keys.size >= target.places) {
        throw new SecretError(
          'SlotsTaken',
          `the target has ${target.keys.size} keys: ${[...target.keys.keys()]}`,
        );
      }
      return { ...current, ...target.issue(token) };
    },
    async discard({ id }) {
      target.keys.delete(id);
    },
    check: () => undefined,
    apply: async () => undefined,
    probe: async (credential) =>
      target.accepts(credential)
        ? { outcome: 'accepted' }
        : {
            outcome: 'rejected',
            error: new TargetError('AuthenticationRefused', `${credential.id} is refused`),
          },
    async retire({ id }, { act, announce }) {
      if (target.stuck) throw new TargetError('PermissionMissing', 'may not remove keys');
      const known = target.keys.get(id);
      if (known === undefined || (act === 'disable' && !known.enabled)) return { done: 'nothing' };
      await announce();
      if (act === 'disable') {
        known.enabled = false;
        return { done: 'disabled' };
      }
      target.keys.delete(id);
      return { done: 'removed' };
    },
    async contain({ id }) {
      target.keys.delete(id);
      return { loginsRefused: true, sessionsEnded: 0 };
    },
  };
}
