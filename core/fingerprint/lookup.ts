import * as z from 'zod';
import { strategies } from '../secret/secret.ts';
import { hashPattern } from './digest.ts';

/** Hashes that one call looks up. Each of them costs a call of KMS and one of DynamoDB. */
export const mostCandidates = 100;

/** Numbers of hashes that may be looked up. */
export interface LookupLimits {
  readonly perMinute: number;
  readonly perHour: number;
}

/** Hashes that an environment looks up within a minute, and within an hour, whoever asks. */
export const lookupLimits: LookupLimits = { perMinute: 600, perHour: 6_000 };

/** Request to the lookup function. It holds hashes of what somebody found, never what was found. */
export const lookupRequestSchema = z.strictObject({
  /** SHA-256 of each candidate: 64 hexadecimal digits in small letters. */
  hashes: z.array(z.string().regex(hashPattern)).min(1).max(mostCandidates),
  /** Caller, in its own words; CloudTrail alone attests it. */
  claimedActor: z.string().min(1).max(512).optional(),
});
export type LookupRequest = z.output<typeof lookupRequestSchema>;

/** The facts that the index has of a version that held a value. */
const matchSchema = z.object({
  /** Place of the hash in the request. */
  candidate: z.int().min(0),
  secretArn: z.string(),
  secretName: z.string(),
  secretType: z.string(),
  strategy: z.enum(strategies),
  owner: z.string(),
  versionId: z.string(),
  /** Keys of the JSON that held it, or `the whole secret`. */
  parts: z.array(z.string()),
  /** Labels of the version when the index looked last. */
  labels: z.array(z.string()),
  /** Time at which the index looked last. */
  seenAt: z.iso.datetime(),
  created: z.iso.datetime().optional(),
  /** Time by which the version had lost its last label. */
  replacedBy: z.iso.datetime().optional(),
  /** Time by which the secret was deleted, or looked after no more. */
  goneBy: z.iso.datetime().optional(),
});
export type Match = z.output<typeof matchSchema>;

/** Answer of the lookup function. A refusal is an answer as well, so that a flood of calls counts as no error. */
export const lookupAnswerSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('answered'), matches: z.array(matchSchema) }),
  z.object({
    outcome: z.literal('refused'),
    error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
    /** Seconds after which the same call is taken, where waiting helps. */
    retryAfterSeconds: z.int().min(1).optional(),
  }),
]);
export type LookupAnswer = z.output<typeof lookupAnswerSchema>;
