import { GenerateMacCommand, type KMSClient, VerifyMacCommand } from '@aws-sdk/client-kms';
import type { LinkKey } from '../core/approval/link.ts';
import { awsError } from './aws-error.ts';

const MacAlgorithm = 'HMAC_SHA_256';

/**
 * The key of links, which never leaves KMS. KMS compares the codes, and takes the same time for each.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
 */
export class KmsLinkKey implements LinkKey {
  readonly #client: KMSClient;
  readonly #keyId: string;

  constructor(client: KMSClient, keyId: string) {
    this.#client = client;
    this.#keyId = keyId;
  }

  async make(message: Uint8Array): Promise<Uint8Array> {
    try {
      const make = new GenerateMacCommand({ KeyId: this.#keyId, MacAlgorithm, Message: message });
      return (await this.#client.send(make)).Mac ?? new Uint8Array();
    } catch (error) {
      throw awsError(error, { service: 'KMS', action: 'kms:GenerateMac', on: this.#keyId });
    }
  }

  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    try {
      const check = new VerifyMacCommand({ KeyId: this.#keyId, MacAlgorithm, Message: message, Mac: code });
      return (await this.#client.send(check)).MacValid === true;
    } catch (error) {
      if (error instanceof Error && error.name === 'KMSInvalidMacException') return false;
      throw awsError(error, { service: 'KMS', action: 'kms:VerifyMac', on: this.#keyId });
    }
  }
}
