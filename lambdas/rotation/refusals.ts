import type { ErrorCode } from '../../core/errors/codes.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';

/**
 * Answers of Secrets Manager after which a value is stored in no version for certain. After any other it may be stored, after a
 * lost one above all.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
 */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'SecretAccessDenied',
  'SecretKeyUnusable',
  'SecretMissing',
  'SecretTooLarge',
  'VersionQuotaReached',
]);

/**
 * Tells whether Secrets Manager has refused a value, so that nothing of it is stored. A credential that was issued is then known
 * to nobody, works, and takes a place at its target.
 */
export const isRefusedForGood = (error: unknown): boolean =>
  error instanceof RekeyError && refusals.has(error.code);

/** Lasting reasons why a version holds no credential to use. */
const unreadable: ReadonlySet<ErrorCode> = new Set([
  'SecretValueInvalid',
  'SecretKeyUnusable',
  'SecretAccessDenied',
]);

/**
 * Answers `undefined` where a version has no credential to read. It holds none, or its KMS key cannot be used. Anything else may
 * pass, and is thrown on.
 */
export function unlessUnreadable(error: unknown): undefined {
  if (error instanceof SecretError && unreadable.has(error.code)) return undefined;
  throw error;
}
