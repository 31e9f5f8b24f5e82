import type { KMSClient } from '@aws-sdk/client-kms';
import { messageOf } from '../core/fingerprint/digest.ts';
import type { MacKey } from '../core/fingerprint/store.ts';
import { KmsMacKey } from './mac-key.ts';

/** Opens the HMAC key of an environment's fingerprints. Every signature is a call of KMS. */
export const fingerprintKey = (client: KMSClient, keyArn: string): MacKey => {
  const key = new KmsMacKey(client, keyArn);
  return { sign: async (hash) => Buffer.from(await key.make(messageOf(hash))).toString('base64url') };
};
