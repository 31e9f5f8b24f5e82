import { Token } from 'aws-cdk-lib';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { Assignment } from '../../core/secret/definition.ts';
import type { Strategy } from '../../core/secret/secret.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type SecretType } from '../../rotators/registry.ts';
import { checkAlone } from '../config/secret-rules.ts';
import type { CreatedSecret } from './secret-entry.ts';

/** A secret as constructs tell of it. */
export interface ValidatedSecret {
  readonly type: SecretType;
  readonly strategy: Strategy;
  readonly name: string;
  readonly create?: CreatedSecret | undefined;
  readonly hasAdmin: boolean;
  readonly identity?: Assignment['fields'] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly rotatesOnDeploy: boolean;
  /** ARN of a function that is not Rekey's. */
  readonly rotationFunction?: string | undefined;
}

/** The part of a function by which two of them serve the same secrets. */
interface Serving {
  readonly type: SecretType;
  readonly strategy: Strategy;
}

/**
 * Refuses two functions that are for different secrets.
 * @throws RekeyError `ConstructInvalid`
 */
export function requirePair(id: string, rotation: Serving, containment: Serving): void {
  if (rotation.type === containment.type && rotation.strategy === containment.strategy) return;
  const name = ({ type, strategy }: Serving): string => `${type} with ${strategy}`;
  throw new RekeyError(
    'ConstructInvalid',
    `${id}: containment: its functions differ: ${name(rotation)} rotates, and ${name(containment)} contains; give both the same type and strategy`,
  );
}

/** Explains why the first rotation of a created secret needs an admin, for the types whose admin sets passwords. */
export function firstPasswordUnknown(type: SecretType): string | undefined {
  const { usersByAdmin }: SecretTypeDescriptor = registry[type];
  return usersByAdmin
    ? `${type}: no server knows the first password, which Secrets Manager generates, so the first rotation cannot log in; name an adminSecret, whose login sets the next one, or set rotateOnDeploy to false and give the user that password before it rotates`
    : undefined;
}

/**
 * Finds what the rules of the configuration refuse in a secret that constructs make. Values that are known at the deploy alone are
 * taken for right.
 * @returns sentences for the CDK's validation; none when all is well
 */
export function validateSecret(secret: ValidatedSecret): string[] {
  const { type, strategy, name, create, identity, resources = [] } = secret;
  const known = resources.filter((arn) => !Token.isUnresolved(arn));
  const problems = checkAlone({
    type,
    strategy,
    rotateOnDeploy: secret.rotatesOnDeploy,
    ...(create === undefined
      ? { adopt: Token.isUnresolved(name) ? 'known-at-the-deploy' : name }
      : { create: { name, fields: { ...create.fields } } }),
    ...(secret.hasAdmin && { adminSecret: { adopt: 'known-elsewhere' } }),
    ...(identity !== undefined && { identity }),
    ...(secret.rotationFunction !== undefined && { rotationFunction: secret.rotationFunction }),
    resources: known,
  } as Parameters<typeof checkAlone>[0]);
  return problems.flatMap(({ path, message }) => {
    if (path[0] === 'resources' && path.length === 1 && known.length < resources.length) return [];
    const [part, , field = ''] = path;
    const value = part === 'create' ? create?.fields[String(field)] : undefined;
    return Token.isUnresolved(value) ? [] : [`${path.join('.')}: ${message}`];
  });
}
