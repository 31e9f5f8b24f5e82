import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';

/** Keys that every rotation leaves alone: they say what the others are. */
const reserved = new Set(['rotates', 'masterarn']);
const defaultKeys = ['password'] as const;
const mostKeys = 20;

/**
 * JSON of a generic secret: any object. `rotates` names the keys whose values are replaced. Without it that is `password`, the
 * key under which a secret that CloudFormation generates holds its random value. Every other key stays.
 *
 * Messages name places, never what stands there: a token that was put into the wrong place is still a secret.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-secret-generatesecretstring.html
 */
export const genericSecretSchema = z
  .looseObject({
    /** Keys of this object, at its top, 1 to 20. Default: `password`. */
    rotates: z
      .array(z.string(), { error: 'must be a list of keys, such as ["apiToken"]' })
      .min(1, 'must name at least one key; leave it out for "password"')
      .max(mostKeys, `must name at most ${mostKeys} keys`)
      .optional(),
    ...commonSecretFields,
  })
  .superRefine((secret, context) => {
    const keys = keysOf(secret);
    const complain = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    for (const [index, key] of keys.entries()) {
      const place = secret.rotates === undefined ? [key] : ['rotates', index];
      const hint = secret.rotates === undefined ? ', or "rotates" must name the keys that do' : '';
      if (reserved.has(key)) {
        complain(place, 'must not name "rotates" or "masterarn"');
      } else if (keys.indexOf(key) !== index) {
        complain(place, 'must not name a key twice');
      } else if (!Object.hasOwn(secret, key) || typeof secret[key] !== 'string') {
        const what =
          secret.rotates === undefined ? 'must hold text' : 'must name a key of this JSON that holds text';
        complain(place, `${what}${hint}`);
      }
    }
  });
export type GenericSecret = z.output<typeof genericSecretSchema>;

/** Gives the keys whose values a rotation replaces, in the order in which the secret names them. */
export const keysOf = ({ rotates }: Pick<GenericSecret, 'rotates'>): readonly string[] =>
  rotates ?? defaultKeys;

/** Gives the value of one of {@link keysOf}; the schema has made sure that it is text. */
export const textOf = (secret: GenericSecret, key: string): string => String(secret[key]);
