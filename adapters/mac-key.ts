import { GenerateMacCommand, type KMSClient, VerifyMacCommand } from '@aws-sdk/client-kms';
import type { LinkKey } from '../core/approval/link.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { called } from './aws-error.ts';

const MacAlgorithm = 'HMAC_SHA_256';

/**
 * A key of HMACs in KMS, which it never leaves. KMS compares the codes, and takes the same time for each.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
 */
export class KmsMacKey implements LinkKey {
  readonly #client: KMSClient;
  readonly #keyArn: string;

  constructor(client: KMSClient, keyArn: string) {
    this.#client = client;
    this.#keyArn = keyArn;
  }

  async make(message: Uint8Array): Promise<Uint8Array> {
    const { Mac } = await called(
      this.#call('GenerateMac'),
      this.#client.send(new GenerateMacCommand({ KeyId: this.#keyArn, MacAlgorithm, Message: message })),
    );
    if (Mac === undefined) {
      throw new RekeyError('CallRefused', `KMS: kms:GenerateMac on ${this.#keyArn} gave no code`);
    }
    return Mac;
  }

  async verify(message: Uint8Array, code: Uint8Array): Promise<boolean> {
    const check = new VerifyMacCommand({ KeyId: this.#keyArn, MacAlgorithm, Message: message, Mac: code });
    const answer = this.#client.send(check).then(
      ({ MacValid }) => MacValid === true,
      (error: unknown) => {
        if (error instanceof Error && error.name === 'KMSInvalidMacException') return false;
        throw error;
      },
    );
    return await called(this.#call('VerifyMac'), answer);
  }

  #call(action: string) {
    return { service: 'KMS', action: `kms:${action}`, on: this.#keyArn };
  }
}
