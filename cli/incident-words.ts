import { isOpen, type SecretCourse, type SecretState } from '../core/incident/secret-course.ts';
import type { Attestation, Proven } from '../core/incident/timeline.ts';
import { formatDuration } from './time.ts';

/** Tones of states, for a terminal and for a page. */
const tones: Readonly<Record<SecretState, 'good' | 'warn' | 'bad' | 'plain'>> = {
  requested: 'plain',
  'waiting for approval': 'warn',
  'under way': 'plain',
  revoked: 'good',
  unproven: 'warn',
  failed: 'bad',
  rejected: 'bad',
  'not approved': 'plain',
};

/** Gives the tone of a secret's state; one that something else made up for alarms nobody. */
export const toneOfState = (secret: SecretCourse): 'good' | 'warn' | 'bad' | 'plain' =>
  isOpen(secret) || secret.state === 'revoked' ? tones[secret.state] : 'plain';

/** Says a secret's state, and what made up for it. */
export const wordOfState = ({ state, settledBy, retriedBy }: SecretCourse): string => {
  if (settledBy !== undefined) return `${state}, settled`;
  return retriedBy === undefined ? state : `${state}, tried again`;
};

/** Writes how long after the request something was; a dash where it has not come. */
export const afterRequest = ({ requestedAt }: SecretCourse, at: number | undefined): string =>
  at === undefined ? '-' : formatDuration(at - requestedAt);

/** Says what vouches for who did something. */
const attestationWords: Readonly<Record<Attestation, string>> = {
  claimed: 'their own word',
  proven: 'proven to STS',
  trail: 'CloudTrail',
  function: 'a function of Rekey',
};

/** Says what vouches for one deed: of a sender's own word, also whether CloudTrail names the same caller, or another. */
export function vouchedBy({
  attested,
  proven,
}: {
  readonly attested: Attestation;
  readonly proven?: Proven | undefined;
}): string {
  const word = attestationWords[attested];
  if (proven === undefined) return word;
  return proven.agrees ? `${word}, and CloudTrail` : `${word}; CloudTrail says ${proven.who}`;
}

/** Writes a time in UTC, to the second. */
export const clockTime = (ms: number): string =>
  new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
