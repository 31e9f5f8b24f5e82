import type { Act } from './act.ts';
import { tampering, verification } from './audit.ts';
import { leakedCredential } from './revocation.ts';
import { alternatingUsers, databaseGoesAway, singleUser } from './rotation.ts';
import { twoPasswords } from './two-passwords.ts';

/** Lists the acts of the tour, in order; that of the cache only where there is one. */
export const acts = (cache: boolean): readonly (readonly [string, Act])[] => [
  ['A password rotates', singleUser],
  ['Two users take turns under load', alternatingUsers],
  ...(cache ? [['A cache accepts two passwords at once', twoPasswords] as const] : []),
  ['A credential leaks', leakedCredential],
  ['The database goes away in the middle', databaseGoesAway],
  ['An administrator tampers with the audit log', tampering],
  ['The audit log is verified', verification],
];

/** Title of the act that `npm start -- --act chain` plays alone, since it brings targets of its own. */
export const chainTitle = 'One leaked credential, and all that it leads to';
