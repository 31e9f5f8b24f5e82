import { near } from '../../suggest.ts';
import { changedUnderControl } from '../../template/controls.ts';
import type { ProofCheck } from '../check.ts';
import { livingSecret, valueIn } from '../facts.ts';
import type { ValueShape } from '../ports.ts';
import type { ManifestFormat, SecretReference } from '../reference.ts';

/** Names of keys as people choose them. Others may be data, and are not repeated. */
const ordinary = /^[A-Za-z_][\w.-]{0,63}$/;

/** Finds references to keys that the JSON of the value does not have. */
export const keyMissing: ProofCheck<'KeyMissing'> = {
  description: {
    id: 'KeyMissing',
    severity: 'error',
    demand: 'The JSON of the value has the key that the reference names.',
    reason: 'Whoever reads it does not start, or gets nothing where it needs a credential.',
    controls: changedUnderControl,
  },
  *check(facts) {
    const secret = livingSecret(facts);
    const shape = valueIn(facts.shape);
    const { key } = facts.reference;
    if (secret === undefined || shape === undefined || key === undefined) return;
    if (shape.kind !== 'json') {
      yield {
        message: `the value of ${secret.name} is ${shape.kind === 'binary' ? 'binary' : 'no JSON object'}, so it has no key ${key}`,
        fix: 'take the key out of the reference, or store the value as a JSON object',
      };
      return;
    }
    if (hasKey(shape, facts.reference)) return;
    const names = shape.paths.map((path) => path.join('.')).filter((path) => ordinary.test(path));
    const meant = near(key, names);
    yield {
      message: `the value of ${secret.name} has no key ${key}${meant.length > 0 ? `; did the manifest mean ${meant.join(' or ')}?` : ''}`,
      fix:
        meant.length > 0
          ? `write ${meant[0]} in the manifest`
          : `add ${key} to the value, or correct the reference`,
    };
  },
};

/**
 * Formats whose reader takes a key for the name of a member at the top, dots and all.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
 */
const flat: ReadonlySet<ManifestFormat> = new Set([
  'cloudformation',
  'ecs-task-definition',
  'terraform-plan',
]);

/** Tells whether a value has the key of a reference. Elsewhere a dot may be part of a name, or lead one level down. */
export function hasKey(
  { paths }: Pick<ValueShape, 'paths'>,
  { format, key = '' }: Pick<SecretReference, 'format' | 'key'>,
): boolean {
  if (flat.has(format)) return paths.some((path) => path.length === 1 && path[0] === key);
  const bare = key.replace(/^[$.]+/, '').replaceAll(/\[(\d+)\]/g, '.$1');
  return paths.some((path) => path.join('.') === key || path.join('.') === bare);
}
