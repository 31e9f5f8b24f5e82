import { namesPlainPart } from '../secret/secret-words.ts';
import { secretOf } from './secrets.ts';
import {
  ingredientsOf,
  literalText,
  Parameter,
  Reference,
  Sensitive,
  StoredSecret,
  type Value,
} from './value.ts';
import type { World } from './world.ts';

/** Attributes that give a secret value, by the type of their resource. */
const secretAttributes: Readonly<Record<string, readonly string[]>> = {
  'AWS::IAM::AccessKey': ['SecretAccessKey', 'secret', 'ses_smtp_password_v4'],
  'Rekey::SecretsManager::SecretVersion': ['secret_string', 'secret_binary'],
  'Rekey::Random::Password': ['result', 'bcrypt_hash'],
  'AWS::SSM::Parameter': [],
};

/**
 * Finds where a value gets a secret from that is put into it while it is deployed. Names alone, such as a secret's ARN, are none.
 * @returns words for a message, such as `the value of secret orders`; undefined where no secret goes in
 */
export function secretSource(world: World, template: string, value: Value | undefined): string | undefined {
  for (const part of ingredientsOf(value)) {
    const source = sourceOf(world, template, part);
    if (source !== undefined) return source;
  }
  return undefined;
}

function sourceOf(world: World, template: string, part: Value): string | undefined {
  if (part instanceof StoredSecret) {
    if (part.key !== undefined && namesPlainPart(part.key)) return undefined;
    return part.service === 'ssm-secure'
      ? 'the value of a secure string of Systems Manager'
      : `the value of ${nameIn(world, part.reference)}${part.key === undefined ? '' : `, key ${part.key}`}`;
  }
  if (part instanceof Parameter) {
    return world.parameter(template, part.name)?.hidden === true
      ? `the hidden parameter ${part.name}`
      : undefined;
  }
  if (part instanceof Reference) {
    const target = world.byKey.get(part.target);
    const attributes = target === undefined ? undefined : secretAttributes[target.type];
    return target !== undefined && attributes?.includes(part.attribute ?? '')
      ? `${part.attribute} of ${target.path}`
      : undefined;
  }
  return part instanceof Sensitive ? 'a value that Terraform marks as sensitive' : undefined;
}

function nameIn(world: World, reference: Value): string {
  const secret = ingredientsOf(reference)
    .map((one) => secretOf(world, one))
    .find((one) => one !== undefined);
  const literal = literalText(reference);
  if (secret !== undefined) return `secret ${secret.path}`;
  return literal === undefined ? 'a secret' : `secret ${literal}`;
}
