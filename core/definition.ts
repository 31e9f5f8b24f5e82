import * as z from 'zod';
import { strategies } from './secret.ts';

/**
 * What Rekey knows of a secret besides its value: written by the CDK app as an SSM parameter
 * (see `definitionParameter` in `core/names.ts`), read by the revocation intake and the CLI.
 */
export const secretDefinitionSchema = z.object({
  /** Name in Secrets Manager, as far as it is known at synth; an adopted secret may be known by ARN only. */
  name: z.string().min(1),
  arn: z.string().min(1),
  type: z.string().min(1),
  strategy: z.enum(strategies),
  owner: z.string().min(1),
  consumers: z.array(z.string()),
  network: z.string().optional(),
  /** Schedule expression of the rotation, `rate(…)` or `cron(…)`. */
  schedule: z.string(),
  /** Days after which a secret that has not rotated is overdue. */
  maximumAgeDays: z.int().min(1).optional(),
  rotationFunction: z.string().min(1),
  containmentFunction: z.string().min(1),
  /** How long a step of its rotation may take, in seconds, where that is longer than usual. */
  stepSeconds: z.int().min(1).optional(),
});
export type SecretDefinition = z.output<typeof secretDefinitionSchema>;
