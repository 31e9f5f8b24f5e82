import { SecretError } from './rekey-error.ts';

/**
 * Tells whether a policy or a key keeps Rekey away from one secret. Trying again changes nothing, and the other secrets are none the
 * worse for it.
 */
export const isSecretDenied = (error: unknown): boolean =>
  error instanceof SecretError && (error.code === 'SecretAccessDenied' || error.code === 'SecretKeyUnusable');
