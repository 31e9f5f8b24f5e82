import * as z from 'zod';

/** Name of the user's inline policy that ends sessions. */
export const policyName = 'RekeyRevokedSessions';

/** A leaked key, and the moment up to which sessions of its user are refused. It is in whole seconds, as IAM compares them. */
export interface Cutoff {
  readonly keyId: string;
  readonly before: Date;
}

/**
 * Longest life of a session of GetSessionToken and GetFederationToken: 36 hours. An older entry cuts nothing.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
const longestSessionMs = 36 * 3_600_000;
/** Most entries of the policy. All inline policies of a user share 2048 characters; an entry takes about 170. */
const mostEntries = 3;

const documentSchema = z.looseObject({
  Statement: z.array(
    z.looseObject({
      Sid: z.string(),
      Condition: z.object({ DateLessThan: z.object({ 'aws:TokenIssueTime': z.string() }) }),
    }),
  ),
});

/** Reads the entries of a policy document. A document that is not Rekey's has none, and is replaced. */
export function parsePolicy(text: string): Cutoff[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  const parsed = documentSchema.safeParse(json);
  if (!parsed.success) return [];
  return parsed.data.Statement.flatMap(({ Sid, Condition }) => {
    const before = new Date(Condition.DateLessThan['aws:TokenIssueTime']);
    const keyId = /^Leaked([A-Za-z0-9]+)$/.exec(Sid)?.[1];
    return keyId === undefined || Number.isNaN(before.getTime()) ? [] : [{ keyId, before }];
  });
}

/**
 * Makes the policy that denies everything to sessions that were issued before. A request that is signed with an access key itself
 * has no `aws:TokenIssueTime`. So the condition does not hold for it, and the user's other key is not touched.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tokenissuetime
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
 */
export function policyDocument(cutoffs: readonly Cutoff[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: cutoffs.map(({ keyId, before }) => ({
      Sid: `Leaked${keyId}`,
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { DateLessThan: { 'aws:TokenIssueTime': iso(before) } },
    })),
  });
}

/**
 * Gives the entries with one more or a later one. A time is never moved back. The latest of all stays whatever happens, and so do
 * entries that still cut something, as far as there is room.
 */
export function withCutoff(cutoffs: readonly Cutoff[], added: Cutoff, now: Date): Cutoff[] {
  const earlier = cutoffs.find(({ keyId }) => keyId === added.keyId);
  const entry = earlier !== undefined && earlier.before > added.before ? earlier : added;
  const others = cutoffs.filter(
    ({ keyId, before }) => keyId !== added.keyId && now.getTime() - before.getTime() < longestSessionMs,
  );
  const newestFirst = [entry, ...others].toSorted((a, b) => b.before.getTime() - a.before.getTime());
  const kept = newestFirst.slice(0, mostEntries);
  return kept.includes(entry) ? kept : [...kept.slice(0, -1), entry];
}

/** Gives the first whole second after a moment: a session's time of issue is told without fractions. */
export const secondAfter = (moment: Date): Date => new Date((Math.floor(moment.getTime() / 1000) + 1) * 1000);

const iso = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
