import * as z from 'zod';
import { commonSecretFields } from '../../core/secret/secret.ts';

const text = z.string().min(1);

/**
 * The JSON of a secret that holds an access key of an IAM user. Keys that are not listed survive. A version without
 * `accessKeyId` and `secretAccessKey` holds no key yet: the first rotation of a secret that was created makes one.
 */
export const iamAccessKeySchema = z
  .looseObject({
    /**
     * Name of the IAM user, without its path.
     * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
     */
    username: z.string().regex(/^[\w+=,.@-]{1,64}$/, 'username must be the name of an IAM user'),
    /** Id of the key. @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html */
    accessKeyId: text.max(128, 'accessKeyId must have at most 128 characters').optional(),
    secretAccessKey: text.optional(),
    ...commonSecretFields,
  })
  .refine((secret) => (secret.accessKeyId === undefined) === (secret.secretAccessKey === undefined), {
    error: 'must hold both accessKeyId and secretAccessKey, or neither',
  });
export type IamAccessKeySecret = z.output<typeof iamAccessKeySchema>;

/** The two parts of an access key. */
export interface AccessKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Gives the key that a version holds; undefined for one that holds none yet. */
export const keyOf = ({ accessKeyId, secretAccessKey }: IamAccessKeySecret): AccessKeyPair | undefined =>
  accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
