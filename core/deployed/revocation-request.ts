import { createHash } from 'node:crypto';
import type { RevocationRequest } from '../events/catalogue.ts';

/**
 * Gives the SHA-256 of a request, which tells a repeated request from another one with its id. The CLI proves its author by it.
 * @param request - as its schema gives it, so with every default and in the schema's order
 */
export const requestDigest = (request: RevocationRequest): string =>
  createHash('sha256').update(JSON.stringify(request)).digest('hex');
