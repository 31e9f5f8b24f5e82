import { createHash } from 'node:crypto';

/** Version of what is signed, so that another way of making fingerprints never meets this one in the index. */
const purpose = 'rekey-fingerprint/1:';

/** Form of a hash that is looked up: SHA-256, 64 hexadecimal digits in small letters. */
export const hashPattern = /^[0-9a-f]{64}$/;

/**
 * Hashes a value with SHA-256, of its UTF-8 bytes as they are: the caller has found its form.
 * @see https://csrc.nist.gov/pubs/fips/180-4/upd1/final
 */
export const hashOf = (value: string): string => createHash('sha256').update(value, 'utf8').digest('hex');

/** Gives the message that KMS signs for a hash. */
export const messageOf = (hash: string): Uint8Array => new TextEncoder().encode(purpose + hash);
