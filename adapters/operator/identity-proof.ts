import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import {
  bindingHeader,
  type IdentityProof,
  identityBody,
  identityContentType,
} from '../../core/approval/proof.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';

type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials'];

/**
 * Signs a request to STS that says who the caller is, and does not send it. It holds for the header's value alone, for 15
 * minutes, at STS of one region. The secret key stays here.
 * @param binding - value of the header that binds the request to one deed
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function signIdentity(
  credentials: Credentials,
  region: string,
  binding: string,
): Promise<IdentityProof> {
  let headers: Readonly<Record<string, string>> = {};
  const client: STSClient = new STSClient({
    credentials,
    region,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    signer: {
      sign: async (request) => {
        const { sha256 } = client.config;
        const signer = new SignatureV4({ service: 'sts', region, credentials, sha256, applyChecksum: false });
        const host = request.headers.host ?? request.hostname;
        Object.assign(request, {
          body: identityBody,
          headers: { host, 'content-type': identityContentType, [bindingHeader]: binding },
        });
        const signed = await signer.sign(request);
        headers = signed.headers;
        return request;
      },
    },
  });
  // The SDK knows the host that STS has here, and goes no further than the signature.
  client.middlewareStack.add(() => async () => ({ response: {}, output: { $metadata: {} } }), {
    step: 'deserialize',
    name: 'keepToSelf',
    priority: 'high',
  });
  await client.send(new GetCallerIdentityCommand({}));
  client.destroy();
  const { authorization, 'x-amz-date': date, 'x-amz-security-token': token } = headers;
  if (authorization === undefined || date === undefined) {
    throw new RekeyError('IdentityUnproven', 'the proof of identity could not be signed');
  }
  return { authorization, date, ...(token !== undefined && { token }) };
}
