import {
  GetUserPolicyCommand,
  LimitExceededException,
  NoSuchEntityException,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { TargetError } from '../../core/errors.ts';
import type { ContainContext, ContainResult, TargetContext } from '../rotator.ts';
import { type Aws, answered, within } from './aws.ts';
import { deactivateKey, listKeys, purpose, unlessGone } from './keys.ts';
import { type Answer, ask } from './probe.ts';
import { parsePolicy, policyDocument, policyName, secondAfter, withCutoff } from './revocation-policy.ts';
import type { IamAccessKeySecret } from './schema.ts';
import { askUntil } from './wait.ts';

type Context = ContainContext<IamAccessKeySecret>;

const rolesNote =
  'sessions of roles that were assumed with it go on until they are revoked at each role: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html';

/**
 * See {@link Rotator.contain}. Deactivates the key and keeps it, so that what it did can still be looked up; then denies
 * everything to sessions that the user got from STS before, which outlive the key; then waits until STS refuses the key.
 */
export async function contain(
  aws: Aws,
  { serially }: { serially: Serially },
  leaked: IamAccessKeySecret,
  context: Context,
): Promise<ContainResult> {
  const { username, accessKeyId } = leaked;
  if (accessKeyId === undefined) {
    return { loginsRefused: true, sessionsEnded: 0, note: 'this version holds no access key' };
  }
  const wasActive = await isActive(aws, { username, accessKeyId }, context);
  const exists = await deactivateKey(aws, username, accessKeyId, context);
  const deny = () =>
    serially(username, () => denySessions(aws, { username, accessKeyId, wasActive }, context));
  const atOnce = await deny();
  const accepted = await isAccepted(aws, leaked, context);
  // IAM is eventually consistent: until STS refused the key, sessions could still begin with it.
  const denied = wasActive && !accepted ? await deny() : atOnce;
  const facts = [
    exists
      ? `the access key ${accessKeyId} is inactive and kept for the investigation`
      : `the user "${username}" has no access key ${accessKeyId}`,
    ...(accepted ? ['but STS still accepts it'] : []),
    denied === undefined
      ? `there is no user "${username}"`
      : `everything is denied to sessions that the user got from STS before ${denied.toISOString()}, those of its other key included; IAM does not tell how many`,
    rolesNote,
  ];
  return { loginsRefused: !accepted, sessionsEnded: 0, note: facts.join('; ') };
}

/** Waits until STS refuses the key; true when it does not in time. Where STS gives no answer, IAM's word must do. */
async function isAccepted(aws: Aws, leaked: IamAccessKeySecret, context: Context): Promise<boolean> {
  const settled = (answer: Answer) => 'outcome' in answer;
  const answer = await ask(aws, leaked, context, (attempt) => askUntil(attempt, settled, aws.patienceMs));
  return !settled(answer);
}

/** Whether the key works still; in doubt it does, and what keeps this from knowing must not keep the key alive. */
async function isActive(
  aws: Aws,
  { username, accessKeyId }: { username: string; accessKeyId: string },
  context: Context,
): Promise<boolean> {
  try {
    const keys = await listKeys(aws, username, context);
    return keys.some(({ id, active }) => id === accessKeyId && active);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (error.code === 'PermissionMissing') {
      context.finding({ code: 'PermissionMissing', severity: 'medium', message: error.message });
    }
    return true;
  }
}

/** Runs one thing at a time for a user: two leaked keys of one user share one policy. */
export type Serially = <T>(username: string, work: () => Promise<T>) => Promise<T>;

export function oneAtATime(): Serially {
  const last = new Map<string, Promise<unknown>>();
  return (username, work) => {
    const turn = (last.get(username) ?? Promise.resolve()).then(work, work);
    last.set(username, turn);
    return turn;
  };
}

/**
 * Denies everything to sessions that began before the leaked key was cut off, or before the rotation that followed.
 * @returns since when sessions are let in; undefined when there is no such user
 */
async function denySessions(
  aws: Aws,
  { username, accessKeyId, wasActive }: { username: string; accessKeyId: string; wasActive: boolean },
  context: Context,
): Promise<Date | undefined> {
  const now = new Date();
  const read = await readPolicy(aws, username, context);
  const cutoffs = parsePolicy(read ?? '');
  const known = cutoffs.find(({ keyId }) => keyId === accessKeyId);
  // A key that was cut off before and is still inactive has begun no session since.
  const settled = known !== undefined && !wasActive && context.rotatedAt === undefined;
  const before = settled ? known.before : secondAfter(wasActive ? now : (context.rotatedAt ?? now));
  const next = withCutoff(cutoffs, { keyId: accessKeyId, before }, now);
  const document = policyDocument(next);
  const latest = new Date(Math.max(...next.map((cutoff) => cutoff.before.getTime())));
  if (document === read) return latest;
  return (await writePolicy(aws, username, document, context)) ? latest : undefined;
}

async function readPolicy(aws: Aws, UserName: string, context: TargetContext): Promise<string | undefined> {
  const call = aws.iam
    .send(new GetUserPolicyCommand({ UserName, PolicyName: policyName }), within(context))
    .catch((error: unknown) => {
      if (error instanceof NoSuchEntityException) return undefined;
      throw error;
    });
  const answer = await answered(call, purpose(UserName, `read its policy ${policyName}`, 'GetUserPolicy'));
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html: URL-encoded after RFC 3986
  return answer?.PolicyDocument && decodeURIComponent(answer.PolicyDocument);
}

/** False when there is no such user. */
async function writePolicy(
  aws: Aws,
  UserName: string,
  PolicyDocument: string,
  context: TargetContext,
): Promise<boolean> {
  const call = aws.iam
    .send(new PutUserPolicyCommand({ UserName, PolicyName: policyName, PolicyDocument }), within(context))
    .catch((error: unknown) => {
      if (!(error instanceof LimitExceededException)) throw error;
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
      throw new TargetError(
        'TargetRefused',
        `IAM user "${UserName}": its key is inactive, but sessions could not be ended: with the policy ${policyName} its inline policies exceed the 2048 characters that IAM allows. Move one of them to a managed policy and revoke again`,
      );
    });
  return await unlessGone(
    call,
    purpose(UserName, `end its sessions by the policy ${policyName}`, 'PutUserPolicy'),
  );
}
