import type { ErrorCode } from '../../core/errors/codes.ts';
import { RekeyError, SecretError } from '../../core/errors/rekey-error.ts';

/**
 * Answers of Secrets Manager after which a value is stored for certain in no version. After any other, a lost one above all, it may be.
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
 * Tells whether Secrets Manager has refused a value, so that nothing of it is stored. A credential that was issued is then known to
 * nobody, works, and takes a place at its target.
 */
export const isRefusedForGood = (error: unknown): boolean =>
  error instanceof RekeyError && refusals.has(error.code);

/** Reasons why a version holds no credential to use, which stay. */
const unreadable: ReadonlySet<ErrorCode> = new Set([
  'SecretValueInvalid',
  'SecretKeyUnusable',
  'SecretAccessDenied',
]);

/**
 * Answers as if a version were not there where it holds no credential, or its KMS key cannot be used. Anything else may pass, and is
 * thrown on.
 */
export function unlessUnreadable(error: unknown): undefined {
  if (error instanceof SecretError && unreadable.has(error.code)) return undefined;
  throw error;
}
