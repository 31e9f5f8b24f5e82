import * as z from 'zod';
import type { Revoker } from '../../core/rotator.ts';
import { carriedName, commonSecretFields } from '../../core/secret/secret.ts';
import { descriptor } from './descriptor.ts';

/** Schema of any JSON object: its content is between the rotation function and its target. */
const externalSecretSchema = z.looseObject(commonSecretFields);
export type ExternalSecret = z.output<typeof externalSecretSchema>;

const note =
  'the target of the rotation function decides whether it accepts this credential; Rekey does not know how to reach it';

/**
 * Revoker for secrets whose rotation function is not Rekey's. A revocation has that function replace the credential. Whether the
 * leaked one is dead then depends on what the function does, and nobody can be asked. See `docs/secret-types/external.md`.
 */
export const rotator: Revoker<ExternalSecret> = {
  type: 'external',
  strategies: descriptor.strategies,
  schema: externalSecretSchema,
  /**
   * Names the user by `username`, where AWS's own functions keep the name. It is a name, and any other key might be the secret.
   */
  identity: ({ username }) =>
    typeof username === 'string' && username !== '' ? carriedName(username) : 'credential',
  boundTo: () => ({}),
  probe: async () => ({ outcome: 'unverifiable', note }),
  contain: async () => ({
    loginsRefused: false,
    sessionsEnded: 0,
    note: `${note}; cut the login off there by hand and end its sessions`,
  }),
};
