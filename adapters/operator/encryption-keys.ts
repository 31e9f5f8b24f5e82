import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  NotFoundException,
  paginateListGrants,
} from '@aws-sdk/client-kms';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { EncryptionKey, KeyGrant, PreflightCloud } from '../../core/preflight/ports.ts';
import { awsError } from '../aws-error.ts';
import { parsePolicy } from './policy-documents.ts';

/** Grants of one key that are looked at. KMS allows 50,000 of each. */
const mostGrants = 5_000;

/** The KMS keys of any region, with what decides who may use them. */
export class EncryptionKeys implements Pick<PreflightCloud, 'encryptionKey'> {
  readonly #in: (region: string) => KMSClient;

  constructor(clientIn: (region: string) => KMSClient) {
    this.#in = clientIn;
  }

  async encryptionKey(KeyId: string, region: string): Promise<EncryptionKey | undefined> {
    const kms = this.#in(region);
    const call = async <T>(action: string, run: () => Promise<T>): Promise<T> => {
      try {
        return await run();
      } catch (error) {
        throw awsError(error, { service: 'KMS', action: `kms:${action}`, on: KeyId });
      }
    };
    const found = await call('DescribeKey', async () => {
      try {
        return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
      } catch (error) {
        if (error instanceof NotFoundException) return undefined;
        throw error;
      }
    });
    if (found === undefined) return undefined;
    const { Arn = KeyId, KeyState: state = 'Unknown', KeyManager } = found;
    if (KeyManager === 'AWS') {
      const nothing = { Version: '2012-10-17', Statement: [] } as const;
      return { arn: Arn, state, managedByAws: true, policy: { ...nothing, Statement: [] }, grants: [] };
    }
    const { Policy = '' } = await call('GetKeyPolicy', () =>
      kms.send(new GetKeyPolicyCommand({ KeyId: Arn, PolicyName: 'default' })),
    );
    const grants = await call('ListGrants', async () => {
      const listed: KeyGrant[] = [];
      for await (const { Grants = [] } of paginateListGrants(
        { client: kms, pageSize: 100 },
        { KeyId: Arn },
      )) {
        for (const { GranteePrincipal = '', Operations = [], Constraints } of Grants) {
          listed.push({
            grantee: GranteePrincipal,
            operations: Operations,
            context: { ...Constraints?.EncryptionContextSubset, ...Constraints?.EncryptionContextEquals },
          });
        }
        if (listed.length > mostGrants) {
          throw new RekeyError(
            'QuotaReached',
            `${Arn} has more than ${mostGrants} grants, which are not all looked at`,
          );
        }
      }
      return listed;
    });
    return {
      arn: Arn,
      state,
      managedByAws: false,
      policy: parsePolicy(Policy, `the policy of ${Arn}`),
      grants,
    };
  }
}
