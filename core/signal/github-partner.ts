import * as z from 'zod';
import { signalsOfValues } from './found-values.ts';
import { parsedSignal, type Reading } from './signal.ts';

const schema = z
  .array(
    z.object({
      token: z.string().min(1).max(65_536),
      type: z.string().min(1).max(256),
      url: z.string().max(4_096).nullish(),
      source: z.string().max(64).nullish(),
    }),
  )
  .min(1)
  .max(100);

/**
 * Reads what GitHub's partner program sends: values of one's own form that it has found in public places.
 * @throws RekeyError `SignalMalformed`
 * @see https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
 */
export function readGitHubPartner(body: unknown, now: Date): Reading {
  const found = parsedSignal('githubPartner', schema, body);
  return {
    signals: signalsOfValues(
      'githubPartner',
      found.map(({ token, type, url }) => ({ token, type, place: url })),
      now,
    ),
  };
}
