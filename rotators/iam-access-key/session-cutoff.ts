import {
  GetUserPolicyCommand,
  LimitExceededException,
  NoSuchEntityException,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import * as z from 'zod';
import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import { type Aws, answered, type Cutoff, within } from './aws.ts';
import { purpose, unlessGone } from './keys.ts';
import { parsePolicy, policyDocument, policyName, withCutoff } from './revocation-policy.ts';

/**
 * Difference that is allowed between clocks, in milliseconds. A time that lies further ahead would end sessions that have not
 * begun.
 */
const clockSkewMs = 60_000;

/**
 * Input of the function that may write policies. Nothing of it can widen what the one document says.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
 */
const requestSchema = z.strictObject({
  username: z.string().regex(/^[\w+=,.@-]{1,64}$/),
  accessKeyId: z.string().regex(/^[A-Za-z0-9]{16,128}$/),
  before: z.iso.datetime().transform((text) => new Date(text)),
  unlessKnown: z.boolean(),
});

/** Input that the function is sent. */
export type CutoffRequest = z.input<typeof requestSchema>;

export const cutoffAnswerSchema = z.object({ before: z.iso.datetime().nullable() });
export type CutoffAnswer = z.input<typeof cutoffAnswerSchema>;

/**
 * Reads the function's input.
 * @throws SecretError `SessionCutoffInvalid`
 */
export function parseCutoff(event: unknown, now: Date): Cutoff {
  const parsed = requestSchema.safeParse(event);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the event').join(', ');
    throw new SecretError(
      'SessionCutoffInvalid',
      `no session was ended: ${fields} is missing or has not the form it must have; the containment function alone may call this one`,
    );
  }
  const { username, before } = parsed.data;
  if (before.getTime() > now.getTime() + clockSkewMs) {
    throw new SecretError(
      'SessionCutoffInvalid',
      `IAM user "${username}": no session was ended: ${before.toISOString()} is more than ${clockSkewMs / 1_000} s ahead, and would end sessions that have not begun`,
    );
  }
  return parsed.data;
}

/**
 * Denies everything to sessions that began before, by the one inline policy that Rekey has on a user. IAM holds the function to
 * the users that its role names.
 * @returns since when sessions are let in; undefined when there is no such user
 * @throws TargetError
 */
export async function cutOff(aws: Aws, cutoff: Cutoff, context: TargetContext): Promise<Date | undefined> {
  const { username, accessKeyId, unlessKnown } = cutoff;
  const read = await readPolicy(aws, username, context);
  const cutoffs = parsePolicy(read ?? '');
  const known = unlessKnown ? cutoffs.find(({ keyId }) => keyId === accessKeyId) : undefined;
  const before = known?.before ?? cutoff.before;
  const next = withCutoff(cutoffs, { keyId: accessKeyId, before }, new Date());
  const document = policyDocument(next);
  const latest = new Date(Math.max(...next.map((one) => one.before.getTime())));
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

/** Writes the policy; false when there is no such user. */
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
