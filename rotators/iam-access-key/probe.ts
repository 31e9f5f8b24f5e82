import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { TargetError } from '../../core/errors/rekey-error.ts';
import { type FailedProbe, isFailed, type ProbeResult, type TargetContext } from '../../core/rotator.ts';
import { type Aws, answered, within } from './aws.ts';
import { callError, serviceError } from './errors.ts';
import type { ListedKey } from './keys.ts';
import { type IamAccessKeySecret, keyOf } from './schema.ts';

/** The identity that STS sees in the caller. */
export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
}

/** The answer of STS to a key. */
export type Answer = ({ readonly outcome: 'accepted' } & CallerIdentity) | FailedProbe;

/**
 * Asks STS who the holder of the key is. That needs no permission, and no policy can deny it.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function probe(
  aws: Aws,
  credential: IamAccessKeySecret,
  context: TargetContext,
): Promise<ProbeResult> {
  const answer = await ask(aws, credential, context, (attempt) => attempt());
  return isFailed(answer) ? answer : { outcome: 'accepted' };
}

/** Asks STS once or, as `run` decides, several times over the same connection. */
export async function ask(
  aws: Aws,
  credential: IamAccessKeySecret,
  context: TargetContext,
  run: (attempt: () => Promise<Answer>) => Promise<Answer>,
): Promise<Answer> {
  const { username } = credential;
  const key = keyOf(credential);
  if (key === undefined) {
    return rejected(`IAM user "${username}": this version holds no access key; the next rotation makes one`);
  }
  const client = aws.sts(key);
  try {
    return await run(() => once(client, username, key.accessKeyId, context));
  } finally {
    client.destroy();
  }
}

/**
 * Tells whether a key is known to be the one that a version holds. An active key is tried, since whoever may write a secret could
 * name any key of the user in it. An inactive one lets nobody in.
 * @throws TargetError when STS gives no answer
 */
export async function isOwn(
  aws: Aws,
  version: IamAccessKeySecret,
  { active }: Pick<ListedKey, 'active'>,
  context: TargetContext,
): Promise<boolean> {
  if (!active) return true;
  const answer = await probe(aws, version, context);
  if (answer.outcome === 'unreachable') throw answer.error;
  return answer.outcome === 'accepted';
}

/** Gives the account of the function's own role. It is asked once per environment. */
export async function ownAccount(aws: Aws, context: TargetContext): Promise<string> {
  if (aws.ownAccount !== undefined) return aws.ownAccount;
  const client = aws.sts();
  const call = identity(client, context).finally(() => client.destroy());
  const { account } = await answered(call, {
    where: 'STS',
    doing: "ask for the function's own account",
    action: 'sts:GetCallerIdentity',
  });
  aws.ownAccount = account;
  return account;
}

async function identity(client: STSClient, context: TargetContext): Promise<CallerIdentity> {
  const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}), within(context));
  return { account: Account, arn: Arn };
}

async function once(
  client: STSClient,
  username: string,
  keyId: string,
  context: TargetContext,
): Promise<Answer> {
  const where = `access key ${keyId} of IAM user "${username}"`;
  try {
    return { outcome: 'accepted', ...(await identity(client, context)) };
  } catch (error) {
    const answer = serviceError(error);
    if (answer !== undefined && provesDead(answer)) {
      return rejected(`${where}: STS refuses it (${answer.name}); it is inactive, deleted or not this key`);
    }
    return {
      outcome: 'unreachable',
      error: callError(error, { where, doing: 'ask STS about it', action: 'sts:GetCallerIdentity' }),
    };
  }
}

/**
 * Tells whether STS's error says that this key is dead. An unknown, inactive or deleted id is answered with
 * `InvalidClientTokenId`, a wrong secret part with `SignatureDoesNotMatch`. A request whose time is off is answered so, too
 * ("Signature expired: …", "Signature not yet current: …"), which says nothing of the key. Neither do refusals by an endpoint
 * policy, throttling or a region that is not enabled.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
 */
export function provesDead({ name, message }: { name: string; message: string }): boolean {
  if (name === 'InvalidClientTokenId') return true;
  return (
    name === 'SignatureDoesNotMatch' &&
    message.startsWith('The request signature we calculated does not match')
  );
}

function rejected(message: string): Answer {
  return { outcome: 'rejected', error: new TargetError('AuthenticationRefused', message) };
}
