import * as z from 'zod';

const secretSchema = z.string().min(1).max(2048);
const versionsSchema = z.array(z.string().min(1).max(64)).min(1).max(100);

/** Secrets that one request names. EventBridge takes events of up to 256 KiB. */
export const mostNamedSecrets = 500;

/** Members that a configuration may have. They stand in variables of functions, which end at 4 KiB. */
export const mostMembers = 12;

/** Name of an environment elsewhere, as the coordinator's configuration gives it. */
export const memberNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be of lower-case letters, digits and hyphens, 32 at the most')
  .refine((name) => name !== 'all', { error: 'must not be `all`, which means every member' });

/** The environments elsewhere that a request is about: all members, or those that are named. */
export const memberChoiceSchema = z.union([
  z.literal('all'),
  z.array(memberNameSchema).min(1).max(mostMembers),
]);

const namedSecretSchema = z.strictObject({
  /** Name of the secret, its ARN, or its ARN without the random suffix. */
  secret: secretSchema,
  /** Ids of the versions that leaked. @default - all that Secrets Manager keeps */
  versions: versionsSchema.optional(),
});

/**
 * Selection of the secrets that a revocation is about. A request has exactly one of these forms. None holds a value or a hash of
 * one: who has a leaked value looks it up first (`rekey whose`), and names the secrets that have it.
 */
export const selectionSchema = z.union([
  z.strictObject({ secret: secretSchema }),
  z.strictObject({ secrets: z.array(namedSecretSchema).min(1).max(mostNamedSecrets) }),
  z.strictObject({
    tag: z.strictObject({ key: z.string().min(1).max(128), value: z.string().max(256) }),
  }),
  /** Beginning of the secrets' names, such as `/prod/orders/`. */
  z.strictObject({ namePrefix: z.string().min(1).max(512) }),
  z.strictObject({ owner: z.string().min(1).max(256) }),
  /** Workload that reads the secrets, as their definitions name it. */
  z.strictObject({ consumer: z.string().min(1).max(64) }),
  /** ARN of an IAM role or user: all secrets whose value its policies let it read. */
  z.strictObject({
    principal: z
      .string()
      .regex(/^arn:[\w-]+:iam::\d{12}:(role|user)\/.+$/)
      .max(2048),
  }),
  /** Name of the environment: everything in it. */
  z.strictObject({ environment: z.string().min(1).max(64) }),
]);
export type Selection = z.output<typeof selectionSchema>;

/** Gives the one secret that a selection names; undefined where it may be several. */
export const soleSecret = (select: Selection): string | undefined =>
  'secret' in select ? select.secret : undefined;

/** Says in words which secrets a selection is about. */
export function selectionText(select: Selection): string {
  if ('secret' in select) return select.secret;
  if ('secrets' in select) {
    const [first, ...rest] = select.secrets.map(({ secret }) => secret);
    return rest.length === 0 ? `${first}` : `${first} and ${rest.length} more`;
  }
  if ('tag' in select) return `the secrets tagged ${select.tag.key}=${select.tag.value}`;
  if ('namePrefix' in select) return `the secrets below ${select.namePrefix}`;
  if ('owner' in select) return `the secrets of ${select.owner}`;
  if ('consumer' in select) return `the secrets that ${select.consumer} reads`;
  if ('principal' in select) return `the secrets that ${select.principal} may read`;
  return `everything in ${select.environment}`;
}
