import type { Control } from '../../policy/control.ts';
import type { ProofCheck } from '../check.ts';
import { environmentByName, environmentByTags, nameIn, sameEnvironment } from '../environments.ts';
import { valueIn } from '../facts.ts';

const controls: readonly Control[] = [
  'SOC 2 CC8.1',
  'ISO 27001:2022 A.8.31',
  'NIST 800-53 r5 CM-3',
  'OWASP NHI 2025 NHI8',
];

/** Finds references that reach into another environment than the deploy is for. */
export const secretOfOtherEnvironment: ProofCheck<'SecretOfOtherEnvironment'> = {
  description: {
    id: 'SecretOfOtherEnvironment',
    severity: 'error',
    demand: 'The secret belongs to the environment that is deployed, by its tags and its name.',
    reason: 'A deploy of one environment works on the data of another.',
    controls,
  },
  *check({ reference, environment, environments, secret, definition }) {
    if (environment === undefined) return;
    // A deployment that has a definition of the secret has adopted it, whatever it is called.
    if (valueIn(definition) !== undefined) return;
    const known = valueIn(secret);
    const tagged = known === undefined ? undefined : environmentByTags(known.tags, environments);
    const found = tagged ?? environmentByName(known?.name ?? nameIn(reference.secret), environments);
    if (found === undefined || sameEnvironment(found.environment, environment)) return;
    yield {
      message: `${known?.name ?? reference.secret} belongs to ${found.environment} by ${found.by}, and the deploy is of ${environment}`,
      fix: `name the secret of ${environment} in the manifest`,
    };
  },
};
