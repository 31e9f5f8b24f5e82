import { GenerateMacCommand, type KMSClient } from '@aws-sdk/client-kms';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { messageOf } from '../core/fingerprint/digest.ts';
import type { MacKey } from '../core/fingerprint/store.ts';
import { called } from './aws-error.ts';

/**
 * The HMAC key of an environment, in KMS. The key never leaves it, so every signature is a call.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
 */
export class KmsMacKey implements MacKey {
  readonly #client: KMSClient;
  readonly #keyArn: string;

  constructor(client: KMSClient, keyArn: string) {
    this.#client = client;
    this.#keyArn = keyArn;
  }

  async sign(hash: string): Promise<string> {
    const call = { service: 'KMS', action: 'kms:GenerateMac', on: this.#keyArn };
    const { Mac } = await called(
      call,
      this.#client.send(
        new GenerateMacCommand({
          KeyId: this.#keyArn,
          MacAlgorithm: 'HMAC_SHA_256',
          Message: messageOf(hash),
        }),
      ),
    );
    if (Mac === undefined) {
      throw new RekeyError('CallRefused', `KMS: kms:GenerateMac on ${this.#keyArn} gave no signature`);
    }
    return Buffer.from(Mac).toString('base64url');
  }
}
