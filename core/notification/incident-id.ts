import { createHash } from 'node:crypto';

/** Makes the id of an incident from the key of what it is about. A key that begins with # is the id itself. */
export const incidentIdOf = (key: string): string =>
  key.startsWith('#') ? key.slice(1) : createHash('sha256').update(key).digest('hex').slice(0, 12);

/** Names what the incident of a revocation is about. */
export const revocationKey = (requestId: string): string => `revocation:${requestId}`;
