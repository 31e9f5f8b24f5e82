import { v5 } from 'uuid';

const namespace = 'b1a7d3a4-3f0b-5e0e-9a52-6f2b9b8c4f11';

/**
 * Derives the id of the version that a revocation makes. It is the same for each try, so that a retried step rotates once.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5
 */
export const revocationToken = (requestId: string, secretArn: string): string =>
  v5(`${requestId}\n${secretArn}`, namespace);

/**
 * Tells a rotation that a revocation asked for by the id of its version. Secrets Manager's own ids, and those of the CLI and the
 * SDKs, are UUIDs of version 4.
 */
export const isRevocationToken = (versionId: unknown): boolean =>
  typeof versionId === 'string' &&
  /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(versionId);

/** Derives the id of the revocation of one secret of a plan from the request's. It is the same for each try. */
export const plannedRequestId = (requestId: string, secretArn: string): string =>
  v5(`plan\n${requestId}\n${secretArn}`, namespace);

/** Derives the id of the request that a member gets for its part. It is the same for each try, so that it is done once. */
export const memberRequestId = (requestId: string, member: string): string =>
  v5(`member\n${requestId}\n${member}`, namespace);
