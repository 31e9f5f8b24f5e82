import * as z from 'zod';
import { signalsOfValues } from './found-values.ts';
import { parsedSignal, type Reading } from './signal.ts';

const schema = z
  .array(
    z.object({
      type: z.string().min(1).max(256),
      token: z.string().min(1).max(65_536),
      location: z.string().max(4_096).nullish(),
    }),
  )
  .min(1)
  .max(100);

/** Makes the answer to the first endpoint: the types of values that GitLab may send. */
export const revocableTypes = (types: readonly string[]): string => JSON.stringify({ types });

/**
 * Reads what GitLab's secret detection wants revoked: the second endpoint of its Token Revocation API.
 * @param types - the types that were offered; another one makes the message malformed, as GitLab documents it
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.gitlab.com/development/sec/token_revocation_api/
 */
export function readGitLab(body: unknown, now: Date, types: readonly string[]): Reading {
  const offered = schema.refine((all) => all.every(({ type }) => types.includes(type)));
  const found = parsedSignal('gitlab', offered, body);
  return {
    signals: signalsOfValues(
      'gitlab',
      found.map(({ token, type, location }) => ({ token, type, place: location })),
      now,
    ),
  };
}
