import type { Resource } from './template.ts';
import { isMap, Joined, literalText, Parameter, Pseudo, Reference, revealed, type Value } from './value.ts';
import type { World } from './world.ts';

/** Account, region and partition in which policies are tried. */
const stand = {
  'AWS::AccountId': '111122223333',
  'AWS::Region': 'eu-central-1',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
} as const;

const { 'AWS::AccountId': account, 'AWS::Region': region } = stand;

/** Account of the stacks that are looked at. */
export const ownAccount = account;
/** Region of the stacks that are looked at. */
export const ownRegion = region;

/** Letters and digits of a key, which may stand in any ARN. */
const plain = (text: string): string => text.replaceAll(/[^A-Za-z0-9]+/g, '-');

/** Gives the ARN that stands for a secret while policies are tried: its known one, or one by its name. */
export function arnOfSecret(secret: Resource): string {
  const { Arn, Name } = secret.properties;
  const known = literalText(Arn);
  return known?.startsWith('arn:')
    ? known
    : `arn:aws:secretsmanager:${region}:${account}:secret:${literalText(Name) ?? plain(secret.id)}-AbCdEf`;
}

/** Gives the ARN that stands for a key. */
export const arnOfKey = (key: Resource): string => {
  const known = literalText(key.properties.Arn);
  return known?.startsWith('arn:') ? known : `arn:aws:kms:${region}:${account}:key/${plain(key.id)}`;
};

/** Gives the ARN that stands for a role. */
export const arnOfRole = (role: Resource): string => {
  const known = literalText(role.properties.Arn);
  return known?.startsWith('arn:')
    ? known
    : `arn:aws:iam::${account}:role/${literalText(role.properties.RoleName) ?? plain(role.id)}`;
};

/** A text of a policy with nothing open in it, and whether all of it was known. */
export interface Concrete {
  readonly text: string;
  readonly certain: boolean;
}

/**
 * Writes a value as text, with stand-ins for what the deploy settles. What stays unknown becomes a text that matches nothing, and
 * makes the result uncertain.
 */
export function concrete(world: World, value: Value): Concrete {
  const inner = revealed(world.resolve(value)) ?? null;
  const literal = literalText(inner);
  if (literal !== undefined) return { text: literal, certain: true };
  if (inner instanceof Pseudo) {
    const known = (stand as Readonly<Record<string, string>>)[inner.name];
    return { text: known ?? `\u0001${inner.name}`, certain: true };
  }
  if (inner instanceof Joined) {
    const parts = inner.parts.map((part) => concrete(world, part));
    return { text: parts.map(({ text }) => text).join(''), certain: parts.every(({ certain }) => certain) };
  }
  if (inner instanceof Reference) return ofReference(world, inner);
  return { text: inner instanceof Parameter ? `\u0001${inner.name}` : '\u0001', certain: false };
}

function ofReference(world: World, { target, attribute }: Reference): Concrete {
  const resource = world.byKey.get(target);
  const certain = true;
  switch (resource?.type) {
    case 'AWS::SecretsManager::Secret':
      return { text: arnOfSecret(resource), certain };
    case 'AWS::SecretsManager::SecretTargetAttachment': {
      const { SecretId } = resource.properties;
      return SecretId === undefined ? { text: '\u0001', certain: false } : concrete(world, SecretId);
    }
    case 'AWS::KMS::Key':
      if (attribute?.toLowerCase() === 'arn') return { text: arnOfKey(resource), certain };
      return { text: plain(resource.id), certain };
    case 'AWS::IAM::Role':
      return attribute?.toLowerCase() === 'arn'
        ? { text: arnOfRole(resource), certain }
        : { text: literalText(resource.properties.RoleName) ?? plain(resource.id), certain };
    case undefined:
      return { text: '\u0001', certain: false };
    default:
      // Another resource of these templates: its ARN is some other one.
      return { text: `\u0001${plain(resource?.id ?? '')}`, certain };
  }
}

/** A document with nothing open in it. */
export interface ConcreteDocument {
  readonly document: unknown;
  readonly certain: boolean;
}

/** Writes a policy document with nothing open in it, keys included. */
export function concreteDocument(world: World, value: Value | undefined): ConcreteDocument {
  const inner = revealed(world.resolve(value));
  if (inner === undefined || inner === null) return { document: null, certain: false };
  if (Array.isArray(inner)) {
    const items = (inner as readonly Value[]).map((item) => concreteDocument(world, item));
    return {
      document: items.map(({ document }) => document),
      certain: items.every(({ certain }) => certain),
    };
  }
  if (isMap(inner)) {
    const entries = Object.entries(inner).map(
      ([name, item]) => [name, concreteDocument(world, item)] as const,
    );
    return {
      document: Object.fromEntries(entries.map(([name, { document }]) => [name, document])),
      certain: entries.every(([, { certain }]) => certain),
    };
  }
  if (typeof inner === 'boolean' || typeof inner === 'number') return { document: inner, certain: true };
  const { text, certain } = concrete(world, inner);
  return { document: text, certain };
}
