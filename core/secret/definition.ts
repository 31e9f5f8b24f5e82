import { createHash } from 'node:crypto';
import * as z from 'zod';
import { strategies } from './secret.ts';

/**
 * Content of the JSON of a secret that Rekey created, besides its credential. The template that creates the secret holds none
 * of it: CloudFormation generates a new value whenever anything changes that the value was generated from.
 */
const contentSchema = z.object({
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** ARN of the admin secret. */
  masterarn: z.string().min(1).optional(),
});
export type SecretContent = z.output<typeof contentSchema>;

/**
 * Assignment of a secret by its deployment: whose credential it is, and which admin secret it has. It holds the keys of the
 * secret's JSON that name the user and the place. A secret is written by more people than a deployment.
 */
export const assignmentSchema = z.object({
  // Of a created secret all of its fields, the ids of databases and users among them.
  fields: z.looseObject({
    username: z.string().min(1),
    host: z.string().min(1),
    port: z.union([z.number(), z.string()]).optional(),
    ssl: z.union([z.boolean(), z.string()]).optional(),
  }),
  /** ARN of the admin secret. */
  masterarn: z.string().min(1).optional(),
});
export type Assignment = z.output<typeof assignmentSchema>;

/** Reads the user, the place and the admin secret that a definition names; undefined where it names none. */
export function assignmentOf({
  content,
  identity,
}: Pick<SecretDefinition, 'content' | 'identity'>): Assignment | undefined {
  if (content === undefined) return identity;
  const { success, data } = assignmentSchema.safeParse(content);
  return success ? data : undefined;
}

/** Tells two contents apart: the same for the same keys and values, in whatever order they are written. */
export function contentDigest({ fields, masterarn }: SecretContent): string {
  const pairs = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([pairs, masterarn ?? null]))
    .digest('hex')
    .slice(0, 32);
}

/** Longest sentence that says what a person has to do. */
const longestTask = 256;

/**
 * Thing that whoever holds a credential gets at. It is another secret, or a task for a person where Rekey cannot cut it off. `via` names the workload that issues it.
 */
const leadSchema = z.union([
  z.strictObject({ secret: z.string().min(1).max(512), via: z.string().optional() }),
  z.strictObject({ task: z.string().min(1).max(longestTask), via: z.string().optional() }),
]);
export type Lead = z.output<typeof leadSchema>;

/**
 * Facts that Rekey knows of a secret besides its value. The CDK app writes them as an SSM parameter (see `definitionParameter`
 * in `core/deployed/names.ts`). The revocation intake, the workflow's rotation, the observer of foreign rotations and the CLI read
 * them. The rotation function reads those of created secrets, and of adopted ones with an {@link SecretDefinition.identity}.
 */
export const secretDefinitionSchema = z.object({
  /** Name in Secrets Manager, as far as it is known at synth. An adopted secret may be known by ARN only. */
  name: z.string().min(1),
  arn: z.string().min(1),
  type: z.string().min(1),
  strategy: z.enum(strategies),
  owner: z.string().min(1),
  /** Sentence that says what the secret is for. */
  purpose: z.string().min(1).optional(),
  consumers: z.array(z.string()),
  /** Last day on which it is to work, as `2027-03-31`. */
  expires: z.string().optional(),
  network: z.string().optional(),
  /** Schedule expression of the rotation, `rate(…)` or `cron(…)`. */
  schedule: z.string(),
  /** Days after which a secret that has not rotated is overdue. */
  maximumAgeDays: z.int().min(1).optional(),
  rotationFunction: z.string().min(1),
  containmentFunction: z.string().min(1),
  /** Seconds that a step of its rotation may take, where that is longer than usual. */
  stepSeconds: z.int().min(1).optional(),
  /** Content that the rotation function writes into the JSON of a secret that Rekey created. */
  content: contentSchema.optional(),
  /** User and place that an adopted secret is for, where its configuration says so. */
  identity: assignmentSchema.optional(),
  /** ARN of the admin secret of an adopted secret whose configuration names no user and place. */
  adminSecret: z.string().min(1).optional(),
  /** Things that whoever holds the credential gets at. The secrets that name it as their admin secret need no mention. */
  leadsTo: z.array(leadSchema).optional(),
});
export type SecretDefinition = z.output<typeof secretDefinitionSchema>;
