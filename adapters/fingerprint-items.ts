import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { IndexedSecret, IndexedVersion, Standing } from '../core/fingerprint/store.ts';
import { strategies } from '../core/secret/secret.ts';

/**
 * Items of the table of fingerprints. It holds three kinds, told apart by the partition key:
 *
 * | `pk` | `sk` | is |
 * |---|---|---|
 * | `mac#<signed hash>` | `<ARN of the secret>#<version id>` | a value that a version held, and where in it |
 * | `secret#<ARN>` | `<version id>` | a version: its labels, and the signed hashes of its values |
 * | `secrets` | `<ARN>` | a secret that the index knows |
 *
 * `forget` is the time after which DynamoDB deletes an item, in seconds.
 */

export type Item = Readonly<Record<string, AttributeValue>>;

export const macPartition = (mac: string): string => `mac#${mac}`;
export const secretPartition = (secretArn: string): string => `secret#${secretArn}`;
export const secretsPartition = 'secrets';
/** Attribute by which DynamoDB forgets. */
export const forgetAttribute = 'forget';

const text = (value: string): AttributeValue => ({ S: value });
const texts = (values: readonly string[]): AttributeValue => ({ L: values.map(text) });
const time = (date: Date): AttributeValue => ({ S: date.toISOString() });
const seconds = (date: Date): AttributeValue => ({ N: String(Math.ceil(date.getTime() / 1_000)) });

export const keyOf = (pk: string, sk: string): Record<'pk' | 'sk', AttributeValue> => ({
  pk: text(pk),
  sk: text(sk),
});

/** Writes when DynamoDB forgets an item; nothing where it is kept. */
const forgetting = (forgetAt: Date | undefined) =>
  forgetAt === undefined ? {} : { [forgetAttribute]: seconds(forgetAt) };

export const secretItem = (
  { arn, name, type, strategy, owner, goneBy }: IndexedSecret,
  forgetAt: Date | undefined,
): Record<string, AttributeValue> => ({
  ...keyOf(secretsPartition, arn),
  name: text(name),
  type: text(type),
  strategy: text(strategy),
  owner: text(owner),
  ...(goneBy !== undefined && { goneBy: time(goneBy) }),
  ...forgetting(forgetAt),
});

export const standingAttributes = ({ labels, seenAt, replacedBy, forgetAt }: Standing) => ({
  labels: texts(labels),
  seenAt: time(seenAt),
  ...(replacedBy !== undefined && { replacedBy: time(replacedBy) }),
  ...forgetting(forgetAt),
});

export const versionItem = (
  secretArn: string,
  { versionId, created, macs, ...standing }: IndexedVersion,
): Record<string, AttributeValue> => ({
  ...keyOf(secretPartition(secretArn), versionId),
  ...standingAttributes(standing),
  macs: texts(macs),
  ...(created !== undefined && { created: time(created) }),
});

export const macItem = (
  mac: string,
  place: { readonly secretArn: string; readonly versionId: string; readonly parts: readonly string[] },
  forgetAt: Date | undefined,
): Record<string, AttributeValue> => ({
  ...keyOf(macPartition(mac), `${place.secretArn}#${place.versionId}`),
  secretArn: text(place.secretArn),
  versionId: text(place.versionId),
  parts: texts(place.parts),
  ...forgetting(forgetAt),
});

const textSchema = z.object({ S: z.string() }).transform(({ S }) => S);
const textsSchema = z.object({ L: z.array(textSchema) }).transform(({ L }) => L);
const timeSchema = textSchema.pipe(z.iso.datetime()).transform((value) => new Date(value));
const secondsSchema = z.object({ N: z.coerce.number() }).transform(({ N }) => new Date(N * 1_000));

export const secretItemSchema = z.object({
  sk: textSchema,
  name: textSchema,
  type: textSchema,
  strategy: textSchema.pipe(z.enum(strategies)),
  owner: textSchema,
  goneBy: timeSchema.optional(),
});

export const versionItemSchema = z.object({
  sk: textSchema,
  labels: textsSchema,
  seenAt: timeSchema,
  macs: textsSchema,
  created: timeSchema.optional(),
  replacedBy: timeSchema.optional(),
  forget: secondsSchema.optional(),
});

export const macItemSchema = z.object({ secretArn: textSchema, versionId: textSchema, parts: textsSchema });
