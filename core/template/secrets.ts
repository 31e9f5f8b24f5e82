import { sameSecret } from '../deployed/names.ts';
import { concrete } from './concrete.ts';
import type { Resource } from './template.ts';
import { isAbsent, literalText, mapOf, type Value } from './value.ts';
import type { World } from './world.ts';

/** Type of a secret, under CloudFormation's name. */
export const secretType = 'AWS::SecretsManager::Secret';

/**
 * Finds the secret that a value names. The attachment of a secret to a database counts as the secret, since its `Ref` is the same
 * ARN.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secrettargetattachment.html
 */
export function secretOf(world: World, value: Value | undefined): Resource | undefined {
  const target = world.target(value, secretType);
  if (target?.type === 'AWS::SecretsManager::SecretTargetAttachment') {
    return secretOf(world, target.properties.SecretId);
  }
  // A version of a secret in a plan has its secret's ARN, too.
  if (target?.type === 'Rekey::SecretsManager::SecretVersion') {
    return secretOf(world, target.properties.SecretId);
  }
  if (target !== undefined) return target.type === secretType ? target : undefined;
  return value === undefined || isAbsent(value) ? undefined : byArn(world, concrete(world, value).text);
}

/** Finds a secret by its ARN, which may lack the random suffix, and may be put together of parts. */
function byArn(world: World, arn: string): Resource | undefined {
  if (!arn.startsWith('arn:')) return undefined;
  return world.ofType(secretType).find(({ properties }) => {
    const name = literalText(properties.Name);
    return name !== undefined && sameSecret(arn, name);
  });
}

/** A rotation schedule with the secret that it is of, where that is known. */
export interface Rotation {
  readonly schedule: Resource;
  readonly secret: Resource | undefined;
}

/** Lists all rotation schedules. */
export const rotationsOf = (world: World): readonly Rotation[] =>
  world
    .ofType('AWS::SecretsManager::RotationSchedule')
    .map((schedule) => ({ schedule, secret: secretOf(world, schedule.properties.SecretId) }));

/** Lists attachments of secrets to the databases whose logins they hold. */
export const attachmentsOf = (
  world: World,
): readonly { readonly secret: Resource | undefined; readonly database: Resource | undefined }[] =>
  world.ofType('AWS::SecretsManager::SecretTargetAttachment').map(({ properties }) => ({
    secret: secretOf(world, properties.SecretId),
    database: world.target(properties.TargetId),
  }));

/** Tells whether a partner of AWS rotates the secret: a managed external secret has a type. */
export const isManagedElsewhere = ({ properties }: Resource): boolean => !isAbsent(properties.Type);

/** Names a secret for a reader: its literal name, or else what names the resource. */
export const nameOfSecret = ({ properties, path }: Resource): string => literalText(properties.Name) ?? path;

/** Gives the rules of a rotation schedule. */
export const rotationRulesOf = ({ properties }: Resource): Readonly<Record<string, Value>> =>
  mapOf(properties.RotationRules);
