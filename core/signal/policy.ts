import * as z from 'zod';
import { revocationModes } from '../events/catalogue.ts';
import type { SignalKind } from './signal.ts';

/**
 * Ways to answer a signal. `act`: a revocation is requested. `ask`: people are told, with the command that revokes. `record`: it
 * stands in the audit log alone.
 */
const signalAnswers = ['act', 'ask', 'record'] as const;
export type SignalAnswer = (typeof signalAnswers)[number];

const answered = {
  /** Way to answer. */
  answer: z.enum(signalAnswers).default('ask'),
  /** Mode of the revocation that is requested, or proposed. */
  mode: z.enum(revocationModes).default('kill'),
};

const shared = {
  ...answered,
  /** Name or ARN of the secret that holds what the sender signs with: `{"secret": "…"}`, and `previous` while it is replaced. */
  secret: z.string().min(1).max(2_048),
};

/** Ways to answer each kind of signal. A kind that is left out is not listened to. */
export const signalPoliciesSchema = z.strictObject({
  health: z.strictObject(answered).optional(),
  guardduty: z.strictObject(answered).optional(),
  securityhub: z.strictObject(answered).optional(),
  github: z.strictObject(shared).optional(),
  githubPartner: z
    .strictObject({
      ...answered,
      /** Public keys in PEM by their ids. @see https://api.github.com/meta/public_keys/secret_scanning */
      publicKeys: z.record(
        z.string().regex(/^[0-9a-f]{32,128}$/, 'must be the hexadecimal key_identifier of GitHub'),
        z
          .string()
          .max(1_000)
          .regex(
            /^-----BEGIN PUBLIC KEY-----[\sA-Za-z0-9+/=]+-----END PUBLIC KEY-----\s*$/,
            'must be a public key in PEM',
          ),
      ),
    })
    .optional(),
  gitguardian: z.strictObject(shared).optional(),
  gitlab: z
    .strictObject({
      ...shared,
      /** Types that GitLab may send, such as `gitleaks_rule_id_my_token`. */
      types: z.array(z.string().min(1).max(256)).min(1).max(50),
    })
    .optional(),
  webhook: z.strictObject(shared).optional(),
} satisfies Readonly<Record<SignalKind, z.ZodType>>);
export type SignalPolicies = z.output<typeof signalPoliciesSchema>;
