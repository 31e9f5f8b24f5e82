import * as z from 'zod';
import { ConfigurationError } from '../config.ts';
import type { Demand } from './capacity.ts';

/** Secrets that were adopted by their full name, and whether each rotates as soon as it is first deployed. */
export const adoptedSchema = z.record(z.string(), z.enum(['rotates', 'waits']));
type Adopted = z.output<typeof adoptedSchema>;

/** Merges what is to be recorded of adopted secrets. Those that were adopted once stay, since they exist. */
export const adoptedOf = (demands: readonly Demand[], known: Adopted): Adopted =>
  Object.fromEntries(
    Object.entries({
      ...known,
      ...Object.fromEntries(demands.flatMap(({ name, adopted }) => (adopted ? [[name, adopted]] : []))),
    }).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );

/**
 * Refuses changes of adopted secrets that a deploy would refuse or apply to a live credential. It refuses to create a secret
 * that exists, and to rotate at once one that was deployed without that.
 * @throws ConfigurationError which names the command that does it safely
 */
export function checkAdopted(
  file: string,
  environment: string,
  demands: readonly Demand[],
  known: Adopted,
): void {
  const was = (name: string) => (Object.hasOwn(known, name) ? known[name] : undefined);
  for (const { name, adopted } of demands) {
    const unless = `if that was never deployed, take its line out of \`adopted\` in ${file}`;
    if (was(name) !== undefined && adopted === undefined) {
      throw new ConfigurationError(
        `environments.${environment}.secrets: ${name} was adopted, so it exists, and CloudFormation cannot create it: go on adopting it; ` +
          'its fields are changed in its JSON, by aws secretsmanager put-secret-value, and its key by update-secret --kms-key-id. ' +
          `To have one of Rekey's own, create it under another name and lead its consumers there. If the secret is gone, or ${unless}`,
      );
    }
    if (was(name) === 'waits' && adopted === 'rotates') {
      throw new ConfigurationError(
        `environments.${environment}.secrets: rotateOnDeploy is for the first deploy, and ${name} was adopted without it, so this deploy would rotate a credential that is in use: ` +
          `leave it out, and rotate when you mean to: rekey secret rotate ${name} --wait. Or, ${unless}`,
      );
    }
  }
}
