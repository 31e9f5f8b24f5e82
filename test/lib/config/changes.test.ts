import { expect, test } from '@jest/globals';
import * as z from 'zod';
import type { Rotator } from '../../../core/rotator.ts';
import { changes } from '../../../lib/config/changes.ts';
import { type CreatedType, contentChanges } from '../../../lib/config/content-changes.ts';
import { configurationSchema } from '../../../lib/config/schema.ts';
import type { SecretTypeDescriptor } from '../../../rotators/descriptor.ts';
import { registry, rotatedTypes } from '../../../rotators/registry.ts';
import { others, worst } from '../../changes/transitions.ts';
import { loadRotator } from '../../load-rotator.ts';

/** Paths to every value that a schema takes, as the type `Field` writes them. */
function fieldsOf(schema: z.core.$ZodType, path: readonly string[] = []): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return fieldsOf(schema.unwrap() as z.core.$ZodType, path);
  }
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, value]) =>
      fieldsOf(value as z.core.$ZodType, [...path, key]),
    );
  }
  if (schema instanceof z.ZodRecord) {
    return [[...path, '*'].join('.'), ...fieldsOf(schema.valueType as z.core.$ZodType, [...path, '*'])];
  }
  if (schema instanceof z.ZodUnion || schema instanceof z.ZodXor) {
    return schema.options.flatMap((option) => fieldsOf(option as z.core.$ZodType, path));
  }
  if (schema instanceof z.ZodArray) {
    const inner = fieldsOf(schema.element as z.core.$ZodType, [...path, '*']);
    return inner.length === 1 && inner[0] === [...path, '*'].join('.') ? [path.join('.')] : inner;
  }
  return [path.join('.')];
}

const fields = [...new Set(fieldsOf(configurationSchema.shape.environments))]
  .filter((field) => field !== '*')
  .map((field) => field.replace(/^\*\./, ''))
  // A policy deploys nothing, so it is one row.
  .map((field) => field.replace(/^policy\..+/, 'policy'));

test('every field of the configuration says what becomes of a change, and no other does', () => {
  expect(fields.length).toBeGreaterThan(60);
  expect([...new Set(fields)].toSorted()).toEqual(Object.keys(changes).toSorted());
});

/** A JSON of each type that has every key that it may be bound to. */
const samples: Readonly<Record<CreatedType, object>> = {
  postgresql: { engine: 'postgres' },
  mysql: { engine: 'mysql' },
  redshift: { engine: 'redshift' },
  redis: { engine: 'redis' },
  elasticache: { userId: 'orders' },
  'iam-access-key': {},
  generic: {},
  'rds-admin': { engine: 'postgres' },
};
const login = { username: 'orders', host: 'db.internal', password: 'a-password' };

const createdTypes = rotatedTypes.filter(
  (type): type is CreatedType => (registry[type] as SecretTypeDescriptor).created !== undefined,
);

test('every type whose secrets Rekey can create is there', () => {
  expect(createdTypes.toSorted()).toEqual(Object.keys(contentChanges).toSorted());
});

test.each(createdTypes)('every field that %s knows says what becomes of a change', async (type) => {
  const rotator = (await loadRotator(type)) as unknown as Rotator<object>;
  const { schema, boundTo, credentialKeys } = rotator;
  const known = contentChanges[type];
  const having = (effect: string) =>
    Object.keys(known)
      .filter((field) => known[field] === effect)
      .toSorted();
  const json = schema.parse({ ...login, ...samples[type] });
  const shape = Object.keys((schema as z.ZodObject).shape);
  // What a credential is made of may differ from version to version; `password` is what a first value holds.
  expect(Object.keys(known).toSorted()).toEqual([...new Set([...shape, 'password'])].toSorted());
  expect(having('moves')).toEqual(Object.keys(boundTo(json)).toSorted());
  expect(having('refused')).toEqual(
    expect.arrayContaining([...credentialKeys(json), 'masterarn', 'password']),
  );
});

/** Fields that `test/changes` cannot deploy, for want of such a target, network or account; their templates are compared. */
const comparedOnly = [
  'account',
  'region',
  'networks.*.create.',
  'networks.*.existing.securityGroupIds',
  'networks.*.existing.vpcId',
  'notifications.channels.*.certificateAuthority',
  'notifications.channels.*.encryptionKey',
  'notifications.channels.*.topicArn',
  'notifications.topicArn',
  'secrets.*.adminSecret.encryptionKey',
  'secrets.*.adminSecret.secret',
  'secrets.*.allowPrivateAddresses',
  'secrets.*.resources',
  'secrets.*.rotationFunction',
  'secrets.*.type',
];

test('every other field is changed by a transition that is deployed on the local cloud', () => {
  const deployed = new Set<string>([...worst, ...others].flatMap(({ fields: changed }) => changed));
  const left = Object.keys(changes).filter((field) => !deployed.has(field));
  expect(left.filter((field) => !comparedOnly.some((one) => field.startsWith(one)))).toEqual([]);
  expect([...deployed].filter((field) => comparedOnly.some((one) => field.startsWith(one)))).toEqual([]);
});
