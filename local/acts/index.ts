import type { Act } from './act.ts';
import { tampering, verification } from './audit.ts';
import { leakedCredential } from './revocation.ts';
import { alternatingUsers, databaseGoesAway, singleUser } from './rotation.ts';

/** The acts of the tour, in order. */
export const acts: readonly (readonly [string, Act])[] = [
  ['A password rotates', singleUser],
  ['Two users take turns under load', alternatingUsers],
  ['A credential leaks', leakedCredential],
  ['The database goes away in the middle', databaseGoesAway],
  ['An administrator tampers with the audit log', tampering],
  ['The audit log is verified', verification],
];
