import * as z from 'zod';
import { honeySecretsSchema } from '../signal/honey.ts';
import { signalPoliciesSchema } from '../signal/policy.ts';
import { common } from './variables.ts';

/** Reads JSON in a variable. */
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
});

const signals = {
  ...common,
  /** JSON: the way to answer each kind of signal; see `core/signal/policy.ts`. */
  REKEY_SIGNALS: json.pipe(signalPoliciesSchema),
  /** Name of the function that looks fingerprints up. Without it, no value and no access key is found. */
  REKEY_FINGERPRINT_LOOKUP: z.string().min(1).optional(),
};

/** The function that takes signals of AWS, and uses of honey secrets. */
export const signalEnvironmentSchema = z.object({
  ...signals,
  /** JSON: the honey secrets by their keys; see `core/signal/honey.ts`. */
  REKEY_HONEY_SECRETS: json.pipe(honeySecretsSchema),
});

/** The function that takes messages of scanners. */
export const signalWebhookEnvironmentSchema = z.object({
  ...signals,
  /** Queue of what could not be worked on. */
  REKEY_SIGNAL_DEAD_LETTERS_URL: z.url(),
});
