import type { ProofCheck } from '../check.ts';
import { credentialRefused } from './credential-refused.ts';
import { keyMissing } from './key-missing.ts';
import { keyUnusable } from './key-unusable.ts';
import { nameInvalid } from './name-invalid.ts';
import { notProven } from './not-proven.ts';
import { probeImpossible } from './probe-impossible.ts';
import { readableByTooMany } from './readable-by-too-many.ts';
import { readerDenied } from './reader-denied.ts';
import { readerUnknown } from './reader-unknown.ts';
import { secretDeleted } from './secret-deleted.ts';
import { secretExpired } from './secret-expired.ts';
import { secretMissing } from './secret-missing.ts';
import { secretOfOtherEnvironment } from './secret-of-other-environment.ts';
import { secretOverdue } from './secret-overdue.ts';
import { secretRevoked } from './secret-revoked.ts';
import { versionMissing } from './version-missing.ts';

/** Every check of a preflight, in the order of reports. */
export const proofChecks = [
  nameInvalid,
  secretMissing,
  secretDeleted,
  secretOfOtherEnvironment,
  secretExpired,
  secretOverdue,
  secretRevoked,
  versionMissing,
  keyMissing,
  keyUnusable,
  readerDenied,
  readerUnknown,
  readableByTooMany,
  credentialRefused,
  probeImpossible,
  notProven,
] as const satisfies readonly ProofCheck[];

/** Name of a check. */
export type ProofCheckId = (typeof proofChecks)[number]['description']['id'];
