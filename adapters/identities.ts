import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { CallerIdentity } from '../core/approval/person.ts';
import { identityBody } from '../core/approval/proof.ts';
import type { Identities } from '../core/approval/store.ts';
import { awsFault } from '../core/errors/aws.ts';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { awsError } from './aws-error.ts';

/** Answers of STS to a signature that proves nothing. */
const refusals: readonly string[] = [
  'AccessDenied',
  'CredentialsExpired',
  'CredentialsInvalid',
  'ClockWrong',
  'CallInvalid',
  'CallRefused',
];

/**
 * The STS of this region, which says whose signature a request has. The request goes to STS in the function's own region and nowhere else: what
 * was signed elsewhere names no host, no path and no action here, and a signature for another one does not hold.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export class StsIdentities implements Identities {
  async whoSigned(headers: Readonly<Record<string, string>>): Promise<CallerIdentity> {
    // One client for each request: it signs with what it was given. Global, FIPS and dual-stack hosts are others than the signed.
    const client = new STSClient({
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
      signer: {
        sign: async (request) => {
          const sent = { ...request, body: identityBody };
          return Object.assign(Object.create(Object.getPrototypeOf(request)), sent, {
            headers: {
              ...headers,
              host: request.headers.host ?? request.hostname,
              'content-length': String(identityBody.length),
            },
          });
        },
      },
    });
    try {
      const { Arn: arn, Account: account } = await client.send(new GetCallerIdentityCommand({}));
      if (arn === undefined || account === undefined) throw unproven('STS names nobody');
      return { arn, account };
    } catch (error) {
      const fault = error instanceof RekeyError ? undefined : awsFault(error);
      if (fault !== undefined && refusals.includes(fault.code)) {
        throw unproven(`STS answered ${fault.name}`);
      }
      throw awsError(error, { service: 'STS', action: 'sts:GetCallerIdentity', on: 'a proof of identity' });
    } finally {
      client.destroy();
    }
  }
}

const unproven = (why: string): RekeyError =>
  new RekeyError('IdentityUnproven', `the proof of identity is not valid: ${why}`);
