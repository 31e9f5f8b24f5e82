import * as z from 'zod';
import { keyArnSchema } from './expressions.ts';

/**
 * Reads the CloudTrail trail by which Rekey says who really asked, and who really read. Rekey makes one, or reads one that is there
 * already.
 */
export const trailSchema = z
  .strictObject({
    /** True to make a trail of the environment, whose files lie in the bucket of the audit log. */
    create: z.literal(true, { error: 'must be true, or be left out with `bucket`' }).optional(),
    /** Bucket of a trail that is there. It sends its events to EventBridge, in this account and region. */
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
      .optional(),
    /** Prefix of that trail, without a slash at either end. @default - none */
    prefix: z
      .string()
      .max(200)
      .regex(
        /^(?!\/)[A-Za-z0-9!_.*'()/-]+(?<!\/)$/,
        'must be the prefix of a trail, without a slash at either end',
      )
      .optional(),
    /** Id of the organization whose trail that is, as its keys have it. @default - the trail is the account's own */
    organization: z
      .string()
      .regex(/^o-[a-z0-9]{10,32}$/, 'must be the id of an organization such as o-a1b2c3d4e5')
      .optional(),
    /** Key that encrypts the files of that trail. Its policy must let this account use it. @default - none but S3's own */
    encryptionKey: keyArnSchema.optional(),
  })
  .refine(({ create, bucket }) => (create === undefined) !== (bucket === undefined), {
    error: 'must have exactly one of `create` and `bucket`',
  })
  .refine(
    ({ create, prefix, organization, encryptionKey }) =>
      create === undefined || [prefix, organization, encryptionKey].every((one) => one === undefined),
    { error: 'must have nothing beside `create`: that trail keeps its files as the audit log does' },
  );
export type TrailConfiguration = z.output<typeof trailSchema>;

const deploy = (what: string) => ({ effect: 'deploy', what }) as const;
const place = deploy('files that come from then on are read there; what was read before is kept');

/** The effect of a change of each field about the trail. */
export const trailChanges = {
  'trail.create': deploy(
    'the trail comes, and logs from then on; or it goes, its files stay under their lock, and requests are attributed no more',
  ),
  'trail.bucket': place,
  'trail.prefix': place,
  'trail.organization': place,
  'trail.encryptionKey': deploy('the function may use it'),
} as const;
